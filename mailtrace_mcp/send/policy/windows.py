"""How many recipients a minute and a day hold, and when there is room again. Pure.

Moments are seconds since 1970.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from mailtrace_mcp.config.smtp import Policy
from mailtrace_mcp.errors import Code, MailtraceError
from mailtrace_mcp.send.counting import counted

MINUTE, DAY = 60.0, 86_400.0
_A_LITTLE = 0.001  # seconds: sums of moments are not exact

# (moment, recipients)
Spent = tuple[float, int]


class Standing(IntEnum):
    """How far some recipients of a run have come."""

    RESERVED = 0  # due at their moment
    ON_THEIR_WAY = 1  # let through; their moment lies ahead and is moved on until they are over
    HANDED_OVER = 2  # at their moment


class Row(NamedTuple):
    """Recipients that count at the moment `at`, written down at the moment `made`."""

    at: float
    recipients: int
    run: str
    standing: Standing
    made: float

    def counts_at(self, now: float) -> float:
        """The moment that counts. What was made later than now shows that the clock was set back:
        nobody knows how long ago it was, so it counts as if it were made now."""
        return self.at - max(0.0, self.made - now)


class RateLimitedError(MailtraceError):
    """The quota does not allow it now; in `retry_after` seconds it will, None: never as it was asked."""

    def __init__(self, message: str, retry_after: float | None) -> None:
        super().__init__(Code.RATE_LIMITED, message)
        self.retry_after = retry_after


def caps(policy: Policy) -> str:
    """The quota in words."""
    minute = counted(policy.per_minute, "recipient")
    return f"smtp.policy allows {minute} per minute and {policy.per_day} per day"


def refusal(
    rows: Sequence[Row], new: Sequence[Spent], policy: Policy, now: datetime
) -> RateLimitedError | None:
    """Why something new does not go into the quota now, and when it would; None where it does."""
    if fits(_counted(rows, now.timestamp()), new, policy):
        return None
    wanted = sum(recipients for _, recipients in new)
    if not fits((), new, policy):
        told = counted(wanted, "recipient")
        words = f"{told} in one run: too many, {caps(policy)}. Ask for fewer, or a lower rate."
        return RateLimitedError(words, None)
    seconds = _seconds_until(rows, new, policy, now.timestamp())
    at = now + timedelta(seconds=seconds + 1)
    words = (
        f"{caps(policy)}, and {wanted} more are too many now. "
        f"Try again at {at:%Y-%m-%d %H:%M:%S %Z}."
    )
    return RateLimitedError(words, round(seconds + 0.5, 1))


def _seconds_until(
    rows: Sequence[Row], new: Sequence[Spent], policy: Policy, start: float
) -> float:
    """It fits as soon as enough of what was sent is a minute or a day old."""
    ends = [row.at + span + _A_LITTLE for row in rows for span in (MINUTE, DAY)]
    moments = sorted(moment for moment in ends if moment > start)

    def late_enough(moment: float) -> bool:
        later = [(at - start + moment, count) for at, count in new]
        return fits(_counted(rows, moment), later, policy)

    first = bisect_left(moments, True, key=late_enough)
    return (moments[first] if first < len(moments) else start + DAY) - start


def room(known: Iterable[Spent], policy: Policy, now: float) -> int:
    """How many recipients may be handed over at this moment, after what was by now."""
    known = list(known)
    minute = sum(count for at, count in known if at > now - MINUTE)
    day = sum(count for at, count in known if at > now - DAY)
    return max(0, min(policy.per_minute - minute, policy.per_day - day))


def pause(known: Iterable[Spent], recipients: int, policy: Policy, now: float) -> float:
    """Seconds until there is room for so many, if nothing else goes out."""
    known, last = sorted(known), now
    for span, most in ((MINUTE, policy.per_minute), (DAY, policy.per_day)):
        within = deque(one for one in known if one[0] > now - span)
        total = sum(count for _, count in within)
        while within and total > most - recipients:
            at, count = within.popleft()
            total -= count
            last = max(last, at + span + _A_LITTLE)
    return last - now


def fits(known: Sequence[Spent], new: Sequence[Spent], policy: Policy) -> bool:
    """Whether no minute and no day that holds something new would hold too much."""
    events = sorted([(*one, False) for one in known] + [(*one, True) for one in new])
    return _holds(events, MINUTE, policy.per_minute) and _holds(events, DAY, policy.per_day)


def _holds(events: Sequence[tuple[float, int, bool]], span: float, most: int) -> bool:
    window: deque[tuple[float, int, bool]] = deque()
    total = new = 0
    for event in events:
        window.append(event)
        total += event[1]
        new += event[2]
        while window[0][0] <= event[0] - span:
            gone = window.popleft()
            total -= gone[1]
            new -= gone[2]
        if new and total > most:
            return False
    return True


def _counted(rows: Sequence[Row], now: float) -> list[Spent]:
    return [(row.counts_at(now), row.recipients) for row in rows]
