"""check_hosts: are the hosts, the SMTP profiles and the sending domains as they should be?

what was found          finding.py
everything at once      running.py: one deadline, and nothing that fails spoils the rest
a host                  hosts.py; reach.py (SSH), files.py, journals.py, timezones.py, indexes.py
a profile               profiles.py
a domain                domains.py; mx.py, spf.py, dkim.py, dmarc.py (pure); lookups.py alone knows dnspython

Everything is read: no mail is sent, nothing is written, and no name is asked for that is not the
configuration's. What a host, a mail server or the DNS says is a stranger's text: it stands in
`Finding.said`, uncleaned, and in no sentence of ours.
"""
