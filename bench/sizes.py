"""Sizes as people write them: 100M, 1G."""

from __future__ import annotations

import re

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}
_SIZE = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)([KMG]?)B?", re.ASCII | re.IGNORECASE)


def size(text: str) -> int:
    """Bytes. Raises ValueError."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no size: write 100M or 1G")
    return int(float(found[1]) * _UNITS[found[2].upper()])


def shown(count: int) -> str:
    """As `size` reads it, with three digits at most."""
    for unit in "GMK":
        if count >= _UNITS[unit]:
            return f"{count / _UNITS[unit]:.3g} {unit}B"
    return f"{count} B"
