"""The times in a log file: how to read its stamps, the first and the last of them; and whether it is text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from datetime import time as time_of_day

from mailtrace_mcp.logs.rotation import date_in_name
from mailtrace_parsers.entry import Clock
from mailtrace_parsers.syslog import frame

STRAY = timedelta(
    hours=1
)  # how far lines of one log may be out of order where parts are left unread
SMALL = 32 << 20  # bytes; up to here a file is read whole, whatever the order of its lines
_STAMP_PART = 256  # bytes of a line that are enough for its stamp
_PROBED_LINES = 50
_MOST_CONTROL = 0.03  # of the first bytes; random ones have a tenth, Postfix writes none
_WRITTEN_AFTER = timedelta(
    days=32
)  # a file named for the first day of what it holds: at most a month
_CONTROL = bytes(range(9)) + bytes(range(14, 32))


class ShrunkError(Exception):
    """The file is shorter than it was when it was opened: truncated, by copytruncate for one."""


def clock_of(path: str, written: float, zone: tzinfo) -> Clock:
    """How to read the stamps of a file: against when it was last written, in seconds of UNIX time, as
    gzip or else the file system says. A day in its name wins where that time lies before it, or so long
    after it that the file must have been copied since."""
    at = datetime.fromtimestamp(written, UTC)
    day = date_in_name(path)
    if day is None:
        return Clock(zone, at)
    evening = datetime.combine(day, time_of_day.max, zone)
    genuine = timedelta(0) <= at - evening <= _WRITTEN_AFTER
    return Clock(zone, at if genuine else evening)


def is_binary(head: bytes) -> bool:
    """Whether a file that begins so is no text at all."""
    return len(head.translate(None, _CONTROL)) < len(head) * (1 - _MOST_CONTROL)


def first_stamp(data: bytes, clock: Clock) -> datetime | None:
    """The stamp of the first line of `data` that has one, among the first few."""
    return _stamp(data.split(b"\n", _PROBED_LINES)[:_PROBED_LINES], clock)


def last_stamp(data: bytes, clock: Clock) -> datetime | None:
    """The same of the last."""
    return _stamp(reversed(data.rsplit(b"\n", _PROBED_LINES)[-_PROBED_LINES:]), clock)


def stamp(line: bytes, clock: Clock) -> datetime | None:
    return frame(line[:_STAMP_PART], clock).at


def _stamp(lines: Iterator[bytes] | list[bytes], clock: Clock) -> datetime | None:
    return next((at for line in lines if line and (at := stamp(line, clock)) is not None), None)
