"""The blocks that an index names, read from the log and checked to be those that were indexed."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mailtrace_mcp.logs.blocks import LONGEST_LINE, Block
from mailtrace_mcp.logs.index.known import KnownBlock
from mailtrace_mcp.logs.index.reading import mark
from mailtrace_mcp.logs.logfile import stamp
from mailtrace_mcp.logs.stored import StoredFile
from mailtrace_mcp.trace.coverage import Window
from mailtrace_parsers.entry import Clock

_AT_ONCE = 8 << 20  # bytes of one round trip
_REMEMBERED = 16 << 20


class MovedError(Exception):
    """The bytes are not those that were indexed: the file is another one now, or was written into."""


@dataclass
class BlockMemory:
    """The blocks that were read last, so that the rounds of one question read each once."""

    blocks: OrderedDict[KnownBlock, bytes] = field(default_factory=OrderedDict)
    size: int = 0

    def keep(self, block: KnownBlock, data: bytes) -> None:
        self.blocks[block] = data
        self.size += len(data)
        while self.size > _REMEMBERED:
            self.size -= len(self.blocks.popitem(last=False)[1])


def fetched(
    file: StoredFile, blocks: Sequence[KnownBlock], memory: BlockMemory
) -> Iterator[tuple[KnownBlock, bytes]]:
    """The blocks of a plain file in the order they are given. Raises MovedError, OSError, StoreError."""
    for batch in _batches(blocks):
        missing = [block for block in batch if block not in memory.blocks]
        had = {block: memory.blocks[block] for block in batch if block in memory.blocks}
        if missing:
            spans = [(block.offset, block.length) for block in missing]
            for block, data in zip(missing, file.spans_beyond(spans), strict=True):
                had[block] = _checked(block, data)
                memory.keep(block, data)
        for block in batch:
            yield block, had[block]


def unpacked(file: StoredFile, blocks: Sequence[KnownBlock]) -> Iterator[tuple[KnownBlock, bytes]]:
    """The same of a packed file, which is unpacked as far as they reach."""
    if not blocks:
        return
    offset = blocks[0].offset
    chunks, data = file.chunks(offset), b""
    for block in blocks:
        while offset + len(data) < block.offset + block.length:
            chunk = next(chunks, b"")
            if not chunk:
                break
            drop = min(len(data), max(0, block.offset - offset))
            offset, data = offset + drop, data[drop:] + chunk
        begin = block.offset - offset
        yield block, _checked(block, data[max(0, begin) : begin + block.length])


def as_read(block: KnownBlock, data: bytes) -> Block:
    """A block as scan.py takes it: one that is a cut line is told as that."""
    if block.length == LONGEST_LINE and not data.endswith(b"\n"):
        return Block(block.offset, data + b"\n", cut=True)
    return Block(block.offset, data)


def ends_inside(
    data: bytes, clock: Clock, window: Window
) -> tuple[datetime | None, datetime | None]:
    """The stamps of the first and the last line inside the window, of a block that is in order."""

    def at(line: bytes) -> datetime:
        found = stamp(line, clock)
        if found is None:
            raise _NoStampError
        return found

    lines = [line for line in data.split(b"\n") if line]
    try:
        first = bisect_left(lines, window.start, key=at)
        last = bisect_right(lines, window.end, key=at) - 1
        return (at(lines[first]), at(lines[last])) if first <= last else (None, None)
    except _NoStampError:
        stamps = [stamp(line, clock) for line in lines]
        inside = [found for found in stamps if found is not None and window.holds(found)]
        return min(inside, default=None), max(inside, default=None)


def _batches(blocks: Sequence[KnownBlock]) -> Iterator[list[KnownBlock]]:
    batch: list[KnownBlock] = []
    size = 0
    for block in blocks:
        if batch and size + block.length > _AT_ONCE:
            yield batch
            batch, size = [], 0
        batch.append(block)
        size += block.length
    if batch:
        yield batch


def _checked(block: KnownBlock, data: bytes) -> bytes:
    if len(data) != block.length or mark(data) != block.mark:
        raise MovedError
    return data


class _NoStampError(Exception):
    """A line without a stamp: each is to be looked at."""
