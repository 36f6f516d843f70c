"""One mail of a story, and handing it in over SMTP."""

import re
import smtplib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from maillab.hosts import HOSTS, SWITCH

# Finds a mail again wherever it ends, whatever became of its message-id; logs never show it.
MARK = "X-Lab-Mail"
# [host, queue ID], oldest first; None where nobody was told an ID.
Way = list[list[str | None]]
QUEUED_AS = re.compile(r"queued as ([0-9A-Za-z]+)")
ADDRESSES = {each.name.partition(".")[0]: each for each in SWITCH.addresses} | {
    "relay-net": SWITCH.addresses[3],
    "relay-org": SWITCH.addresses[4],
}


@dataclass(frozen=True)
class Mail:
    """What is handed in, by whom, where. `story` is unique and is the mail's mark."""

    story: str
    to: tuple[str, ...]
    subject: str
    sender: str = "alice@example.test"
    via: str = "csmail1"
    client: str = "pc1"
    port: int = 25
    ip6: bool = False
    message_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    # Lines of the text beyond the first one: how a mail gets too big.
    filler_lines: int = 0
    mail_options: tuple[str, ...] = ()
    rcpt_options: tuple[str, ...] = ()
    # Recipients that a host of ours adds by itself → that host.
    added: Mapping[str, str] = field(default_factory=dict)
    # Taken at the door and thrown away: no mailbox and no queue can tell.
    thrown_away: bool = False
    # Still deferred when the recording ends.
    stays_deferred: bool = False
    # How it is handed in, or what an administrator does to it: see acts.py.
    act: str = ""
    notes: str = ""

    @cached_property
    def identity(self) -> str:
        """The message-id with its brackets, "" for a mail without one."""
        if self.message_id is not None:
            return self.message_id
        return f"<{self.story}@{self.sender.rpartition('@')[2] or 'example.test'}>"

    def as_bytes(self) -> bytes:
        """The mail as it goes over the wire; built by hand, because some are wrong on purpose."""
        headers = {"From": self.sender or "MAILER-DAEMON@example.test", "To": ", ".join(self.to)}
        headers |= {"Subject": self.subject, MARK: self.story}
        if self.identity:
            headers["Message-ID"] = self.identity
        lines = [f"{name}: {value}" for name, value in (headers | dict(self.headers)).items()]
        text = ["Written in the lab.", *["x" * 70] * self.filler_lines]
        return "\r\n".join([*lines, "", *text, ""]).encode()


@dataclass
class Sent:
    """What the first host answered. `refused` has the reply for each recipient not taken."""

    mail: Mail
    at: datetime
    queue_id: str | None = None
    refused: dict[str, str] = field(default_factory=dict)
    # Set by what is done to a mail by hand: the outcome that nobody else can tell, with its path.
    fate: str | None = None
    path: Way = field(default_factory=list)


def hand_in(mails: Sequence[Mail]) -> list[Sent]:
    """Hand in mails over one connection, from the client to the host that the first one names."""
    with connect(mails[0]) as smtp:
        return [_one(smtp, mail) for mail in mails]


def connect(mail: Mail) -> smtplib.SMTP:
    """Connect and say EHLO, from the address of the mail's client."""
    client = ADDRESSES[mail.client]
    server = next(each.addresses[0] for each in HOSTS if each.name == mail.via)
    here, there = (client.ip6, server.ip6) if mail.ip6 else (client.ip4, server.ip4)
    smtp = smtplib.SMTP(
        there or "",
        mail.port,
        local_hostname=client.name,
        source_address=(here or "", 0),
        timeout=30,
    )
    smtp.ehlo()
    if "SMTPUTF8" in mail.mail_options:
        smtp.command_encoding = "utf-8"
    return smtp


def _one(smtp: smtplib.SMTP, mail: Mail) -> Sent:
    sent = Sent(mail, datetime.now().astimezone())
    code, text = smtp.mail(mail.sender, mail.mail_options)
    if code >= 400:
        sent.refused = dict.fromkeys(mail.to, _reply(code, text))
        smtp.rset()
        return sent
    for recipient in mail.to:
        code, text = smtp.rcpt(recipient, mail.rcpt_options)
        if code >= 400:
            sent.refused[recipient] = _reply(code, text)
    if len(sent.refused) == len(mail.to):
        smtp.rset()
        return sent
    code, text = smtp.data(mail.as_bytes())
    if code >= 400:
        sent.refused = dict.fromkeys(mail.to, _reply(code, text)) | sent.refused
    elif match := QUEUED_AS.search(text.decode()):
        sent.queue_id = match[1]
    return sent


def _reply(code: int, text: bytes) -> str:
    return f"{code} {text.decode('utf-8', 'replace')}"
