"""What became of a queue file as a whole, and how one delivery ended (TRACING.md §4).

A fate is for the recipients that no delivery line names; a landing is for one delivery that was taken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from mailtrace_mcp.trace.names import KnownHosts, hosts_behind, is_loopback
from mailtrace_mcp.trace.transactions import Attempt, Kind, Transaction, forwarded_as
from mailtrace_parsers.entry import Entry
from mailtrace_parsers.events import (
    Action,
    AllDeferred,
    ClientLost,
    Diagnostic,
    Expired,
    Postsuper,
    Removed,
    Session,
)

Outcome = Literal[
    "sent", "deferred", "bounced", "expired", "rejected", "held", "discarded", "deleted", "aborted",
    "queued", "unknown",
]  # fmt: skip
End = Literal["mailbox", "command", "file", "pipe", "outside", "discard", "none"]

WHOLE_MAIL_STAGES = (
    "DATA",
    "END-OF-MESSAGE",
    "header",
    "body",
    "BDAT",
    "content",
    "mime",
    "nested",
)


@dataclass(frozen=True)
class Fate:
    """How it stands with a queue file; `entry` is the line that says so."""

    outcome: Outcome
    reason: str
    entry: Entry | None = None

    @property
    def at(self) -> datetime | None:
        return self.entry.frame.at if self.entry else None


def fate(life: Transaction) -> Fate:
    """The fate of the recipients that no delivery line names."""
    return (
        _taken_out(life)
        or _refused_whole(life)
        or held(life)
        or _waiting(life)
        or _aborted(life)
        or _lost(life)
    )


def _taken_out(life: Transaction) -> Fate | None:
    if deleted := _last(life, Postsuper, lambda event: event.action == "removed"):
        return Fate("deleted", "an administrator deleted it from the queue (postsuper -d)", deleted)
    discards = _last(life, Action, lambda event: event.action in ("discard", "milter-discard"))
    if discards and _concerns_all(discards):
        return Fate("discarded", "a check or filter of this host threw it away", discards)
    if note := _last(life, Removed, lambda event: event.note == "discarded"):
        return Fate("discarded", "cleanup(8) took it and threw it away", note)
    return None


def _refused_whole(life: Transaction) -> Fate | None:
    """A reject after the recipients: smtpd or a milter at DATA, cleanup's header and body checks."""
    if life.active is not None:
        return None
    entry = _last(life, Action, lambda event: event.action in ("reject", "milter-reject"))
    if entry and _concerns_all(entry):
        return Fate("rejected", "refused after the message was seen", entry)
    return None


def _concerns_all(entry: Entry) -> bool:
    """NOQUEUE decisions hit the whole next mail, as do actions from DATA on, though one is named."""
    action = entry.event
    if not isinstance(action, Action):
        return False
    kept = action.action in ("discard", "hold", "milter-discard", "milter-hold")
    return kept or action.stage in WHOLE_MAIL_STAGES


def held(life: Transaction) -> Fate | None:
    """Whether it lies in the hold queue now: the last word of holds and releases."""
    last: Entry | None = None
    for entry in (*life.context, *life.entries):
        match entry.event:
            case Action(action="hold" | "milter-hold") | Postsuper(action="placed on hold"):
                last = entry
            case Postsuper(action="released from hold" | "requeued" | "removed") | Removed():
                last = None
            case _:
                pass
    return Fate("held", "it is in the hold queue: postsuper -H releases it", last) if last else None


def _waiting(life: Transaction) -> Fate | None:
    if expired := _last(life, Expired):
        return Fate("expired", "its time in the queue ran out before anybody took it", expired)
    if life.removed is not None:
        return None
    if failed := _last(life, AllDeferred):
        return Fate("deferred", "it waits: not even its bounce could be made", failed)
    if life.active is not None:
        return Fate("queued", "it is in the queue, and no attempt for this recipient is logged")
    return None


def _aborted(life: Transaction) -> Fate | None:
    """A queue ID without a mail: no `queue active`, and a sign that the client never finished."""
    if life.active is not None:
        return None
    reason = "the mail was never received whole: there is a queue ID and no mail"
    if canceled := _last(life, Removed, lambda event: event.note == "canceled"):
        return Fate("aborted", reason, canceled)
    if lost := _last(life, ClientLost):
        return Fate("aborted", reason, lost)
    if reset := _last(life, Session, lambda event: bool((event.commands or {}).get("rset"))):
        return Fate("aborted", reason, reset)
    if limit := _last(life, Diagnostic, lambda e: "queue file size limit exceeded" in e.text):
        return Fate("aborted", "the mail was larger than message_size_limit of this host", limit)
    return None


