"""Small words of answers: numbers, durations, lists, moments. The program's own text only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 mail`, `3 mails`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def spent(seconds: float) -> str:
    """A duration as people say it: `0.12 s`, `2.1 s`, `45 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 0.01:
        return "under 0.01 s"
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, small_size, small in _UNITS:
        if whole >= size:
            rest = whole % size // small_size
            return f"{whole // size} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


_UNITS = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


def size(number: int) -> str:
    """Bytes: `512 bytes`, `1.2 MB`."""
    shown = float(number)
    for unit in ("KB", "MB", "GB"):
        shown /= 1024
        if shown < 1024 or unit == "GB":
            break
    return counted(number, "byte") if number < 1024 else f"{shown:.1f} {unit}"


def listed(names: Sequence[str], most: int = 5) -> str:
    """`a, b and c`, or `a, b, c and 4 more`."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def moment(at: datetime) -> str:
    """`2026-01-27 15:00:00`; the zone is told once in an answer."""
    return at.strftime("%Y-%m-%d %H:%M:%S")


def between(start: datetime, end: datetime) -> str:
    """Two moments, the date once where it is the same."""
    if start.date() == end.date():
        return f"{moment(start)} and {end:%H:%M:%S}"
    return f"{moment(start)} and {moment(end)}"
