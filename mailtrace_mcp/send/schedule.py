"""How many mails, and when each is due: a rate over a duration. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from mailtrace_mcp.errors import Code, MailtraceError, visible

HIGHEST_RATE = 100.0  # mails per second
LONGEST_DURATION = 86_400.0  # seconds
MOST_MAILS = 100_000
_RAMP = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,4})?)-([0-9]{1,4}(?:\.[0-9]{1,4})?)", re.ASCII)


@dataclass(frozen=True)
class Load:
    """From `first` mails per second at the beginning to `last` at the end of `duration` seconds."""

    first: float
    last: float
    duration: float

    @property
    def count(self) -> int:
        """How many mails; 1 a second for 1 second is exactly one, and there is always one."""
        return max(1, math.floor((self.first + self.last) / 2 * self.duration + 1e-9))

    def due(self) -> Iterator[float]:
        """For each mail the seconds after the beginning, in order; the first one at 0."""
        growth = (self.last - self.first) / self.duration
        for number in range(self.count):
            if growth == 0:
                yield number / self.first
            else:  # the time t at which first·t + growth·t²/2 mails are out
                yield (math.sqrt(self.first**2 + 2 * growth * number) - self.first) / growth

    @property
    def most_per_second(self) -> int:
        """How many mails the fastest second brings; 1 at least."""
        return max(1, math.floor(min(max(self.first, self.last), self.count)))

    def per_second(self) -> list[tuple[int, int]]:
        """(second, how many mails are due in it), for the quota."""
        return sorted(Counter(math.floor(moment) for moment in self.due()).items())


def load(rate: float | str, duration: float) -> Load:
    """A rate (a number of mails per second, or `1-10`) over a duration in seconds.

    Raises MailtraceError INVALID_ARGUMENT.
    """
    first, last = _rates(rate)
    for name, value, most in (
        ("rate", first, HIGHEST_RATE),
        ("rate", last, HIGHEST_RATE),
        ("duration", duration, LONGEST_DURATION),
    ):
        if not (math.isfinite(value) and 0 < value <= most):
            words = f"{name} {value:g} must be more than 0 and at most {most:g}."
            raise MailtraceError(Code.INVALID_ARGUMENT, words)
    asked = Load(first, last, duration)
    if asked.count > MOST_MAILS:
        words = f"{asked.count} mails are too many: at most {MOST_MAILS} in one run."
        raise MailtraceError(Code.INVALID_ARGUMENT, words)
    return asked


def _rates(rate: float | str) -> tuple[float, float]:
    if not isinstance(rate, str):
        return rate, rate
    if match := _RAMP.fullmatch(rate):
        return float(match[1]), float(match[2])
    try:
        return float(rate), float(rate)
    except ValueError:
        words = (
            f"rate '{visible(rate)}' must be a number of mails per second, or a ramp such as 1-10."
        )
        raise MailtraceError(Code.INVALID_ARGUMENT, words) from None
