"""How it ended for one recipient, and the endings that need no walk: refusals and verdicts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailtrace_mcp.trace.fates import End, Outcome, fate
from mailtrace_mcp.trace.reasons import refusal_reason
from mailtrace_mcp.trace.transactions import Attempt, Key, Transaction
from mailtrace_parsers.events import Action, ProxyVerdict

# Postfix's defaults (minimal_backoff_time, maximal_backoff_time): it waits as long as the mail is old.
MIN_BACKOFF, MAX_BACKOFF = timedelta(seconds=300), timedelta(seconds=4000)


@dataclass(frozen=True)
class Ending:
    """How it ended for one recipient, or for `count` recipients whom no line names.

    `path` leads from where the mail came in to where the outcome was decided; `attempt` is the
    deciding delivery line, `attempts` their number there. `awaited` are the hosts of ours that took
    the mail and whose lines do not go on. `added_by` is the host that added a recipient to whom nobody
    sent (always_bcc and its like).
    """

    original_recipient: str | None
    recipient: str | None
    outcome: Outcome
    end: End
    path: tuple[Key, ...]
    count: int = 1
    attempt: Attempt | None = None
    attempts: int = 0
    at: datetime | None = None
    dsn: str | None = None
    reason: str | None = None
    added_by: str | None = None
    next_retry: datetime | None = None
    awaited: frozenset[str] = frozenset()

    @property
    def key(self) -> Key:
        return self.path[-1]


def one_outcome(found: Iterable[Ending]) -> str:
    """The recipients' one outcome, or `mixed`; those that a host added do not count."""
    found = tuple(found)
    outcomes = {one.outcome for one in found if one.added_by is None} or {o.outcome for o in found}
    return "mixed" if len(outcomes) > 1 else outcomes.pop() if outcomes else "unknown"


def proxy_verdicts(life: Transaction, path: tuple[Key, ...]) -> list[Ending]:
    """What a filter before the queue said of a mail, where nothing follows it."""
    found = []
    for entry, verdict in life.every(ProxyVerdict):
        reason = "refused by the filter before the queue"
        if verdict.accepted:
            reason = "the filter took it, and no line tells what followed"
        found.append(
            Ending(
                verdict.recipient,
                verdict.recipient,
                "unknown" if verdict.accepted else "rejected",
                "none",
                path,
                at=entry.frame.at,
                dsn=verdict.reply.enhanced,
                reason=reason,
            )
        )
    return found


def refusals(life: Transaction, path: tuple[Key, ...]) -> list[Ending]:
    """One ending for each recipient that was refused; one without a name for an earlier stage."""
    found: dict[str | None, Ending] = {}
    for entry, action in life.every(Action):
        if not action.action.endswith("reject"):
            continue
        name = action.recipient.casefold() if action.recipient else None
        found[name] = Ending(
            action.recipient,
            action.recipient,
            "rejected",
            "none",
            path,
            at=entry.frame.at,
            dsn=action.enhanced,
            reason=refusal_reason(action),
        )
    if len(found) > 1:
        found.pop(None, None)
    if found:
        return list(found.values())
    now = fate(life)
    return [Ending(None, None, now.outcome, "none", path, at=now.at, reason=now.reason)]


def refused_recipients(life: Transaction, path: tuple[Key, ...]) -> list[Ending]:
    """Recipients that were refused while others of the same mail were taken (a queue ID, stage RCPT)."""
    if not any(a.stage == "RCPT" and a.action.endswith("reject") for a in life.decisions):
        return []
    return [one for one in refusals(life, path) if one.outcome == "rejected" and one.recipient]


def next_retry(last: Attempt) -> datetime | None:
    """When qmgr(8) will likely try again: as far off as the mail is old, between the back-off limits."""
    if last.at is None:
        return None
    age = timedelta(seconds=last.delivery.delay or 0)
    return last.at + min(max(age, MIN_BACKOFF), MAX_BACKOFF)
