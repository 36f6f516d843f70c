"""A window of time → the bytes of a log that hold it, in few reads.

All places that are still open are probed in one round trip: 24 probes a round leave 1/25 of each, so
that three rounds find both ends of a window in 1 GB. Clocks step back and lines come late: so a place is
taken from the first line that is not too old and to the last that is not too new, with some slack;
and a log whose probes are further out of order than that is told as such, and is to be read whole.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from mailtrace_mcp.logs.logfile import stamp
from mailtrace_mcp.logs.match import lines
from mailtrace_mcp.trace.coverage import Window
from mailtrace_parsers.entry import Clock

Read = Callable[[Sequence[tuple[int, int]]], list[bytes]]  # (offset, length) of each → their bytes

SLACK = timedelta(minutes=5)  # as far as lines of one machine's own log are out of order
PROBES = 24
GRAIN = 128 * 1024  # bytes; a place known to this is known well enough
_PROBE = 4096  # bytes; Postfix's longest line has about 2,000
_MOST_ROUNDS = 8


class Bounds(NamedTuple):
    """The bytes [start, end) hold every line of the window, as far as the log is in order; `first` and
    `last` are the stamps of the oldest and newest line inside it (None: no line is). Without
    `in_order` the bytes are all there are."""

    start: int
    end: int
    first: datetime | None
    last: datetime | None
    in_order: bool = True


class _Mark(NamedTuple):
    """A line that was read: where it begins, and its stamp."""

    offset: int
    at: datetime


@dataclass
class _Log:
    """What is known of the bytes [begin, end) of a log."""

    read: Read
    begin: int
    end: int
    clock: Clock
    marks: list[_Mark] = field(default_factory=list)

    def before(self, at: datetime) -> tuple[int, int]:
        """Where the first line of `at` or later begins: after the one offset, not after the other."""
        number = next((n for n, mark in enumerate(self.marks) if mark.at >= at), len(self.marks))
        return self._between(number)

    def after(self, at: datetime) -> tuple[int, int]:
        """The same for the last line of `at` or earlier."""
        newest_first = range(len(self.marks) - 1, -1, -1)
        number = next((n for n in newest_first if self.marks[n].at <= at), -1)
        return self._between(number + 1)

    def _between(self, number: int) -> tuple[int, int]:
        low = self.marks[number - 1].offset if number else self.begin
        high = self.marks[number].offset if number < len(self.marks) else self.end
        return low, high

    def probe(self, places: Iterable[tuple[int, int]]) -> bool:
        """One round in these places. False if nothing new was learnt."""
        spans = [span for low, high in places for span in self._spans(low, high)]
        known = len(self.marks)
        for (offset, _), data in zip(spans, self.read(spans), strict=True):
            mark = self._mark(offset, data)
            if mark is not None and mark not in self.marks:
                insort(self.marks, mark)
        return len(self.marks) > known

    def _spans(self, low: int, high: int) -> list[tuple[int, int]]:
        step = (high - low) / (PROBES + 1)
        return [(low + int(step * number), _PROBE) for number in range(1, PROBES + 1)]

    def _mark(self, offset: int, data: bytes) -> _Mark | None:
        """The first line in the data that is whole and has a stamp."""
        start = data.find(b"\n") + 1
        while start and (end := data.find(b"\n", start)) >= 0:
            at = stamp(data[start:end], self.clock)
            if at is not None:
                return _Mark(offset + start, at)
            start = end + 1
        return None

    def in_order(self, slack: timedelta) -> bool:
        newest = self.marks[0].at if self.marks else None
        for mark in self.marks:
            if newest is not None and mark.at < newest - slack:
                return False
            newest = mark.at if newest is None else max(newest, mark.at)
        return True


def bounds(
    read: Read,
    begin: int,
    end: int,
    window: Window,
    clock: Clock,
    slack: timedelta = SLACK,
    grain: int = GRAIN,
) -> Bounds:
    """Where in the bytes [begin, end) of a log, which begin with a line, the window lies. Raises what
    `read` raises."""
    log = _Log(read, begin, end, clock)
    for _ in range(_MOST_ROUNDS):
        places = {
            log.before(window.start - slack),
            log.before(window.start),
            log.after(window.end),
            log.after(window.end + slack),
        }
        wide = [(low, high) for low, high in sorted(places) if high - low > grain]
        if not wide or not log.probe(wide) or not log.in_order(slack):
            break
    edges = log.before(window.start), log.after(window.end)
    first, last = _stamps(log, window, *edges)
    if not log.in_order(slack):
        return Bounds(begin, end, first, last, in_order=False)
    start, stop = log.before(window.start - slack)[0], log.after(window.end + slack)[1]
    return Bounds(start, max(start, stop), first, last)


def _stamps(
    log: _Log, window: Window, start: tuple[int, int], end: tuple[int, int]
) -> tuple[datetime | None, datetime | None]:
    """The oldest and the newest stamp inside the window, which begins in the one place and ends in
    the other."""
    spans = [(low, min(high - low, 2 * GRAIN) + _PROBE) for low, high in (start, end)]
    inside = [mark.at for mark in log.marks if window.holds(mark.at)]
    for (low, length), data in zip(spans, log.read(spans), strict=True):
        if low + length < log.end:  # the last line is cut
            data = data[: data.rfind(b"\n") + 1]
        stamps = (stamp(data[begin:stop], log.clock) for begin, stop in lines(data))
        inside += [at for at in stamps if at is not None and window.holds(at)]
    return min(inside, default=None), max(inside, default=None)
