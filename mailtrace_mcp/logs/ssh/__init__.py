"""Logs on other machines, read over SSH. Only this folder knows paramiko.

Importing what is in it takes a tenth of a second, so it is imported when a host first needs it.

    what is asked of a host     commands.py (the grammar; the sh script mailtrace-read), sftp.py
    how its answer is taken     running.py, marks.py, listing.py
    how channels are shared     machine.py, connection.py, link.py, turns.py, keeper.py, pool.py
    how a host is reached       login.py, user_config.py, dialling.py, opening.py, verifying.py,
                                known_hosts.py, authentication.py, keys.py
    what is there in the end    remote_store.py (a Store), remote_journal.py, in_turns.py
"""
