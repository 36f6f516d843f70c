"""The ways to read one file for some terms: by the index, around the window, by grep, whole.

Each gives the blocks in which the lines may stand, in order; what is found in them is for scan.py to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from mailtrace_mcp.logs import Term
from mailtrace_mcp.logs.bisect import GRAIN, SLACK, bounds
from mailtrace_mcp.logs.blocks import LONGEST_LINE, Block, blocks
from mailtrace_mcp.logs.index.known import KnownBlock, Look, moment
from mailtrace_mcp.logs.logfile import SMALL, ShrunkError
from mailtrace_mcp.logs.plan.named import (
    BlockMemory,
    as_read,
    ends_inside,
    fetched,
    unpacked,
)
from mailtrace_mcp.logs.plan.needles import needles
from mailtrace_mcp.logs.store import Found, Stopped, Store
from mailtrace_mcp.logs.stored import StoredFile
from mailtrace_mcp.trace.coverage import Window
from mailtrace_parsers.entry import Clock

BEHIND = 16 << 20  # bytes of log that a question adds to an index by itself
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Measures:
    """What is worth which way; the numbers are bytes. Tests make them small.

    A file up to `small` is searched whole, whatever the order of its lines. What is up to `at_once` is
    fetched rather than searched for on another machine. Blocks that the index names are fetched up to
    `fetched`, beyond that the log is searched between them. A log that is `behind` its index by no more
    is indexed first. Lines are out of order by at most `slack`. A listing is good for `fresh` seconds:
    the rounds of one question see the same.
    """

    small: int = SMALL
    at_once: int = 512 * 1024
    fetched: int = 16 << 20
    behind: int = BEHIND
    grain: int = GRAIN
    slack: timedelta = SLACK
    fresh: float = 2.0


@dataclass
class Way:
    """One file and what is looked for in it. `near`: its bytes cost nothing to fetch. `look`: what an
    index says of it.

    Once its blocks were read, `first` and `last` are the oldest and newest stamp known to lie inside
    the window, `passed` the bytes that were searched on the other machine and not fetched, and
    `blindly` whether anything was read that the index did not vouch for.
    """

    store: Store
    near: bool
    file: StoredFile
    terms: Sequence[Term]
    window: Window
    measures: Measures
    slack: timedelta
    stopped: Stopped
    memory: BlockMemory
    look: Look | None = None
    first: datetime | None = None
    last: datetime | None = None
    passed: int = 0
    blindly: bool = False

    def clock(self, zone: tzinfo) -> Clock:
        return self.file.clock(zone)

    def blocks(self, clock: Clock, start: datetime, end: datetime) -> Iterator[Block]:
        """See LogFile. Raises MovedError, too."""
        reach = Window(start, end)
        if self.look is not None:
            yield from self._by_index(self.look, clock, reach)
        elif self.file.plain:
            yield from self.part(self.file.head.hole, self.file.size, clock, reach)
        else:
            self.blindly = True
            for block in blocks(self.file.chunks(), self.file.head.hole):
                yield self.file.whole_lines(block)

    def _by_index(self, look: Look, clock: Clock, reach: Window) -> Iterator[Block]:
        """What the index names, and what it does not know of: before it begins, after it ends."""
        known, hole = look.file, self.file.head.hole
        if not self.file.plain:
            yield from self._unpacked(look, clock)
            return
        if known.begin > hole and self._reaches_before(look, clock, reach):
            yield from self.part(hole, known.begin, clock, reach)
        yield from self._named(look, clock)
        if known.cursor < self.file.size:
            yield from self.part(known.cursor, self.file.size, clock, reach)

    def _reaches_before(self, look: Look, clock: Clock, reach: Window) -> bool:
        if look.first is None or look.first.low is None or self._small(look.file.begin):
            return True
        begins = moment(look.first.low, look.first.floating, clock.zone)
        return reach.start - self.slack <= begins

    def _named(self, look: Look, clock: Clock) -> Iterator[Block]:
        straddling = list(self._straddling(look, clock))
        named = look.blocks
        if not self.near and sum(block.length for block in named) > self.measures.fetched:
            for _, data in fetched(self.file, straddling, self.memory):
                self.see(*ends_inside(data, clock, self.window))
            yield from self._sought(named[0].offset, named[-1].offset + named[-1].length)
            return
        wanted = {block.offset for block in named}
        all_ = {block.offset: block for block in (*named, *straddling)}
        edges = {block.offset for block in straddling}
        for block, data in fetched(self.file, [all_[at] for at in sorted(all_)], self.memory):
            if block.offset in edges:
                self.see(*ends_inside(data, clock, self.window))
            if block.offset in wanted:
                yield as_read(block, data)

    def _unpacked(self, look: Look, clock: Clock) -> Iterator[Block]:
        """What was seen of the window is told by blocks: to look into them costs unpacking."""
        list(self._straddling(look, clock))
        for block, data in unpacked(self.file, look.blocks):
            yield as_read(block, data)

    def _straddling(self, look: Look, clock: Clock) -> Iterator[KnownBlock]:
        """Those blocks in which the window begins or ends; of the others their times say enough."""
        for block in look.edges:
            if block.low is None or block.high is None:
                continue
            low = moment(block.low, block.floating, clock.zone)
            high = moment(block.high, block.floating, clock.zone)
            self.see(low, None)
            self.see(high, None)
            if (
                low <= self.window.end
                and high >= self.window.start
                and not (self.window.holds(low) and self.window.holds(high))
            ):
                yield block

    def _small(self, size: int) -> bool:
        return size <= self.measures.small

    def part(self, begin: int, end: int, clock: Clock, reach: Window) -> Iterator[Block]:
        """The same of the bytes [begin, end) of a plain file: where both are the ends of lines."""
        self.blindly = True
        small = self._small(end - begin)
        if end - begin <= self.measures.at_once or (small and self.near):
            yield from self.streamed(begin, end)
            return
        found = bounds(self.file.spans, begin, end, reach, clock, self.slack, self.measures.grain)
        self.see(found.first, found.last)
        if not small:
            begin, end = found.start, found.end
        yield from self._sought(begin, end)

    def _sought(self, begin: int, end: int) -> Iterator[Block]:
        """The bytes [begin, end) searched where they lie, or fetched where that is as good."""
        self.blindly = True
        sought = None if self.near else needles(self.terms)
        if sought is None or end - begin <= self.measures.at_once:
            yield from self.streamed(begin, end)
        elif sought.keys:
            lines = self.store.grep(
                self.file.path, begin, end, sought.keys, sought.fold, self.stopped
            )
            yield from self._found(lines, end - begin)

    def streamed(self, begin: int, end: int) -> Iterator[Block]:
        """All lines in the bytes [begin, end)."""
        if end - begin <= self.measures.at_once:
            chunks: Iterable[bytes] = self.file.spans([(begin, end - begin)])
            if sum(map(len, chunks)) < min(end, self.file.size) - begin:
                raise ShrunkError
        else:
            chunks = _until(self.file.chunks(begin), end - begin)
        for block in blocks(chunks, begin):
            last = block.offset + len(block.data) >= self.file.size
            yield self.file.whole_lines(block) if last else block

    def see(self, first: datetime | None, last: datetime | None) -> None:
        """Notes stamps inside the window."""
        for at in (first, last):
            if at is not None and self.window.holds(at):
                self.first = at if self.first is None else min(self.first, at)
                self.last = at if self.last is None else max(self.last, at)

    def _found(self, lines: Iterable[Found], searched: int) -> Iterator[Block]:
        """What grep found as blocks, neighbours in one. What was appended since the listing is left
        for the next reading."""
        given = 0
        for block in _joined(lines):
            whole = block
            if block.offset + len(block.data) > self.file.size:
                inside = block.data[: self.file.size - block.offset]
                whole = self.file.whole_lines(Block(block.offset, inside))
            given += len(whole.data)
            yield whole
        self.passed += max(0, searched - given)


def slack_of(measures: Measures, floating: bool, zone: tzinfo, window: Window) -> timedelta:
    """How far lines may be out of order: more where stamps name no zone and its clocks are changed,
    for the hour that autumn repeats stands in the log twice."""
    if not floating:
        return measures.slack
    before = (window.start - _DAY).astimezone(zone).utcoffset()
    after = (window.end + _DAY).astimezone(zone).utcoffset()
    return measures.slack + abs((after or timedelta()) - (before or timedelta()))


def _until(chunks: Iterator[bytes], length: int) -> Iterator[bytes]:
    """At most `length` bytes of them."""
    for chunk in chunks:
        yield chunk[:length]
        length -= len(chunk)
        if length <= 0:
            return


def _joined(lines: Iterable[Found]) -> Iterator[Block]:
    begin, data = 0, b""
    for offset, line in lines:
        cut = len(line) == LONGEST_LINE
        if data and (cut or offset != begin + len(data) or len(data) > LONGEST_LINE):
            yield Block(begin, data)
            data = b""
        if cut:
            yield Block(offset, line + b"\n", cut=True)
            continue
        if not data:
            begin = offset
        data += line + b"\n"
    if data:
        yield Block(begin, data)
