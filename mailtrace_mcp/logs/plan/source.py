"""Which way to read a host, and the source that does it over any Store (SPEED.md, the planner).

It gives the same lines as reading everything would, with the same orders and sources, and tells its
coverage in the same words. Files are named by their paths, so they are listed again after what was read
by path alone: when a rotation came between, it all begins anew. On this machine they are kept open
instead.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta, tzinfo
from typing import NamedTuple

import anyio.to_thread

from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs import Reading, Term
from mailtrace_mcp.logs.index.host import HostIndex
from mailtrace_mcp.logs.local import LocalStore
from mailtrace_mcp.logs.plan.attempt import Attempt, Place
from mailtrace_mcp.logs.plan.memory import Memory
from mailtrace_mcp.logs.plan.ways import Measures
from mailtrace_mcp.logs.scan import Member, Scan
from mailtrace_mcp.logs.store import Stopped, Store, StoreError
from mailtrace_mcp.logs.telling import Seen, coverage
from mailtrace_mcp.trace.coverage import HostCoverage, State, Window

_TRIES = 4


class OwnZone(NamedTuple):
    """A machine that can be asked for its time zone: its host, and how (None: it does not tell; raises
    StoreError)."""

    host: str
    ask: Callable[[Stopped], tzinfo | None]


class PlannedSource:
    """The files of `patterns` on the machine of `store`, which hold the lines of `members`, all in one
    zone.

    `owner_of` tells whose a host name in a line is, where they are several; `limit` is the bytes of
    lines that are given for one host; paths below `folder` are shown from there on. `own_zone` is
    taken where none is configured. An index holds what is no older than `kept`, and what was added
    to the logs since, up to `measures.behind`, is added to it.
    """

    def __init__(
        self,
        store: Store,
        patterns: Sequence[str],
        members: Sequence[Member],
        owner_of: Callable[[str], str | None],
        limit: int,
        folder: str | None = None,
        index: HostIndex | None = None,
        measures: Measures | None = None,
        own_zone: OwnZone | None = None,
        kept: timedelta | None = None,
    ) -> None:
        self._members = tuple(members)
        self._own_zone = own_zone
        self._owner_of = owner_of
        self._limit = limit
        self._store = store
        self._index = index
        measures = measures or Measures()
        measures = replace(measures, behind=min(measures.behind, limit))
        self._place = Place(tuple(patterns), folder, measures, kept)
        self._memory = Memory(self._place.measures.fresh)

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(member.name for member in self._members)

    async def read(self, terms: Sequence[Term], window: Window) -> Reading:
        """See LogSource. Works in a thread; when cancelled, the thread ends at its next block."""
        own = [one for one in terms if any(_concerns(each, [one]) for each in self._members)]
        if not own:
            return Reading((), ())
        stop = threading.Event()
        try:
            return await anyio.to_thread.run_sync(
                self._read, own, window, stop.is_set, abandon_on_cancel=True
            )
        finally:
            stop.set()

    def _read(self, terms: Sequence[Term], window: Window, stopped: Stopped) -> Reading:
        seen: Seen | None = None
        notes: list[str] = []
        members, broken = self._in_own_zone(stopped)
        for last in [False] * (_TRIES - 1) + [True]:
            scan = Scan(members, self._owner_of, terms, window, self._limit, stopped)
            if broken is not None:
                break
            with _view(self._store) as (store, near):
                index = None if last else self._index
                memory = Memory(0) if near else self._memory
                attempt = Attempt(self._place, store, near, scan, memory, index)
                try:
                    seen = attempt.seen(last)
                except StoreError as error:
                    broken = error
            if attempt.indexed is not None and attempt.indexed.note:
                notes.append(attempt.indexed.note)
            if seen is not None or broken is not None:
                break
        hosts = [host for host in scan.hosts.values() if _concerns(host.member, terms)]
        told = [coverage(host, scan, seen or Seen()) for host in hosts]
        if broken is not None:
            told = [_broken(one, broken) for one in told]
        told = [_noted(one, notes) for one in told]
        return Reading([line for host in hosts for line in host.lines], told)

    def _in_own_zone(self, stopped: Stopped) -> tuple[Sequence[Member], StoreError | None]:
        """The members in the machine's own zone where none is configured, or why it cannot be asked.
        For other hosts, whose lines lie there too, it stays an assumption."""
        if self._own_zone is None or not self._members[0].zone_assumed:
            return self._members, None
        try:
            zone = self._own_zone.ask(stopped)
        except StoreError as error:
            return self._members, error
        if zone is None:
            return self._members, None
        named = self._own_zone.host
        told = [replace(one, zone=zone, zone_assumed=one.name != named) for one in self._members]
        return told, None


@contextmanager
def _view(store: Store) -> Iterator[tuple[Store, bool]]:
    """The store, and whether it is this machine's: then its files are kept open."""
    if isinstance(store, LocalStore):
        with store.pinned() as pinned:
            yield pinned, True
    else:
        yield store, False


def _broken(one: HostCoverage, error: StoreError) -> HostCoverage:
    """What is told of a host whose machine failed while it was read."""
    state: State = "partial" if one.bytes_read else "unreachable"
    if error.code == Code.HOST_TIMEOUT:
        state = "timeout"
    elif error.code == Code.FILE_DENIED:
        state = "denied"
    return replace(one, state=state, code=error.code, reason=str(error))


def _noted(one: HostCoverage, notes: Sequence[str]) -> HostCoverage:
    """What was wrong with the index costs no answer, and is told."""
    if not notes:
        return one
    words = f"Its index could not be used ({notes[-1]}): the log itself was searched."
    return replace(one, reason=f"{one.reason} {words}" if one.reason else words)


def _concerns(member: Member, terms: Iterable[Term]) -> bool:
    return any(term.hosts is None or member.name in term.hosts for term in terms)
