"""Time stamps of log lines as aware times. Cheap, because every line has one."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import TypeAlias

from mailtrace_parsers.entry import Clock

Stamp: TypeAlias = tuple[datetime | None, float]  # the time, and its resolution in seconds

NO_STAMP: Stamp = (None, 1.0)
_MONTHS = {
    name: number
    for number, name in enumerate(
        "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), start=1
    )
}
_SECONDS_END = len("2026-11-21T04:14:42")
_KEPT = 8192
# A second's text has one meaning for one zone and one reference. The zone stands in the value as well:
# its id is the key (not every tzinfo can be hashed), and an id is only good while its object lives.
_seconds: dict[tuple[str, int, datetime], tuple[tzinfo, Stamp]] = {}


def bsd(text: str, clock: Clock) -> Stamp:
    """`Nov 21 04:14:42`, the day with a blank or a zero before it (RFC 3164 section 4.1.2)."""
    key = (text, id(clock.zone), clock.reference)
    known = _seconds.get(key)
    if known is not None:
        return known[1]
    stamp = (_bsd_time(text, clock), 1.0)
    if len(_seconds) >= _KEPT:
        _seconds.clear()
    _seconds[key] = (clock.zone, stamp)
    return stamp


def bsd_known(text: str, clock: Clock) -> Stamp | None:
    """The same of a text that was read before, any; None if it was not."""
    known = _seconds.get((text, id(clock.zone), clock.reference))
    return known and known[1]


def _bsd_time(text: str, clock: Clock) -> datetime | None:
    """The latest year that does not put the stamp more than a day after the reference.

    29 February goes back to a leap year: at most eight years, over 2100. In the hour that autumn repeats
    the stamp alone does not say which of the two it was; the first is taken.
    """
    latest = clock.reference + timedelta(days=1)
    year = latest.astimezone(clock.zone).year
    month, day = _MONTHS.get(text[:3], 0), int(text[4:6])
    # a leap second is told as the one before
    hour, minute, second = int(text[7:9]), int(text[10:12]), min(int(text[13:15]), 59)
    for candidate in range(year, year - 9, -1):
        try:
            at = datetime(candidate, month, day, hour, minute, second, tzinfo=clock.zone)
        except ValueError:
            continue
        if at <= latest:
            return at
    return None


def iso(text: str, clock: Clock) -> Stamp:
    """`2026-11-21T04:14:42.123456+08:00` (RFC 3339, journald's short-iso).

    `T` or a blank, any fraction, `Z`, `+08:00`, `+0800`, or no offset: then it is the clock's zone.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        if text[17:19] != "60":
            return NO_STAMP
        return iso(f"{text[:17]}59{text[19:]}", clock)  # a leap second, RFC 3339 section 5.7
    if not 1970 <= at.year <= 9998:  # nothing that follows may overflow
        return NO_STAMP
    if at.tzinfo is None:
        at = at.replace(tzinfo=clock.zone)
    if text[_SECONDS_END : _SECONDS_END + 1] not in (".", ","):
        return at, 1.0
    fraction = text[_SECONDS_END + 1 :]
    return at, 1e-6 if fraction[:6].isdecimal() else _resolution(fraction)


def iso_with_microseconds(text: str, clock: Clock) -> Stamp:
    """`2026-11-21T04:14:42.123456+08:00`: this very form, the digits any."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return iso(text, clock)
    return (at, 1e-6) if 1970 <= at.year <= 9998 else NO_STAMP


def _resolution(fraction: str) -> float:
    """By the digits of a fraction of a second, of which datetime keeps six."""
    return 10.0 ** (len(fraction.lstrip("0123456789")) - len(fraction))
