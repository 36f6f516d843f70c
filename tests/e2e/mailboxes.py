"""Where mail really lies in the lab, for mails that no oracle entry knows: by their own headers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser

from recording.evidence import everything, hops

from tests.e2e.stage import POSTFIX_HOSTS, Stage
from tests.e2e.truth import Place


@dataclass(frozen=True)
class Lying:
    """One mail in a mailbox, a queue, or with a server outside; `returned` is the message-id of the
    mail that a notice brings back."""

    headers: Message
    recipient: str
    outcome: str
    end: str
    path: list[Place]
    returned: str | None = None


def lying(stage: Stage) -> Iterator[Lying]:
    """All mail that lies anywhere in the lab, just now."""
    for one in everything(stage.lab):
        headers = HeaderParser().parsestr(one.text)
        path = [(str(host), queue_id) for host, queue_id in hops(one.text)]
        yield Lying(headers, one.recipient, one.outcome, one.end, path, _returned(one.text))


def _returned(text: str) -> str | None:
    parts = text.split("\nContent-Type: message/rfc822", 1)
    return (
        HeaderParser().parsestr(parts[1].partition("\n\n")[2])["Message-ID"] if parts[1:] else None
    )


def queued(stage: Stage, *queues: str) -> set[Place]:
    """The mails in those queues of all hosts, as postqueue(1) lists them."""
    return {
        (host.name, row["queue_id"])
        for host in POSTFIX_HOSTS
        for row in map(json.loads, stage.lab.machine(host.name).run("postqueue", "-j").splitlines())
        if row["queue_name"] in queues
    }
