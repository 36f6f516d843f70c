"""Who is who: the recipients of one transaction, and under which names they came to it.

A recipient has a name on each host: original address, final address, the next host's. Here the names
that the host before gave are matched with the recipients that this host's delivery lines name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mailtrace_mcp.trace.transactions import Attempt, Transaction

PROBES = ("deliverable", "undeliverable", "undeliverable-but-not-cached")


@dataclass(frozen=True)
class Origin:
    """The name a recipient began with; None where it cannot be told, or where a host added it."""

    original: str | None
    added_by: str | None = None


Names = Mapping[str, Origin]  # a recipient's name on the way here, case-folded → where it began


@dataclass(frozen=True)
class Recipient:
    """One recipient of one transaction, with all attempts for it, oldest first."""

    address: str
    original: str | None
    attempts: tuple[Attempt, ...]

    @property
    def deciding(self) -> tuple[Attempt, ...]:
        """The attempts that decide: each that ended in sent or bounced, and the last one.

        Mostly it is one. An alias or a .forward with several destinations has one line for each, all
        under the same recipient (local/recipient.c).
        """
        settled = ("sent", "bounced")
        ended = [one for one in self.attempts if one.delivery.status in settled]
        if self.attempts[-1].delivery.status not in settled:
            ended.append(self.attempts[-1])
        return tuple(ended)

    def tries(self, deciding: Attempt) -> int:
        """How many attempts it took: those put off before it, and itself."""
        settled = self.deciding
        before = [one for one in self.attempts if one.entry.order < deciding.entry.order]
        return 1 + sum(one not in settled for one in before)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name.casefold() for name in (self.original, self.address) if name)


def is_probe(life: Transaction) -> bool:
    """Whether it is an address verification probe (verify(8), sendmail -bv): no mail, counted nowhere."""
    statuses = [attempt.delivery.status for attempt in life.attempts]
    return bool(statuses) and all(one in PROBES for one in statuses)


@dataclass(frozen=True)
class Matched:
    """Recipients with their origins, the origins of those whom no delivery line names (`missing`:
    name → origin), and how many more there are whose names are not known at all."""

    named: tuple[tuple[Recipient, Origin], ...]
    missing: Names
    nameless: int


def recipients(life: Transaction) -> tuple[Recipient, ...]:
    """By final and original address: the same mailbox under two aliases is two recipients to Postfix."""
    groups: dict[tuple[str, str | None], list[Attempt]] = {}
    for attempt in life.attempts:
        delivery = attempt.delivery
        if delivery.status in PROBES:
            continue
        original = delivery.original_recipient
        key = (delivery.recipient.casefold(), original.casefold() if original else None)
        groups.setdefault(key, []).append(attempt)
    return tuple(
        Recipient(all_[0].delivery.recipient, all_[0].delivery.original_recipient, tuple(all_))
        for all_ in groups.values()
    )


def match(life: Transaction, names: Names | None, derived: bool) -> Matched:
    """Match the recipients of a transaction with the names they came under.

    `names` is None where the mail came in: a recipient begins under its own original name. `derived`
    is true where this host made the recipients from the names (an alias, a list, a requeue), so that a
    new address is no addition.
    """
    found = recipients(life)
    counted = life.active.nrcpt if life.active else None
    if names is None:
        began = tuple((one, Origin(one.original or one.address)) for one in found)
        return Matched(began, {}, _uncounted(counted, len(found), bool(found)))
    hits = [next((name for name in one.names if name in names), None) for one in found]
    left = {name: origin for name, origin in names.items() if name not in hits}
    strangers = [one for one, hit in zip(found, hits, strict=True) if hit is None]
    added = not derived and counted is not None and counted - len(names) >= len(strangers)
    origin = _origin_of_strangers(life, names, {} if added else left, derived)
    named = tuple(
        (one, names[hit] if hit is not None else origin)
        for one, hit in zip(found, hits, strict=True)
    )
    if strangers and not added and (derived or len(strangers) >= len(left)):
        left = {}
    return Matched(named, left, max(0, (counted or 0) - len(found) - len(left)))


def _uncounted(counted: int | None, seen: int, any_seen: bool) -> int:
    """How many recipients no line names: by the count of the first `queue active`, else one if none was."""
    if counted is None:
        return 0 if any_seen else 1
    return max(0, counted - seen)


def _origin_of_strangers(life: Transaction, names: Names, left: Names, derived: bool) -> Origin:
    """The origin of recipients with a new name: renamed or derived ones, or added by this host."""
    if len(left) == 1:
        return next(iter(left.values()))
    if derived and len(names) == 1:
        return next(iter(names.values()))
    if derived or left:
        return Origin(None)
    return Origin(None, added_by=life.host)