def _lost(life: Transaction) -> Fate:
    if life.removed is not None:
        return Fate("unknown", "it was removed from the queue, and no line tells why", life.removed)
    if life.begins:
        return Fate("unknown", "it came in, and no later line tells what became of it")
    return Fate("unknown", "only a part of its lines was found")


def after_deferral(life: Transaction, last: Attempt) -> Fate:
    """What became of a recipient whose last attempt was deferred."""
    if deleted := _last(life, Postsuper, lambda event: event.action == "removed"):
        return Fate("deleted", "an administrator deleted it from the queue (postsuper -d)", deleted)
    if expired := _last(life, Expired):
        return Fate("expired", "its time in the queue ran out before anybody took it", expired)
    if on_hold := held(life):
        return on_hold
    if life.removed is not None:
        return Fate(
            "unknown",
            "it was removed from the queue after a deferral, and no line tells why",
            life.removed,
        )
    return Fate(
        "deferred", "the last attempt failed for now; the mail is still in the queue", last.entry
    )


def bounce_failed_after(life: Transaction, attempt: Attempt) -> bool:
    """`status=deferred (bounce failed)` puts all recipients back that were not yet done."""
    failed = _last(life, AllDeferred)
    return failed is not None and failed.order > attempt.entry.order


@dataclass(frozen=True)
class Landing:
    """Where a delivery ended that nothing follows. `awaited` are the hosts of ours that took it and
    whose lines do not go on: the trail is lost there."""

    outcome: Outcome
    end: End
    awaited: frozenset[str] = frozenset()
    reason: str | None = None


def landing(attempt: Attempt, known: KnownHosts) -> Landing:
    """Read `status=sent` of a delivery that has no link to a next transaction."""
    delivery, host = attempt.delivery, attempt.entry.host
    if delivery.ambiguous and delivery.agent in ("smtp", "lmtp"):
        return Landing(
            "unknown", "none", reason="its delivery line can be read in more than one way"
        )
    if forwarded_as(attempt):
        return Landing("unknown", "none", frozenset({host}))
    if delivery.reply is not None and delivery.reply.discarded:
        return Landing("discarded", "discard", reason="a content filter took it and threw it away")
    match delivery.agent:
        case "local" | "virtual":
            return _local(delivery.text)
        case "pipe":
            return Landing("sent", "pipe")
        case "discard":
            return Landing(
                "discarded", "discard", reason="the transport of this recipient is discard(8)"
            )
        case "lmtp":
            return _lmtp(attempt)
        case "smtp":
            ours = hosts_behind(delivery.relay, host, known)
            return Landing("unknown", "none", ours) if ours else Landing("sent", "outside")
        case _ if "notification discarded" in delivery.text:
            return Landing("discarded", "discard", reason="a bounce of a bounce is thrown away")
        case _:
            return Landing("unknown", "none", reason=f"no rule tells what {host} did with it")


def _local(text: str) -> Landing:
    """local(8) and virtual(8): delivered to mailbox, maildir, file or command."""
    if text.startswith("delivered to file: /dev/null"):
        return Landing("discarded", "discard", reason="it was delivered to /dev/null")
    if text.startswith("delivered to file"):
        return Landing("sent", "file")
    if text.startswith("delivered to command"):
        return Landing("sent", "command")
    return Landing("sent", "mailbox")


def _lmtp(attempt: Attempt) -> Landing:
    """LMTP hands over to a mailbox (RFC 2033), unless it is a filter on this host that names an ID."""
    delivery, reply = attempt.delivery, attempt.delivery.reply
    named = reply is not None and reply.queue_id is not None
    queueing = reply is not None and reply.vendor in ("amavis", "postfix")
    if named and (queueing or is_loopback(delivery.relay)):
        return Landing("unknown", "none", frozenset({attempt.entry.host}))
    return Landing("sent", "mailbox")


def _last(
    life: Transaction, kind: type[Kind], holds: Callable[[Kind], bool] = lambda _: True
) -> Entry | None:
    found = (entry for entry, event in life.every(kind) if holds(event))
    return max(found, key=lambda entry: entry.order, default=None)
