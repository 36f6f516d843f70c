"""How a mail ended: one ending for each final recipient, with the way there (TRACING.md §4).

A recipient is followed under all its names: original to final address on one host, and that to the
next host's. The walk goes from where the mail came in over the links that carry deliveries; how a
notice ended is asked separately, by starting at the notice.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime

from mailtrace_mcp.trace.coverage import Coverage
from mailtrace_mcp.trace.endings import (
    Ending,
    next_retry,
    proxy_verdicts,
    refusals,
    refused_recipients,
)
from mailtrace_mcp.trace.fates import (
    End,
    Fate,
    Outcome,
    after_deferral,
    bounce_failed_after,
    fate,
    landing,
)
from mailtrace_mcp.trace.graph import Trail, follows
from mailtrace_mcp.trace.links import NOTICE_KINDS, Link
from mailtrace_mcp.trace.reasons import failure_reason, lost_reason
from mailtrace_mcp.trace.recipients import Matched, Names, Origin, Recipient, match
from mailtrace_mcp.trace.transactions import Attempt, Key, Transaction
from mailtrace_parsers.events import PostsuperSummary

DERIVING = ("forward", "expand", "resubmit", "requeue")


def endings(trail: Trail, coverage: Coverage) -> tuple[Ending, ...]:
    """One ending for each final recipient of the mail, notices left out."""
    notices = {link.target for link in trail.notices}
    walk = _Walk(trail, coverage)
    roots = [root for root in trail.roots if root not in notices] or list(trail.roots)
    return tuple(ending for root in roots for ending in walk.go(root, None, ()))


def notice_endings(trail: Trail, notice: Link, coverage: Coverage) -> tuple[Ending, ...]:
    """How a bounce or another DSN ended, on its own way; nothing where no line of it was found."""
    return tuple(_Walk(trail, coverage).go(notice.target, None, ())) if notice.target else ()


class _Walk:
    """One walk over a trail's deliveries, from a transaction to the endings of its recipients."""

    def __init__(self, trail: Trail, coverage: Coverage) -> None:
        self.trail = trail
        self.coverage = coverage
        self.known = trail.graph.links.known
        self._ways: dict[tuple[str, int], Link] = {}
        self._requeues: dict[Key, Link] = {}
        self._open: dict[tuple[str, int], Link] = {}
        for link in trail.links:
            self._note(link)

    def _note(self, link: Link) -> None:
        if link.kind in NOTICE_KINDS or link.kind == "refusal":
            return
        if link.kind == "requeue" or link.evidence == "proxy_accept":
            self._requeues[link.source] = link
        ways = self._ways if follows(link) else self._open if link.candidates else {}
        for order in link.deliveries:
            ways[link.source.host, order] = link

    def go(
        self, key: Key, names: Names | None, path: tuple[Key, ...], derived: bool = False
    ) -> list[Ending]:
        """The endings of everybody who came to this transaction; `names` is None where it came in."""
        life = self.trail.graph.transactions[key]
        if key in path:
            return []
        path = (*path, key)
        if key.queue_id is None:
            return self._without_queue_file(life, path)
        matched = match(life, names, derived)
        found: list[Ending] = []
        onward: dict[Key, dict[str, Origin]] = defaultdict(dict)
        deriving: set[Key] = set()
        for recipient, origin in matched.named:
            for attempt in recipient.deciding:
                link = self._way_on(life, attempt)
                if link is None or link.target is None:
                    found.append(self._ending(life, recipient, attempt, origin, path))
                    continue
                onward[link.target][recipient.address.casefold()] = origin
                if link.kind in DERIVING:
                    deriving.add(link.target)
        for target, going in onward.items():
            found.extend(self.go(target, going, path, target in deriving))
        found.extend(self._not_named(life, matched, names, path))
        if names is None:
            found.extend(refused_recipients(life, path))
        return found

    def _way_on(self, life: Transaction, last: Attempt) -> Link | None:
        """The link by which a delivery, or the requeue after it was put off, goes on."""
        if last.delivery.status == "sent":
            return self._ways.get((life.host, last.entry.order))
        if last.delivery.status in ("deferred", "SOFTBOUNCE"):
            return self._requeues.get(life.key)
        return None

    def _ending(
        self,
        life: Transaction,
        recipient: Recipient,
        last: Attempt,
        origin: Origin,
        path: tuple[Key, ...],
    ) -> Ending:
        outcome, end, reason, awaited, at = self._decided(life, last)
        if swept := self._swept(life, outcome):
            outcome, reason = "unknown", swept
        return Ending(
            origin.original,
            recipient.address,
            outcome,
            end,
            path,
            attempt=last,
            attempts=recipient.tries(last),
            at=at or last.at,
            dsn=last.delivery.dsn,
            reason=reason,
            added_by=origin.added_by,
            next_retry=next_retry(last) if outcome == "deferred" else None,
            awaited=awaited,
        )

    def _swept(self, life: Transaction, outcome: Outcome) -> str | None:
        """Why a mail that was still in the queue may be gone: its host was not read to the end, or an
        administrator deleted all mail (`postsuper -d ALL` names no queue IDs)."""
        if outcome not in ("deferred", "queued", "held"):
            return None
        read = [one for one in self.coverage.hosts if one.host == life.host]
        if outcome == "queued" and read and not read[0].read_to_end:
            return f"{life.host} was not read to the end of the window: it may have gone on there"
        for entry in self.trail.graph.collated.bulk:
            deleted = isinstance(entry.event, PostsuperSummary) and entry.event.action == "Deleted"
            at, last = entry.frame.at, life.ended
            if deleted and entry.host == life.host and at and last and at >= last:
                count = entry.event.count if isinstance(entry.event, PostsuperSummary) else 0
                return (
                    f"an administrator deleted {count} messages from the queue of {life.host} at "
                    f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, and no line tells whether this was one"
                )
        return None

    def _decided(
        self, life: Transaction, last: Attempt
    ) -> tuple[Outcome, End, str | None, frozenset[str], datetime | None]:
        """Outcome, end, reason, the hosts awaited, and when it was decided if not by this attempt."""
        nobody: frozenset[str] = frozenset()
        match last.delivery.status:
            case "sent":
                return (*self._landed(life, last), None)
            case "bounced" if not bounce_failed_after(life, last):
                return "bounced", "none", failure_reason(last), nobody, None
            case "bounced" | "deferred" | "SOFTBOUNCE":
                now = after_deferral(life, last)
                reason = failure_reason(last) if now.outcome == "deferred" else now.reason
                if now.outcome == "deferred" and last.delivery.status == "bounced":
                    reason = "refused, and its bounce could not be made: it is tried again"
                return now.outcome, "none", reason, nobody, now.at
            case _:
                return (
                    "unknown",
                    "none",
                    "its delivery line has no status that is known",
                    nobody,
                    None,
                )

    def _landed(
        self, life: Transaction, last: Attempt
    ) -> tuple[Outcome, End, str | None, frozenset[str]]:
        several = self._open.get((life.host, last.entry.order))
        if several is not None and several.evidence != "message_id+time":
            reason = f"{len(several.candidates)} mails fit what follows, and nothing tells which"
            return "unknown", "none", reason, frozenset(k.host for k in several.candidates)
        landed = landing(last, self.known)
        if landed.awaited and self._goes_on(life, last):
            reason = "it goes on, past the queue files that one trace follows"
            return landed.outcome, landed.end, reason, landed.awaited
        if landed.awaited:
            reply = last.delivery.reply
            named = (
                last.delivery.text.rpartition(" ")[2] if last.delivery.agent == "local" else None
            )
            queue_id = named or (reply.queue_id if reply else None)
            reason = lost_reason(landed.awaited, queue_id, self.coverage)
            return landed.outcome, landed.end, reason, landed.awaited
        return landed.outcome, landed.end, landed.reason, landed.awaited

    def _goes_on(self, life: Transaction, last: Attempt) -> bool:
        """Whether the way on is known and was only left out of a trail that was cut."""
        return self.trail.cut and any(
            follows(link) and last.entry.order in link.deliveries
            for link in self.trail.graph.outgoing.get(life.key, ())
        )

    def _not_named(
        self, life: Transaction, matched: Matched, names: Names | None, path: tuple[Key, ...]
    ) -> list[Ending]:
        """The endings of recipients whom no delivery line of this transaction names."""
        if not matched.missing and not matched.nameless:
            return []
        link = self._requeues.get(life.key)
        if link is not None and link.target is not None:
            return self.go(link.target, matched.missing if names else None, path, derived=True)
        now = fate(life)
        if swept := self._swept(life, now.outcome):
            now = Fate("unknown", swept, now.entry)
        end: End = "discard" if now.outcome == "discarded" else "none"
        at = now.at or life.ended
        found = [
            Ending(
                origin.original,
                name,
                now.outcome,
                end,
                path,
                at=at,
                reason=now.reason,
                added_by=origin.added_by,
            )
            for name, origin in matched.missing.items()
        ]
        if matched.nameless:
            name = (
                next((one.recipient for one in life.decisions if one.recipient), None)
                if life.active is None and not matched.named
                else None
            )
            count = matched.nameless
            found.append(
                Ending(name, name, now.outcome, end, path, count, at=at, reason=now.reason)
            )
        return found

    def _without_queue_file(self, life: Transaction, path: tuple[Key, ...]) -> list[Ending]:
        """A refusal before any queue ID, or a session before a proxy filter."""
        link = self._requeues.get(life.key)
        if link is not None and link.target is not None:
            return self.go(link.target, None, path)
        return proxy_verdicts(life, path) or refusals(life, path)
