"""Sorted pairs of a key's hash and a block's number, as bytes: a file of its own, or a value in SQLite.

    magic, count | pairs (crc32 of the key << 32 | block) | first pair of each page | crc32 of each page
    | crc32 of the two tables, and of magic and count

A search reads one page and checks it, so that a damaged segment is noticed and never answers wrongly.
Files are read and not mapped: a disk that fails under a map kills the process. Numbers are in the
machine's own byte order: an index is not carried to another one.
"""

from __future__ import annotations

import os
import struct
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable
from pathlib import Path
from zlib import crc32

MAGIC = b"mtseg001"
PAGE = 1024  # pairs
_HEAD = struct.Struct("=8sQ")
_TAIL = struct.Struct("=I")
_PAIR = 8  # bytes
_HASH = 32  # bits of a pair below which the block stands

_Read = Callable[[int, int], bytes]  # offset, length → so many bytes, fewer past the end


class BrokenSegmentError(Exception):
    """The bytes are no segment, or not those that were written."""


def pairs_of(keys: Iterable[bytes], block: int) -> list[int]:
    """The pairs of one block, not sorted."""
    return [hash_ << _HASH | block for hash_ in map(crc32, keys)]


def encoded(pairs: Iterable[int]) -> bytes:
    """The bytes of a segment of these pairs, which are sorted."""
    flat = array("Q", pairs)
    data = flat.tobytes()
    size = _PAIR * PAGE
    sums = array("I", [crc32(data[at : at + size]) for at in range(0, len(data), size)])
    head = _HEAD.pack(MAGIC, len(flat))
    tables = array("Q", flat[::PAGE]).tobytes() + sums.tobytes()
    return b"".join([head, data, tables, _TAIL.pack(crc32(tables, crc32(head)))])


class Segment:
    """A segment of `size` bytes to be searched. Raises OSError and BrokenSegmentError, also later."""

    def __init__(self, read: _Read, size: int) -> None:
        self._read = read
        head = read(0, _HEAD.size)
        if len(head) < _HEAD.size:
            raise BrokenSegmentError
        magic, self.count = _HEAD.unpack(head)
        pages = -(-self.count // PAGE)
        tables_at = _HEAD.size + _PAIR * self.count
        length = 12 * pages
        if magic != MAGIC or size != tables_at + length + _TAIL.size:
            raise BrokenSegmentError
        tables = read(tables_at, length + _TAIL.size)
        if len(tables) != length + _TAIL.size or tables[length:] != _TAIL.pack(
            crc32(tables[:length], crc32(head))
        ):
            raise BrokenSegmentError
        self._firsts = array("Q", tables[: _PAIR * pages])
        self._sums = array("I", tables[_PAIR * pages : length])

    def find(self, key: bytes) -> list[int]:
        """The blocks that hold a key, and now and then one that does not (the hash is all there is)."""
        low = crc32(key) << _HASH
        high = low + (1 << _HASH)
        found: list[int] = []
        for number in range(max(0, bisect_left(self._firsts, low) - 1), len(self._firsts)):
            if self._firsts[number] >= high:
                break
            page = self._page(number)
            start = bisect_left(page, low)
            found += page[start : bisect_left(page, high, start)].tolist()
        return [pair - low for pair in found]

    def pairs(self) -> list[int]:
        """All pairs, in order."""
        return [pair for number in range(len(self._firsts)) for pair in self._page(number)]

    def _page(self, number: int) -> memoryview[int]:
        pairs = min(PAGE, self.count - number * PAGE)
        data = self._read(_HEAD.size + _PAIR * PAGE * number, _PAIR * pairs)
        if len(data) != _PAIR * pairs or crc32(data) != self._sums[number]:
            raise BrokenSegmentError
        return memoryview(data).cast("Q")


def in_memory(data: bytes) -> Segment:
    """The segment whose bytes these are."""
    return Segment(lambda offset, length: data[offset : offset + length], len(data))


def in_file(path: Path) -> Segment:
    """The segment in a file, which is opened for each page: there may be more segments than a process
    may have open files."""

    def read(offset: int, length: int) -> bytes:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.pread(descriptor, length, offset)
        finally:
            os.close(descriptor)

    return Segment(read, path.stat().st_size)


def write(folder: Path, name: str, data: bytes) -> None:
    """A segment's file, there whole or not at all, whenever the machine stops. Raises OSError."""
    temporary = folder / f"{name}.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(folder / name)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
