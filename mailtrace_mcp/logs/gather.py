"""The only loop over hosts: ask all at once, read what came, ask for what it leads to (DESIGN.md).

Round 1 asks for the terms of the question; a pure function names what follows; the next round brings
it; until nothing is new, or the rounds or the time are used up. One host's failure is a coverage
entry and costs nobody else's answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import anyio
import anyio.to_thread

from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs import FoundLine, LogSource, Reading, Term
from mailtrace_mcp.trace.coverage import Coverage, HostCoverage, Window
from mailtrace_mcp.trace.graph import Graph, Trail, build, trails
from mailtrace_mcp.trace.leads import Asked, Lead, Scope, leads
from mailtrace_mcp.trace.names import KnownHosts
from mailtrace_mcp.trace.transactions import Key
from mailtrace_parsers.entry import Entry
from mailtrace_parsers.events import Unrecognised
from mailtrace_parsers.read import read

MOST_ROUNDS = 50  # Postfix's own hopcount_limit
# How much of the time that is left one round may take: a host that hangs must not cost the others the
# rounds that follow. It is not asked again.
SHARE = 0.5

Progress = Callable[[int, int, str], Awaitable[None]]
Choose = Callable[[Graph], Sequence[Key]]


@dataclass(frozen=True)
class Search:
    """What to gather: the first terms, which transactions of the graph are meant, and how far to go.

    `seconds` is the deadline for all rounds together. `first_hosts` are the hosts the question is
    about: their coverage is told even where nothing followed.
    """

    terms: Sequence[Lead]
    choose: Choose
    scope: Scope
    known: KnownHosts
    seconds: float


@dataclass(frozen=True)
class Gathered:
    """All that was found: the graph, the trails the chosen transactions lie on, and the coverage.

    `cut` tells that rounds or time ran out while there was still something to ask for.
    """

    graph: Graph
    chosen: tuple[Key, ...]
    trails: tuple[Trail, ...]
    coverage: Coverage
    cut: bool = False


@dataclass
class _Known:
    """What the rounds have brought so far."""

    entries: dict[tuple[str, int], Entry] = field(default_factory=dict)
    coverage: dict[str, HostCoverage] = field(default_factory=dict)

    def take(self, lines: Iterable[FoundLine]) -> None:
        """Each line once: its order stays the same when its file is renamed between two rounds."""
        for line in lines:
            place = (line.host, line.order)
            if place not in self.entries:
                self.entries[place] = read(
                    line.raw, line.clock, host=line.host, order=line.order, source=line.source
                )

    def cover(self, found: Iterable[HostCoverage], first_round: bool) -> None:
        """The first round tells how the window was covered; later ones add only failures.

        A later round asks past the window, where a log may well not reach: what is missing there shows
        in the mail that lacks it, and does not make the window less covered.
        """
        for one in found:
            known = self.coverage.get(one.host)
            if known is None:
                self.coverage[one.host] = one
            else:
                later = replace(one, state="read", reason=None) if one.read_to_end else one
                self.coverage[one.host] = known if first_round else known.merged(later)

    def told(self, window: Window, cut: bool) -> Coverage:
        """The coverage, with lines counted once however many rounds brought them; `cut`: the rounds or
        the time ran out while there was still something to ask for."""
        lines: dict[str, list[Entry]] = {host: [] for host in self.coverage}
        for entry in self.entries.values():
            lines.setdefault(entry.host, []).append(entry)
        hosts = tuple(
            replace(
                one,
                lines=len(lines[one.host]),
                not_understood=sum(isinstance(e.event, Unrecognised) for e in lines[one.host]),
            )
            for one in self.coverage.values()
        )
        return Coverage(window, tuple(map(_cut_short, hosts)) if cut else hosts)


async def gather(
    sources: Sequence[LogSource], search: Search, progress: Progress | None = None
) -> Gathered:
    """Ask, follow and build. Never raises for what a host did; raises what `choose` raises."""
    known, asked = _Known(), Asked()
    graph, chosen, found = build((), search.known), tuple[Key, ...](), list[Trail]()
    todo: Sequence[Lead] = search.terms
    announce = _Announcer(sources, progress)
    deadline = anyio.current_time() + search.seconds
    for number in range(MOST_ROUNDS):
        if not todo or (number and anyio.current_time() >= deadline):
            break
        for lead in todo:
            asked.note(lead)
        now = anyio.current_time()
        readings = await _ask(sources, todo, now + (deadline - now) * SHARE, announce)
        late = {host.host for one in readings for host in one.coverage if host.state == "timeout"}
        sources = [source for source in sources if not late.intersection(source.hosts)]
        for reading in readings:
            known.cover(reading.coverage, first_round=number == 0)
        await anyio.to_thread.run_sync(
            partial(known.take, [line for reading in readings for line in reading.lines])
        )
        graph = await anyio.to_thread.run_sync(build, list(known.entries.values()), search.known)
        chosen = tuple(search.choose(graph))
        found = trails(graph, chosen)
        todo = leads(graph, found, asked, search.scope)
    coverage = known.told(search.scope.window, cut=bool(todo))
    return Gathered(graph, chosen, tuple(found), coverage, bool(todo))


async def _ask(
    sources: Sequence[LogSource], todo: Sequence[Lead], deadline: float, announce: _Announcer
) -> list[Reading]:
    """All sources at once; what has not come by the deadline is told as timed out."""
    terms = [Term(lead.kind, lead.text, lead.window, lead.hosts) for lead in todo]
    window = terms[0].window
    for term in terms:
        window = window.hull(term.window)
    readings: dict[int, Reading] = {}

    async def ask(number: int, source: LogSource) -> None:
        readings[number] = await source.read(terms, window)
        await announce.done(source)

    with anyio.move_on_at(deadline):
        async with anyio.create_task_group() as group:
            for number, source in enumerate(sources):
                if _concerns(source, terms):
                    group.start_soon(ask, number, source)
                else:
                    readings[number] = Reading((), ())
    return [readings.get(number) or _timed_out(source) for number, source in enumerate(sources)]


def _cut_short(host: HostCoverage) -> HostCoverage:
    if host.state not in ("read", "partial") or host.code is not None:
        return host
    reason = "The time of this call was used up before everything was asked for: ask for less."
    return replace(host, state="partial", code=Code.HOST_TIMEOUT, reason=reason)


def _concerns(source: LogSource, terms: Iterable[Term]) -> bool:
    here = set(source.hosts)
    return any(term.hosts is None or term.hosts & here for term in terms)


def _timed_out(source: LogSource) -> Reading:
    reason = "its answer did not come before the deadline"
    return Reading(
        (),
        [
            HostCoverage(host, "timeout", code=Code.HOST_TIMEOUT, reason=reason)
            for host in source.hosts
        ],
    )


class _Announcer:
    """Progress in words: "searched csmail1, 3 of 8", each host once, in the order they come in."""

    def __init__(self, sources: Sequence[LogSource], progress: Progress | None) -> None:
        self.total = sum(len(source.hosts) for source in sources)
        self.seen: set[str] = set()
        self.progress = progress

    async def done(self, source: LogSource) -> None:
        for host in source.hosts:
            if host in self.seen:
                continue
            self.seen.add(host)
            if self.progress is not None:
                count = len(self.seen)
                await self.progress(count, self.total, f"searched {host}, {count} of {self.total}")
