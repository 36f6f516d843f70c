"""When a mail must have arrived at the next host, and how far the clocks of two hosts differ.

The sender logs `status=sent` after the next host has accepted, and the next host logs `client=` after
its own checks: by the sender's clock the arrival lies in [t - d, t], where t is the stamp of the
attempt and d its transmission delay (TRACING.md §3).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailtrace_mcp.trace.transactions import Attempt, Transaction

# Clocks kept by NTP differ by less; a difference is told only when it is sure to be larger.
UNTOLD_SKEW = timedelta(seconds=2)


@dataclass(frozen=True)
class Span:
    """A closed interval of seconds, as timedeltas."""

    low: timedelta
    high: timedelta

    def meet(self, other: Span) -> Span | None:
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Span(low, high) if low <= high else None

    @property
    def surely_off(self) -> bool:
        """Whether 0 lies outside by more than the slack that good clocks need."""
        return self.low > UNTOLD_SKEW or self.high < -UNTOLD_SKEW

    def reversed(self) -> Span:
        return Span(-self.high, -self.low)


NO_SKEW = Span(-UNTOLD_SKEW, UNTOLD_SKEW)


def handover(attempt: Attempt, target: Transaction) -> tuple[datetime, datetime] | None:
    """The interval, by the sender's clock, in which the target's arrival must have been logged.

    Widened by the resolution of both stamps and by the rounding of delays (two digits: 5 %).
    None where the attempt has no stamp.
    """
    if attempt.at is None:
        return None
    delays = attempt.delivery.delays
    transmission = timedelta(seconds=delays.transmission if delays else attempt.delivery.delay or 0)
    resolutions = [attempt.entry.frame.resolution, *_resolution(target)]
    margin = timedelta(seconds=sum(one for one in resolutions if one >= 1) + 0.01)
    margin += transmission * 0.05
    return attempt.at - transmission - margin, attempt.at + margin


def skew_of(attempt: Attempt, target: Transaction) -> Span | None:
    """What one handover says of the target's clock less the sender's."""
    interval, arrived = handover(attempt, target), target.arrived
    if interval is None or arrived is None:
        return None
    return Span(arrived - interval[1], arrived - interval[0])


@dataclass
class Skews:
    """Pairs of hosts → how far the second's clock is ahead of the first's, from proven links."""

    pairs: dict[tuple[str, str], Span] = field(default_factory=dict)

    def add(self, attempt: Attempt, target: Transaction) -> None:
        pair, seen = (attempt.entry.host, target.host), skew_of(attempt, target)
        if pair[0] == pair[1] or seen is None:
            return
        known = self.pairs.get(pair)
        # A clock that was set in between: the later handover tells how it is now.
        self.pairs[pair] = (known.meet(seen) or seen) if known else seen

    def between(self, first: str, second: str) -> Span:
        if first == second:
            return Span(timedelta(0), timedelta(0))
        if known := self.pairs.get((first, second)):
            return known
        if known := self.pairs.get((second, first)):
            return known.reversed()
        return NO_SKEW

    @property
    def widest(self) -> timedelta:
        """The largest difference that any two clocks may have, as far as is known."""
        ends = [abs(end) for span in self.pairs.values() for end in (span.low, span.high)]
        return max([UNTOLD_SKEW, *ends])

    def told(self) -> Iterable[tuple[str, str, Span]]:
        """The differences that are sure, for the answer."""
        return ((a, b, span) for (a, b), span in sorted(self.pairs.items()) if span.surely_off)


def arrival_fits(attempt: Attempt, target: Transaction, skews: Skews) -> bool:
    """Whether the target arrived when this attempt handed its mail over."""
    interval, arrived = handover(attempt, target), target.arrived
    if interval is None or arrived is None:
        return False
    skew = skews.between(attempt.entry.host, target.host)
    return interval[0] + skew.low <= arrived <= interval[1] + skew.high


def _resolution(target: Transaction) -> list[float]:
    return [target.entries[0].frame.resolution] if target.entries else []
