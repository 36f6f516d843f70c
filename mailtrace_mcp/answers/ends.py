"""Endings of recipients and of notices as a trace tells them."""

from __future__ import annotations

from collections.abc import Iterator

from mailtrace_mcp.answers import trust
from mailtrace_mcp.answers.hops import place, relay_of, reply_ref, where
from mailtrace_mcp.answers.manner import Manner
from mailtrace_mcp.answers.screen import NOTHING, Screen
from mailtrace_mcp.answers.trace_types import NoticeKind, NoticeSent, RecipientEnd
from mailtrace_mcp.trace.endings import Ending
from mailtrace_mcp.trace.graph import Trail
from mailtrace_mcp.trace.links import Link
from mailtrace_mcp.trace.transactions import Transaction
from mailtrace_parsers.events import Action, ProxyVerdict

_NOTICE_KINDS: dict[str, NoticeKind] = {
    "bounce": "bounce",
    "success-dsn": "success-dsn",
    "delay-dsn": "delay-dsn",
    "postmaster": "postmaster",
}


def recipient_end(ending: Ending, trail: Trail, manner: Manner, screen: Screen) -> RecipientEnd:
    here = where(ending.key)
    recipient = screen.address(ending.recipient, f"recipient at {here}")
    original = screen.address(ending.original_recipient, f"original recipient of {here}")
    relay = relay_of(ending.attempt, ending.key, screen) if ending.attempt else NOTHING
    nobody = ending.recipient is None or ending.count > 1
    return RecipientEnd(
        original_recipient=original.value,
        original_recipient_ref=original.ref,
        recipient=recipient.value,
        recipient_ref=recipient.ref,
        count=ending.count if nobody else None,
        outcome=ending.outcome,
        end=ending.end,
        host=ending.key.host,
        queue_id=trust.queue_id(ending.key.queue_id),
        relay=relay.value,
        relay_ref=relay.ref,
        dsn=trust.enhanced_code(ending.dsn),
        at=manner.local(ending.at),
        attempts=ending.attempts,
        added_by=ending.added_by,
        next_retry=manner.local(ending.next_retry),
        reason=trust.clean(ending.reason) if ending.reason else None,
        reply_ref=answer_ref(ending, trail.graph.transactions[ending.key], screen),
        path=tuple(place(key) for key in ending.path),
    )


def answer_ref(ending: Ending, life: Transaction, screen: Screen) -> str | None:
    """What the other side answered to the last attempt, or what `life` answered when it refused."""
    if ending.attempt is not None:
        return reply_ref(ending.attempt, ending.key, screen)
    if ending.outcome != "rejected":
        return None
    for entry in (*life.entries, *life.context):
        match entry.event:
            case Action(recipient=refused) as said if said.action.endswith("reject"):
                if ending.recipient in (None, refused):
                    return screen.keep("text of a reject", f"at {where(life.key)}", said.text)
            case ProxyVerdict(accepted=False) as said:
                kind = "answer of the before-queue filter"
                return screen.keep(kind, f"at {where(life.key)}", said.reply.text)
            case _:
                pass
    return None


def notices(link: Link, endings: tuple[Ending, ...], screen: Screen) -> Iterator[NoticeSent]:
    """One entry for each recipient of a notice; one without a name where none is known, and one
    without a way where the notice is named and no line of it was found."""
    kind = _NOTICE_KINDS[link.kind]
    if link.target is None:
        yield NoticeSent(
            kind=kind, queue_id=trust.queue_id(link.named), host=link.source.host, to=None,
            outcome="unknown", reason="its queue ID is named, and no line of it was found", path=(),
        )  # fmt: skip
        return
    queue_id = trust.queue_id(link.target.queue_id)
    if not endings:
        yield NoticeSent(
            kind=kind, queue_id=queue_id, host=link.target.host, to=None, outcome="unknown",
            path=(place(link.target),),
        )  # fmt: skip
    for one in endings:
        to = screen.address(one.original_recipient or one.recipient, f"to of {where(link.target)}")
        yield NoticeSent(
            kind=kind,
            queue_id=queue_id,
            host=link.target.host,
            to=to.value,
            to_ref=to.ref,
            outcome=one.outcome,
            reason=trust.clean(one.reason) if one.reason else None,
            path=tuple(place(key) for key in one.path),
        )
