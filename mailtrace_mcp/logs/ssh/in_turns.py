"""Threads that wait for other machines are few, and no machine has many of them."""

from __future__ import annotations

from collections.abc import Sequence

from anyio import CapacityLimiter

from mailtrace_mcp.logs import LogSource, Reading, Term
from mailtrace_mcp.trace.coverage import Window

_MOST = 32  # readings at once, in this process
_MOST_OF_ONE = 4  # of one machine: one that hangs holds up nobody else's


class InTurns:
    """A source that reads the machine called `place`, when it is its turn. Each turn is a thread."""

    def __init__(self, source: LogSource, place: str) -> None:
        self._source = source
        self._place = place

    @property
    def hosts(self) -> tuple[str, ...]:
        return self._source.hosts

    async def read(self, terms: Sequence[Term], window: Window) -> Reading:
        """See LogSource."""
        one = _LIMITS.setdefault(self._place, CapacityLimiter(_MOST_OF_ONE))
        async with one, _LIMITS.setdefault("", CapacityLimiter(_MOST)):
            return await self._source.read(terms, window)


_LIMITS: dict[str, CapacityLimiter] = {}
