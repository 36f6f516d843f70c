"""One pass over opened log files: the lines that are asked for, and what was seen on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Protocol

from mailtrace_mcp.logs import FoundLine, Term
from mailtrace_mcp.logs.blocks import LONGEST_LINE, Block
from mailtrace_mcp.logs.logfile import first_stamp, last_stamp, stamp
from mailtrace_mcp.logs.match import Matcher, lines
from mailtrace_mcp.trace.coverage import Window
from mailtrace_parsers.entry import Clock
from mailtrace_parsers.syslog import frame

MOST_LINES = 200_000  # lines given for one host; each costs memory in what follows
_HOST_PART = 512  # bytes of a line that are enough for its host name
_MOST_NAMES = 10_000
_FILE_SHIFT = 40  # bits of an order that hold the offset in a file


class LogFile(Protocol):
    """A log file that is read in one way or another."""

    def clock(self, zone: tzinfo) -> Clock:
        """How to read its stamps."""

    def blocks(self, clock: Clock, start: datetime, end: datetime) -> Iterator[Block]:
        """In order, the blocks that may hold lines of [start, end] that are asked for. Raises
        CorruptError, ShrunkError, OSError or StoreError after the last good one."""


@dataclass(frozen=True)
class Member:
    """A host whose lines lie in the files. `by_name`: its lines are those that bear its name. All
    members of one source are in one zone."""

    name: str
    zone: tzinfo
    zone_assumed: bool = False
    by_name: bool = False


@dataclass
class HostLines:
    """What was found for one host. `cut`: there would be more, a limit was reached."""

    member: Member
    lines: list[FoundLine] = field(default_factory=list)
    size: int = 0
    cut: bool = False


@dataclass
class Scan:
    """Reads files for `terms`; `limit` is the bytes of lines given for one host.

    `oldest` and `newest` are stamps inside `window`, matching or not; `strangers` the lines that match
    and whose host name is none of `owner_of`; `cut_lines` those over LONGEST_LINE. `reach` spans the
    window and those of all terms.
    """

    members: Sequence[Member]
    owner_of: Callable[[str], str | None]
    terms: Sequence[Term]
    window: Window
    limit: int
    stopped: Callable[[], bool]
    hosts: dict[str, HostLines] = field(init=False)
    reach: Window = field(init=False)
    bytes_read: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None
    strangers: int = 0
    cut_lines: int = 0

    def __post_init__(self) -> None:
        self.hosts = {member.name: HostLines(member) for member in self.members}
        self._matcher = Matcher(self.terms)
        self._owners: dict[str, str | None] = {}
        self.reach = self.window
        for term in self.terms:
            self.reach = self.reach.hull(term.window)
        alone = len(self.members) == 1 and not self.members[0].by_name
        self._only = self.hosts[self.members[0].name] if alone else None

    def file(self, file: LogFile, shown: str, place: int) -> None:
        """Reads one file; `place` grows from file to file of a host, `shown` is its name in answers.
        Raises what reading it raises, with what stands before the break taken."""
        clock = file.clock(self.members[0].zone)
        reader = _Reader(self, shown, clock, place << _FILE_SHIFT)
        for block in file.blocks(clock, self.reach.start, self.reach.end):
            if self.stopped() or all(host.cut for host in self.hosts.values()):
                return
            self.bytes_read += len(block.data)
            self.cut_lines += block.cut
            self._see(block.data, clock)
            for hit in self._matcher.hits(block.data):
                reader.take(block, hit.start, hit.end, hit.terms)

    def host_of(self, line: bytes, clock: Clock) -> HostLines | None:
        """Whose line it is: the only host's, or the one whose name or alias stands in it. None: it is
        no member's (another source reads it), or it is a stranger's, and counted as that."""
        if self._only is not None:
            return self._only
        name = frame(line[:_HOST_PART], clock).host
        if not name:
            return None
        if name not in self._owners:
            if len(self._owners) >= _MOST_NAMES:
                self._owners.clear()
            self._owners[name] = self.owner_of(name)
        owner = self._owners[name]
        if owner is None and self.reach.holds(stamp(line, clock)):
            self.strangers += 1
        return None if owner is None else self.hosts.get(owner)

    def _see(self, data: bytes, clock: Clock) -> None:
        """Widens the span seen; only where the window begins or ends in a block each line is read."""
        first, last = first_stamp(data, clock), last_stamp(data, clock)
        if first is not None and last is not None:
            if self.window.holds(first) and self.window.holds(last):
                self._widen(min(first, last))
                self._widen(max(first, last))
                return
            if max(first, last) < self.window.start or min(first, last) > self.window.end:
                return
        for start, end in lines(data):
            at = stamp(data[start:end], clock)
            if at is not None and self.window.holds(at):
                self._widen(at)

    def _widen(self, at: datetime) -> None:
        self.oldest = at if self.oldest is None else min(self.oldest, at)
        self.newest = at if self.newest is None else max(self.newest, at)


@dataclass
class _Reader:
    """Takes the hits of one file."""

    scan: Scan
    shown: str
    clock: Clock
    place: int

    def take(self, block: Block, start: int, end: int, terms: tuple[Term, ...]) -> None:
        line = block.data[start:end].lstrip(b"\0").removesuffix(b"\r")
        if not line:
            return
        self.scan.cut_lines += len(line) > LONGEST_LINE
        line = line[:LONGEST_LINE]
        host = self.scan.host_of(line, self.clock)
        if host is None:
            return
        at = stamp(line, self.clock)
        if not any(_asks(term, host.member.name) and term.window.holds(at) for term in terms):
            return
        host.size += len(line)
        if host.size > self.scan.limit or len(host.lines) >= MOST_LINES:
            host.cut = True
            return
        order = self.place + block.offset + start
        host.lines.append(FoundLine(host.member.name, order, line, self.clock, self.shown))


def _asks(term: Term, host: str) -> bool:
    return term.hosts is None or host in term.hosts
