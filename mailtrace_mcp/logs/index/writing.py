"""Logs into an index: from where it ends to where the log does.

A block's pairs and its place come into the catalogue in one transaction with the cursor, so that a
process may be killed at any moment. Large segments are files, written before that transaction names
them; small ones, the tails of growing logs, are values in the catalogue: fsync takes longer than all else
that a tail costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC

from mailtrace_mcp.logs.blocks import Block, blocks
from mailtrace_mcp.logs.index import segments
from mailtrace_mcp.logs.index.catalogue import Catalogue
from mailtrace_mcp.logs.index.crew import Reader, alone
from mailtrace_mcp.logs.index.host import HostIndex
from mailtrace_mcp.logs.index.known import KnownBlock, KnownFile, KnownSegment
from mailtrace_mcp.logs.index.reading import Abstract, blocks_of
from mailtrace_mcp.logs.rotation import Listed
from mailtrace_mcp.logs.stored import StoredFile

Done = Callable[[int], None]  # so many more bytes were read
MakeSure = Callable[[], None]


class StoppedError(Exception):
    """Whoever asked for it has gone."""


class RotatedError(Exception):
    """Under the path of a listed file there is another one by now: what was read may be of either."""


def nothing() -> None:
    """For a file that is held open: no rename matters."""


def identity_of(one: Listed) -> str:
    """What the catalogue knows a file by, beside its beginning."""
    return ":".join(map(str, one.identity))


@dataclass
class Writer:
    """Writes into one index; whoever has one holds the index's lock."""

    index: HostIndex
    catalogue: Catalogue
    read: Reader = alone

    def add(
        self,
        file: StoredFile,
        known: KnownFile | None,
        begin: int,
        done: Done | None = None,
        make_sure: MakeSure = nothing,
    ) -> KnownFile:
        """Indexes a file from where it is known to, or else from `begin`, the start of a line, to the
        end of its last whole line. Every so often, and when it is told to stop, what was read is kept:
        `make_sure` is called before, and raises RotatedError. Raises what reading it raises, too, and
        StoppedError."""
        if known is not None and is_current(file, known):
            return known
        batch = _Batch(_start(file, known, begin), self._next_block())
        start, reference = batch.file.cursor, file.clock(UTC).reference
        pieces = blocks_of(blocks(file.chunks(start), start), self.index.shape.block)
        for found, end in self.read(_whole(pieces, final=not file.plain), reference):
            room = file.plain and found.length < self.index.shape.block
            batch.add(found, end, found.offset if room else end)
            if done is not None:
                done(found.length)
            if len(batch.pairs) >= self.index.shape.segment:
                make_sure()
                batch = _Batch(self._keep(batch, complete=False), batch.number)
        if file.stopped():
            if file.plain and batch.blocks:  # what was unpacked may end in the middle of a line
                make_sure()
                self._keep(batch, complete=False)
            raise StoppedError
        make_sure()
        if known is not None and batch.file.cursor == start and not batch.blocks:
            batch.file = batch.file._replace(cursor=known.cursor, tail=known.tail)
        return self._keep(batch, complete=True)

    def adopt(self, file: StoredFile, known: KnownFile) -> KnownFile:
        """Notes that a log, indexed to its end, is now this file: packed, or under another identity."""
        one = file.listed
        now = known._replace(
            identity=identity_of(one), size=one.size, written=one.written, head=file.head
        )
        with self.catalogue.change():
            self.catalogue.put_file(now._replace(complete=True))
        return now._replace(complete=True)

    def drop(self, known: KnownFile) -> None:
        """Forgets a log."""
        with self.catalogue.change():
            self.catalogue.drop_file(known.id)

    def put_segment(self, pairs: list[int], first: int, last: int) -> Callable[[], None]:
        """A segment of these pairs, sorted, of the blocks first to last: what is to be done inside the
        transaction that names it."""
        inline = len(pairs) <= self.index.shape.inline
        known = KnownSegment(self.index.new_name(), inline, len(pairs), first, last)
        data = segments.encoded(pairs)
        if not inline:
            segments.write(self.index.folder, known.name, data)
        return lambda: self.catalogue.put_segment(known, data if inline else None)

    def _next_block(self) -> int:
        with self.catalogue.look():
            return self.catalogue.next_block()

    def _keep(self, batch: _Batch, complete: bool) -> KnownFile:
        file = batch.file._replace(complete=complete)
        if batch.blocks:
            batch.pairs.sort()
            put = self.put_segment(batch.pairs, batch.blocks[0].id, batch.number - 1)
        with self.catalogue.change():
            number = self.catalogue.put_file(file)
            if batch.blocks:
                self.catalogue.drop_blocks_from(number, batch.blocks[0].offset)
                self.catalogue.put_blocks(number, batch.blocks)
                put()
        return file._replace(id=number)


@dataclass
class _Batch:
    """What the next transaction brings: blocks of one file, from `number` on, and their pairs."""

    file: KnownFile
    number: int
    blocks: list[KnownBlock] = field(default_factory=list)
    pairs: list[int] = field(default_factory=list)

    def add(self, found: Abstract, end: int, tail: int) -> None:
        """`end` is where the text that follows the block begins, `tail` where to begin next time."""
        self.blocks.append(KnownBlock(self.number, *found[:6]))
        self.pairs += [hash_ << 32 | self.number for hash_ in found.hashes]
        self.number += 1
        self.file = self.file._replace(cursor=end, tail=tail)


def is_current(file: StoredFile, known: KnownFile) -> bool:
    """Whether all that is in a file is indexed, but for a last line that is not ended."""
    listed = identity_of(file.listed), file.size, file.listed.written
    return known.complete and listed == (known.identity, known.size, known.written)


def _start(file: StoredFile, known: KnownFile | None, begin: int) -> KnownFile:
    """The file as the catalogue is to know it, with the cursor where reading is to begin."""
    one = file.listed
    now = KnownFile(
        0, identity_of(one), one.size, one.written, begin, begin, begin, False, file.head
    )
    if known is None:
        return now
    head = file.head if file.head.text else known.head
    start = known.tail if file.plain else known.cursor
    return now._replace(id=known.id, begin=known.begin, cursor=start, tail=start, head=head)


def _whole(pieces: Iterable[Block], final: bool) -> Iterator[tuple[Block, int]]:
    """Blocks of whole lines, each with where the next one begins. A last line that is not ended waits,
    unless the file is `final`."""
    last: Block | None = None
    for piece in pieces:
        if last is not None:
            yield last, piece.offset
        last = piece
    if last is None or (last.cut and not final):
        return
    if not final:
        last = Block(last.offset, last.data[: last.data.rfind(b"\n") + 1])
    if last.data:
        yield last, last.offset + len(last.data)
