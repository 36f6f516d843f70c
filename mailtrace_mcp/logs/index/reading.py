"""The lines of a log → blocks of one size, and what an index keeps of each."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple
from zlib import crc32

from mailtrace_mcp.logs.blocks import Block
from mailtrace_mcp.logs.index.known import microseconds
from mailtrace_mcp.logs.logfile import first_stamp, last_stamp, stamp
from mailtrace_parsers.entry import Clock
from mailtrace_parsers.keys import keys

_HEAD = 256  # bytes of a line that are enough for its stamp
_ENDS = 64  # bytes of each end by which a block is known again
_FAR_EAST = timezone(timedelta(hours=1))


class Abstract(NamedTuple):
    """What is kept of a block: where it lies, the times of its first and last line (known.py), the
    checksum of its ends, the hashes of its keys in order."""

    offset: int
    length: int
    low: int | None
    high: int | None
    floating: bool
    mark: int
    hashes: array[int]


def abstract(block: Block, reference: datetime) -> Abstract:
    """`reference` is that of the file's clock. Of a cut line only the bytes that are there count."""
    data = block.data[:-1] if block.cut else block.data
    first, last = _times(data, reference)
    low = high = None
    if first is not None and last is not None and first[1] == last[1]:
        low, high = sorted((first[0], last[0]))
    floating = first is not None and first[1]
    hashes = array("I", sorted(map(crc32, keys(data))))
    return Abstract(block.offset, len(data), low, high, floating, mark(data), hashes)


def mark(data: bytes) -> int:
    """A checksum of the ends of a block: log lines bear stamps, so another block's differ."""
    return crc32(data[-_ENDS:], crc32(data[:_ENDS]))


_Time = tuple[int, bool]


def _times(data: bytes, reference: datetime) -> tuple[_Time | None, _Time | None]:
    clocks = Clock(UTC, reference), Clock(_FAR_EAST, reference)
    end = len(data) - data.endswith(b"\n")
    head, tail = data[:_HEAD].partition(b"\n")[0], data[data.rfind(b"\n", 0, end) + 1 : end]
    first = [stamp(head, clock) or first_stamp(data, clock) for clock in clocks]
    last = [stamp(tail, clock) or last_stamp(data, clock) for clock in clocks]
    return _time(*first), _time(*last)


def _time(utc: datetime | None, east: datetime | None) -> _Time | None:
    """A time, and whether it is another one in another zone."""
    return None if utc is None else (microseconds(utc), utc != east)


def blocks_of(pieces: Iterable[Block], size: int) -> Iterator[Block]:
    """Whole lines in blocks of at most `size` bytes, or of one longer line; a cut line is a block.
    Only the last block may lack the 0x0A of its last line."""
    offset, rest = 0, b""
    for piece in pieces:
        if piece.cut:
            if rest:
                yield Block(offset, rest)
            yield piece
            rest = b""
            continue
        offset, data = (offset, rest + piece.data) if rest else (piece.offset, piece.data)
        begin = 0
        while len(data) - begin > size:
            end = data.rfind(b"\n", begin, begin + size) + 1 or data.find(b"\n", begin) + 1
            if not end:
                break
            yield Block(offset + begin, data[begin:end])
            begin = end
        offset, rest = offset + begin, data[begin:]
    if rest:
        yield Block(offset, rest)
