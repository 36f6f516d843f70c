"""A tree that grows, drawn from nothing but the progress that a tool call reports."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import anyio

from mailtrace_mcp.views.branches import UNICODE, Node, lines

_PLACE = r"[^ ]{1,253} [0-9A-Za-z]{1,40}"
_HOP = re.compile(rf"({_PLACE})(  [0-9:]{{8}})(?:  ([a-z-]+) after ({_PLACE}))?")
_END = re.compile(rf"(.{{1,400}}?): ([a-z]+) at ({_PLACE})( \(.*)?")
_QUIET = 0.2  # seconds without news after which the tree is drawn


@dataclass(eq=False)
class _Hop:
    """A queue file: its line, whether it has its place below another, those below it, and how it ended
    there for whom."""

    text: str
    placed: bool = False
    next: list[_Hop] = field(default_factory=list)
    ends: dict[str, str] = field(default_factory=dict)

    def node(self) -> Node:
        ends = [Node(f"{who}: {how}") for who, how in self.ends.items()]
        return Node(self.text, ends + [one.node() for one in self.next])


class Growing:
    """Keeps the tree; `watch` says it whenever it has grown, with the seconds since the beginning."""

    def __init__(self, say: Callable[..., None]) -> None:
        self._say, self._began = say, anyio.current_time()
        self._hops: dict[str, _Hop] = {}
        self._roots: list[_Hop] = []
        self._news, self._grew = anyio.Event(), 0.0

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        """MCP's progress callback. What is neither a hop nor an end (which host is searched) is left out."""
        if hop := _HOP.fullmatch(message or ""):
            self._arrived(*hop.groups())
        elif end := _END.fullmatch(message or ""):
            self._ended(*end.groups(default=""))
        else:
            return
        self._grew = anyio.current_time() - self._began
        self._news.set()

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            await self._news.wait()
            await anyio.sleep(_QUIET)
            self.draw()

    def draw(self) -> None:
        """Say the tree, if it has grown since."""
        if not self._news.is_set():
            return
        self._news = anyio.Event()
        drawn = [line for root in self._roots for line in lines(root.node(), UNICODE)]
        margins = [f"{self._grew:6.1f} s  ", *[" " * 10] * len(drawn)]
        self._say(*map("".join, zip(margins, drawn, strict=False)), "")

    def _arrived(self, place: str, when: str, kind: str | None, parent: str | None) -> None:
        text = place + when + (f"  [{kind}]" if kind not in (None, "relay") else "")
        if place not in self._hops:
            self._roots.append(self._hops.setdefault(place, _Hop(text)))
        hop, before = self._hops[place], self._hops.get(parent or "")
        if before is None or hop.placed:  # only once, so that no loop can arise
            return
        self._roots.remove(hop)
        before.next.append(hop)
        hop.text, hop.placed = text, True
        # It went on from there: who waited without a name does no more.
        before.ends = {who: how for who, how in before.ends.items() if "@" in who}

    def _ended(self, who: str, outcome: str, place: str, why: str) -> None:
        for hop in self._hops.values():
            hop.ends.pop(who, None)
        if place in self._hops:
            self._hops[place].ends[who] = outcome + why
