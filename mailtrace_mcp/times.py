"""What people type → aware times. The only room that knows dateutil.

Accepted, and nothing else: `now` · `N minutes|hours|days ago` · `today|yesterday HH:MM` ·
`YYYY-MM-DD HH:MM[:SS]` · ISO 8601 with an offset or `Z` · any other date and time of day with a
four-digit year, as far as dateutil reads it without guessing. A time without an offset is in the
zone given. Where clocks went forward over it, it did not exist and the time after the gap is taken;
where they went back, it happened twice and the window spans both. Each is told in a note.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from mailtrace_mcp.errors import Code, MailtraceError, visible
from mailtrace_mcp.trace.coverage import Window

NOW = "now"
ONE_HOUR = "1h"

_LONGEST = 64
_YEARS = range(1970, 9000)
_AGO = re.compile(r"([1-9][0-9]{0,4}) (minute|hour|day)s? ago")
_DAY = re.compile(r"(today|yesterday) ([01]?[0-9]|2[0-3]):([0-5][0-9])")
_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[t ]"
    r"((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?)"
    r" ?(z|[+-][0-9]{2}:?[0-5][0-9])?"
)
_RANGE = re.compile(r"([1-9][0-9]*)([smhd])")
_RANGE_DIGITS = 4
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_PLAIN = re.compile(r"[A-Za-z0-9 :,./+-]+")
_ZONE_COMMENT = re.compile(r"([+-][0-9]{4}) \([A-Za-z ]{1,40}\)$")
_SIGNED_ZONE = re.compile(r"(utc|gmt|z) ?[+-]")  # POSIX and ISO read its sign in opposite ways
_YEAR = re.compile(r"(?<![0-9])[0-9]{4}(?![0-9])")
_FILLINGS = (datetime(2000, 1, 1, 0, 0), datetime(2004, 2, 2, 1, 0))  # noqa: DTZ001  no moments
_ACCEPTED = (
    "write now, '30 minutes ago', '2 hours ago', 'yesterday 14:30', '2026-01-27 15:00:00' "
    "(in {zone}), or '2026-01-27T15:00:00+08:00'"
)


@dataclass(frozen=True)
class Asked:
    """The window that was meant, and what must be said about it: sentences of ours."""

    window: Window
    notes: tuple[str, ...] = ()


def window(
    time: str | None, time_range: str | None, zone: tzinfo, now: datetime, limit: timedelta
) -> Window:
    """As `asked`, without the notes."""
    return asked(time, time_range, zone, now, limit).window


def asked(
    time: str | None, time_range: str | None, zone: tzinfo, now: datetime, limit: timedelta
) -> Asked:
    """[time − range, time + range], cut at `now` (aware); None means `now` and `1h`.

    Raises MailtraceError TIME_INVALID (what was typed, what is accepted), or RANGE_TOO_WIDE for a
    range over `limit`. The window is in UTC. One that lies wholly in the future is empty (its end
    is its start), with a note.
    """
    span = _span(ONE_HOUR if time_range is None else time_range, limit)
    now = now.astimezone(
        UTC
    )  # spans of real time: in a local zone arithmetic goes by the wall clock
    first, last, notes = _moments(NOW if time is None else time, zone, now)
    start, end = first - span, last + span
    if start > now:
        future = f"{_shown(first, zone)} lies in the future: nothing can be logged there yet."
        return Asked(Window(start, start), (*notes, future))
    return Asked(Window(start, min(end, now)), notes)


def moment(text: str, zone: tzinfo, now: datetime) -> datetime:
    """One time (UTC); the first of the two where it happened twice. Raises TIME_INVALID."""
    return _moments(text, zone, now.astimezone(UTC))[0]


def _span(text: str, limit: timedelta) -> timedelta:
    match = _RANGE.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise MailtraceError(
            Code.TIME_INVALID,
            f"the time range '{visible(text)}' is not understood: write a whole number and a unit, "
            "such as 90s, 30m, 1h or 2d",
        )
    span = None
    if len(match[1]) <= _RANGE_DIGITS:
        span = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if span is None or span > limit:
        raise MailtraceError(
            Code.RANGE_TOO_WIDE,
            f"the time range '{visible(text)}' is over the limit of {_words(limit)} "
            "(limits.window of the configuration): ask for a shorter one, around a nearer time",
        )
    return span


def _words(span: timedelta) -> str:
    return f"{span.days}d" if span.seconds == 0 else f"{span.total_seconds() / 3600:g}h"


def _moments(text: str, zone: tzinfo, now: datetime) -> tuple[datetime, datetime, tuple[str, ...]]:
    """The earliest and the latest moment that `text` can mean, and the notes."""
    bare = " ".join(text.split(" ")).strip().lower() if len(text) <= _LONGEST else ""
    try:
        for read in (_now, _ago, _day, _iso, _other):
            found = read(bare, zone, now)
            if found is not None:
                return _resolved(found, zone)
    except _UnclearError as error:
        raise _invalid(text, zone, str(error)) from None
    raise _invalid(text, zone, "is not understood")


class _UnclearError(Exception):
    """The text is a time of sorts, but `str` is wrong with it."""


def _invalid(text: str, zone: tzinfo, why: str) -> MailtraceError:
    accepted = _ACCEPTED.format(zone=zone)
    return MailtraceError(Code.TIME_INVALID, f"the time '{visible(text)}' {why}: {accepted}")


def _resolved(at: datetime, zone: tzinfo) -> tuple[datetime, datetime, tuple[str, ...]]:
    """An aware time as it is; a naive one in `zone`, with daylight saving seen to."""
    if at.year not in _YEARS:
        raise _UnclearError("is too far away")
    if at.tzinfo is not None:
        fixed = at.astimezone(UTC)
        return fixed, fixed, ()
    from dateutil import tz  # not before a time is typed: it costs a third of a short run

    local = at.replace(tzinfo=zone)
    if not tz.datetime_exists(local):
        shifted = tz.resolve_imaginary(local)
        note = f"{at:%Y-%m-%d %H:%M} did not exist in {zone} (clocks went forward)"
        taken = shifted.astimezone(UTC)
        return taken, taken, (f"{note}: {shifted:%H:%M} was taken.",)
    if tz.datetime_ambiguous(local):
        note = f"{at:%Y-%m-%d %H:%M} happened twice in {zone} (clocks went back)"
        both = (f"{note}: the window spans both.",)
        return local.astimezone(UTC), local.replace(fold=1).astimezone(UTC), both
    only = local.astimezone(UTC)
    return only, only, ()


def _shown(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S} ({zone})"


def _now(text: str, zone: tzinfo, now: datetime) -> datetime | None:
    return now if text == NOW else None


def _ago(text: str, zone: tzinfo, now: datetime) -> datetime | None:
    """Minutes and hours are spans of real time; days keep the time of day."""
    match = _AGO.fullmatch(text)
    if match is None:
        return None
    from dateutil.relativedelta import relativedelta

    count, unit = int(match[1]), match[2]
    start = now.astimezone(zone).replace(tzinfo=None) if unit == "day" else now
    try:
        return start - relativedelta(**{f"{unit}s": count})  # type: ignore[arg-type]
    except (OverflowError, ValueError):
        raise _UnclearError("is too far away") from None


def _day(text: str, zone: tzinfo, now: datetime) -> datetime | None:
    match = _DAY.fullmatch(text)
    if match is None:
        return None
    day = now.astimezone(zone).replace(tzinfo=None) - timedelta(days=match[1] == "yesterday")
    return day.replace(hour=int(match[2]), minute=int(match[3]), second=0, microsecond=0)


def _iso(text: str, zone: tzinfo, now: datetime) -> datetime | None:
    match = _ISO.fullmatch(text)
    if match is None:
        return None
    try:
        return datetime.fromisoformat(f"{match[1]}T{match[2]}{(match[3] or '').upper()}")
    except ValueError:
        raise _UnclearError("is no such day, or has no such offset") from None


def _other(text: str, zone: tzinfo, now: datetime) -> datetime | None:
    """Other orders and spellings, through dateutil's parser. Read twice over, with what is missing
    filled in differently and with the day before the month: where that makes a difference, the text
    leaves something to guess."""
    bare = _ZONE_COMMENT.sub(r"\1", text)
    if not _PLAIN.fullmatch(bare) or not _YEAR.search(bare) or _SIGNED_ZONE.search(bare):
        return None
    from dateutil import parser

    read: Callable[..., datetime] = parser.parse
    orders = (False,) if _YEAR.match(bare) else (False, True)
    try:
        found = {
            read(bare.upper(), default=filling, dayfirst=order, fuzzy=False, tzinfos=_offset)
            for filling in _FILLINGS
            for order in orders
        }
    except (ValueError, OverflowError, TypeError, ArithmeticError, LookupError, AttributeError):
        return None
    if len(found) > 1:
        raise _UnclearError("lacks its day or its time of day, or can be read in two ways")
    return found.pop()


def _offset(name: str | None, seconds: int | None) -> tzinfo | None:
    """The zone of a time that names one: an offset, or UTC. CST and its like mean several."""
    if name is None and seconds is None:
        return None
    if name not in (None, "UTC", "GMT", "Z"):
        raise ValueError("zone names are ambiguous")
    return timezone(timedelta(seconds=seconds or 0))
