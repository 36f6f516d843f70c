"""What really happened: the mails in mailboxes, files, queues and with the servers outside.

Never from the logs: these are what the logs' readers are measured by.
"""

import json
import mailbox
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser, Parser
from pathlib import Path

from maillab.cluster import Lab
from maillab.hosts import HOSTS

from .mail import MARK, Way

RECEIVED = re.compile(r"by (\w+)\.example\.test \(Postfix[^)]*\) (?:with \S+ )?id (\w+)")
MARKED = re.compile(rf"^{MARK}: (\S+)", re.MULTILINE)
NOTICE_KINDS = {"failed": "bounce", "delayed": "delay-dsn"}


@dataclass(frozen=True)
class Found:
    """A mail that lies somewhere: for whom, and whether that is its end or a queue."""

    text: str
    host: str
    recipient: str
    outcome: str
    end: str
    reason: str = ""


@dataclass(frozen=True)
class Leaf:
    """One end of one mail; `names` are all the names its recipient had on the way."""

    mark: str
    names: tuple[str, ...]
    outcome: str
    end: str
    path: Way
    doors: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True)
class Notice:
    """A notification and its own way; `about` is the way of the mail that it tells of, so far."""

    mark: str
    kind: str
    to: str
    outcome: str
    end: str
    path: Way
    doors: tuple[str, ...]
    about: Way


def hops(text: str) -> Way:
    """The hosts of ours in a mail's Received headers, oldest first, each with its queue ID."""
    return [[match[1], match[2]] for match in _received(text)]


def doors(text: str) -> tuple[str, ...]:
    """By which daemon the mail came into each of its hops: smtpd, pickup, or none (local, bounce)."""
    return tuple(
        "smtpd" if match[0].find(" with ") > 0 else "pickup" if "userid" in match[0] else "none"
        for match in _received(text)
    )


def _received(text: str) -> list[re.Match[str]]:
    headers = HeaderParser().parsestr(text).get_all("Received", [])
    found = (RECEIVED.search(" ".join(str(each).split())) for each in reversed(headers))
    return [match for match in found if match]


def everything(lab: Lab) -> Iterator[Found]:
    """All mails that lie anywhere in the lab."""
    for host in HOSTS:
        if host.parts:
            yield from _in_homes(lab, host.name)
            yield from _in_queues(lab, host.name)
        yield from _kept(lab, host.name)


def _in_homes(lab: Lab, host: str) -> Iterator[Found]:
    for file in sorted((lab.machine(host).root / "home").glob("*/Maildir/new/*")):
        text = _read(file)
        yield Found(text, host, _owner(file, text), "sent", "mailbox")


def _owner(file: Path, text: str) -> str:
    """Whose mailbox it is; Delivered-To alone names the alias, where a local alias led here."""
    user = file.parts[-4]
    person, at, domain = (HeaderParser().parsestr(text)["Delivered-To"] or "").rpartition("@")
    return (person if person.partition("+")[0] == user else user) + at + domain


def _in_queues(lab: Lab, host: str) -> Iterator[Found]:
    machine = lab.machine(host)
    for line in machine.run("postqueue", "-j").splitlines():
        row = json.loads(line)
        text = machine.run("postcat", "-hbq", row["queue_id"])
        outcome = {"hold": "held", "deferred": "deferred"}.get(row["queue_name"], "queued")
        for each in row["recipients"]:
            yield Found(text, host, each["address"], outcome, "none", each.get("delay_reason", ""))


def _kept(lab: Lab, host: str) -> Iterator[Found]:
    for file in sorted((lab.machine(host).root / "var/spool/lab").glob("*")):
        kind, text = file.name.partition(".")[0], _read(file)
        if kind == "archive":
            with closing(mailbox.mbox(file, create=False)) as box:
                for each in box:
                    yield Found(each.as_string(), host, each["Delivered-To"] or "", "sent", "file")
        elif kind in ("outside", "discarded"):
            record = json.loads(text)
            outcome, end = ("sent", "outside") if kind == "outside" else ("discarded", "discard")
            for recipient in record["recipients"]:
                yield Found(
                    record["data"].replace("\r\n", "\n"),
                    host,
                    recipient,
                    outcome,
                    end,
                    record.get("reply", ""),
                )
        else:
            end = "command" if kind == "robot" else "pipe"
            yield Found(
                text, host, HeaderParser().parsestr(text)["Delivered-To"] or "", "sent", end
            )


def _read(file: Path) -> str:
    return file.read_bytes().decode("utf-8", "surrogateescape")


def read(found: Found) -> Iterator[Leaf | Notice]:
    """What a mail that lies somewhere proves: its own end; a notice proves also another's."""
    marks = MARKED.findall(found.text)
    if not marks:
        return
    headers = HeaderParser().parsestr(found.text)
    if headers.get_content_type() != "multipart/report":
        names = (
            found.recipient,
            headers.get("X-Original-To", ""),
            *headers.get_all("Delivered-To", []),
        )
        # A queue file does not repeat its own Received header, it has it: so this is the whole way.
        way = hops(found.text), doors(found.text)
        yield Leaf(marks[0], names, found.outcome, found.end, *way, found.reason)
        return
    yield from _report(found, headers, marks[-1])


def _report(found: Found, headers: Message, mark: str) -> Iterator[Leaf | Notice]:
    parts = found.text.split(f"\n--{headers.get_boundary()}")
    status, original = (each.partition("\n\n")[2] for each in parts[2:4])
    per_message, *per_recipient = (Parser().parsestr(each) for each in status.strip().split("\n\n"))
    actions = {each["Action"] for each in per_recipient}
    kind = NOTICE_KINDS.get(min(actions), "success-dsn")
    if headers["Subject"].startswith("Postmaster"):
        kind = "postmaster"
    way = hops(found.text), doors(found.text)
    yield Notice(mark, kind, found.recipient, found.outcome, found.end, *way, hops(original))
    for each in per_recipient:
        if HeaderParser().parsestr(original).get_content_type() == "multipart/report":
            yield from read(
                Found(original, found.host, _address(each["Final-Recipient"]), "bounced", "none")
            )
        else:
            yield from _told(per_message, each, original, mark)


def _told(per_message: Message, fields: Message, original: str, mark: str) -> Iterator[Leaf]:
    """The end that a notice tells of, if it is one."""
    names = tuple(
        _address(fields[each]) for each in ("Final-Recipient", "Original-Recipient") if fields[each]
    )
    path, reason = hops(original), " ".join(str(fields["Diagnostic-Code"] or "").split())
    assert path[-1][1] == per_message["X-Postfix-Queue-ID"], (mark, path)
    if fields["Action"] == "failed":
        # Postfix keeps the status of the last attempt: 4.x.x that failed is a lifetime that ended.
        outcome = "expired" if fields["Status"].startswith("4") else "bounced"
        yield Leaf(mark, names, outcome, "none", path, doors(original), reason)


def _address(field: str) -> str:
    return field.partition(";")[2].strip()
