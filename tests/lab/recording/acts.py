"""What is done by hand: sendmail(1), a client that hangs up, and an administrator's postsuper."""

import json
import time
from datetime import datetime

from maillab.cluster import Lab
from maillab.errors import LabError

from . import stories
from .evidence import hops
from .mail import Mail, Sent, connect, hand_in


def early(lab: Lab) -> list[Sent]:
    """Hand in the mails of the acts, each in its own way."""
    by = {"sendmail": by_sendmail, "hang-up": dropped}
    return [by.get(mail.act, _over_smtp)(lab, mail) for mail in stories.BY_HAND]


def late(lab: Lab, done: list[Sent]) -> None:
    """The administrator's acts on mails that were handed in before."""
    for sent in done:
        if sent.mail.act == "-d":
            sent.fate, sent.path = "deleted", hops(_queue_file(lab, sent))
        queue = "hold" if sent.mail.act in ("-d", "-H") else "deferred"
        if sent.mail.act.startswith("-"):
            _wait_in_queue(lab, sent, queue)
            lab.machine(sent.mail.via).run("postsuper", sent.mail.act, sent.queue_id or "")
        if sent.mail.act == "-e":
            # The queue manager returns it when it next looks at it.
            lab.machine(sent.mail.via).run("postqueue", "-f")


def _over_smtp(lab: Lab, mail: Mail) -> Sent:
    return hand_in([mail])[0]


def by_sendmail(lab: Lab, mail: Mail) -> Sent:
    """Hand in with sendmail(1) as the user that the sender names; it tells no queue ID."""
    sent = Sent(mail, datetime.now().astimezone())
    user = mail.sender.partition("@")[0]
    text = mail.as_bytes().decode().replace("\r\n", "\n")
    lab.machine(mail.via).run(
        "setpriv", f"--reuid={user}", "--clear-groups", "sendmail", "-i", *mail.to, text=text
    )
    return sent


def dropped(lab: Lab, mail: Mail) -> Sent:
    """Hang up within DATA; the queue ID is the name of the file that cleanup writes just then."""
    sent = Sent(mail, datetime.now().astimezone(), fate="aborted")
    smtp = connect(mail)
    smtp.mail(mail.sender)
    smtp.rcpt(mail.to[0])
    smtp.docmd("DATA")
    # More than one buffer, else cleanup has not written the mark yet.
    body = mail.as_bytes() + b"half of a line that is much too long for one buffer\r\n" * 400
    smtp.send(body)
    find = ("grep", "-rl", f"X-Lab-Mail: {mail.story}", "/var/spool/postfix/incoming")
    time.sleep(1)
    found = lab.machine(mail.via).run(*find).split()
    sent.path = [[mail.via, found[0].rpartition("/")[2]]]
    smtp.close()
    return sent


def _queue_file(lab: Lab, sent: Sent) -> str:
    return lab.machine(sent.mail.via).run("postcat", "-hq", sent.queue_id or "")


def _wait_in_queue(lab: Lab, sent: Sent, queue: str, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not _in_queue(lab, sent, queue):
        if time.monotonic() > until:
            raise LabError(f"{sent.mail.story} is not in the {queue} queue")
        time.sleep(0.3)


def _in_queue(lab: Lab, sent: Sent, queue: str) -> bool:
    listing = lab.machine(sent.mail.via).run("postqueue", "-j")
    rows = (json.loads(line) for line in listing.splitlines())
    return any(row["queue_id"] == sent.queue_id and row["queue_name"] == queue for row in rows)
