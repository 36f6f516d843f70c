"""One log file, opened: how it is packed, when it begins, its lines from there on.

A file is opened once and read through that descriptor: a rename does not matter then, and what is
appended after it was opened is not read (it would never end).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from datetime import time as time_of_day
from typing import BinaryIO

from mailtrace_mcp.logs.blocks import LONGEST_LINE, Block, blocks
from mailtrace_mcp.logs.rotation import Listed, date_in_name
from mailtrace_mcp.logs.unpack import CHUNK, CorruptError, Packing, gzip_time, packing, unpacked
from mailtrace_mcp.regular_file import open_regular
from mailtrace_parsers.entry import Clock
from mailtrace_parsers.syslog import frame

STRAY = timedelta(
    hours=1
)  # how far lines of one log may be out of order where parts are left unread
SMALL = 32 << 20  # bytes; up to here a file is read whole, whatever the order of its lines
_STAMP_PART = 256  # bytes of a line that are enough for its stamp
_PROBED_LINES = 50
_MOST_CONTROL = 0.03  # of the first bytes; random ones have a tenth, Postfix writes none
_WRITING = 2.0  # seconds; a last line without 0x0A in a file that changed since is not complete
_WRITTEN_AFTER = timedelta(
    days=32
)  # a file named for the first day of what it holds: at most a month
_FOLD = 64  # a file may unpack to this many times its size

_ELSEWHERE = timezone(timedelta(hours=1))
_CONTROL = bytes(range(9)) + bytes(range(14, 32))


class LogFile:
    """A file of a listing. Raises OSError where it cannot be opened.

    `head` is how its text begins, at most LONGEST_LINE bytes of it; `first_line` a mark of its content;
    `hole` the NUL bytes before, which a writer without O_APPEND leaves after copytruncate.
    """

    def __init__(self, one: Listed) -> None:
        self.path = one.path
        self._file: BinaryIO = open_regular(one.path)
        status = os.fstat(self._file.fileno())
        self.identity = (status.st_dev, status.st_ino)
        self.size = status.st_size
        self.written = status.st_mtime
        magic = os.pread(self._file.fileno(), 16, 0)
        self.packing: Packing = packing(magic)
        self._packed_at = gzip_time(magic) if self.packing == "gzip" else None
        self._growing = self.packing == "plain" and abs(time.time() - self.written) < _WRITING
        self.hole = self._hole() if magic.startswith(b"\0") else 0
        self.head = self._head()
        self.first_line = self.head.partition(b"\n")[0]

    def close(self) -> None:
        self._file.close()

    @property
    def binary(self) -> bool:
        """Whether this is no text at all."""
        return is_binary(self.head)

    def clock(self, zone: tzinfo) -> Clock:
        """How to read its stamps."""
        return clock_of(
            self.path, self.written if self._packed_at is None else self._packed_at, zone
        )

    def begins(self, clock: Clock) -> datetime | None:
        """The stamp of the first line that has one."""
        return first_stamp(self.head, clock)

    @property
    def floating(self) -> bool:
        """Whether its stamps name no zone, so that another one makes another time of them."""
        return self.begins(self.clock(UTC)) != self.begins(self.clock(_ELSEWHERE))

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, as many as were there when it was opened. Raises CorruptError, or ShrunkError."""
        return self._plain(self.hole) if self.packing == "plain" else self._unpacked()

    def blocks(self, clock: Clock, start: datetime, end: datetime) -> Iterator[Block]:
        """The blocks that may hold lines of [start, end]: all of them; of a file over SMALL only those
        within STRAY of it. Raises CorruptError or ShrunkError after the last good one."""
        if self.packing == "plain" and self.size > SMALL:
            offset = self._bisected(clock, start - STRAY)
            found = blocks(self._plain(offset), offset)
        else:
            found = blocks(self.chunks(), self.hole)
        for block in found:
            if block.offset > SMALL:
                at = first_stamp(block.data, clock)
                if at is not None and at > end + STRAY:
                    return
            yield self._whole_lines(block)

    def _whole_lines(self, block: Block) -> Block:
        """Without a last line that is still being written: it is there at the next reading."""
        if not self._growing or block.data.endswith(b"\n"):
            return block
        return Block(block.offset, block.data[: block.data.rfind(b"\n") + 1])

    def _plain(self, offset: int) -> Iterator[bytes]:
        while offset < self.size:
            chunk = os.pread(self._file.fileno(), min(CHUNK, self.size - offset), offset)
            if not chunk:
                raise ShrunkError
            offset += len(chunk)
            yield chunk

    def _unpacked(self) -> Iterator[bytes]:
        most = max(2 * SMALL, _FOLD * self.size)
        given = 0
        for chunk in unpacked(self._file, self.packing):
            given += len(chunk)
            if given > most:
                raise CorruptError(f"unpacks to more than {most >> 20} MB: the rest was not read")
            yield chunk

    def _head(self) -> bytes:
        """Nothing of a file that cannot be unpacked."""
        head = b""
        try:
            for chunk in self.chunks():
                head += chunk
                if len(head) >= LONGEST_LINE:
                    break
        except (CorruptError, ShrunkError):
            pass
        return head[:LONGEST_LINE]

    def _hole(self) -> int:
        """The offset of the first byte that is not NUL."""
        try:
            offset = os.lseek(self._file.fileno(), 0, os.SEEK_DATA)
        except OSError:
            return self.size
        while chunk := os.pread(self._file.fileno(), CHUNK, offset):
            text = chunk.lstrip(b"\0")
            if text:
                return offset + len(chunk) - len(text)
            offset += len(chunk)
        return self.size

    def _bisected(self, clock: Clock, wanted: datetime) -> int:
        """An offset, the start of a line, before which all lines are older than `wanted`, as far as
        the log is in order; where it begins if stamps cannot be read."""
        low, high = self.hole, self.size
        while high - low > CHUNK:
            middle = (low + high) // 2
            data = os.pread(self._file.fileno(), 2 * LONGEST_LINE, middle)
            line = data.find(b"\n") + 1
            at = first_stamp(data[line:], clock) if line else None
            if at is None:
                return self.hole
            if at < wanted:
                low = middle + line
            else:
                high = middle
        return low


class ShrunkError(Exception):
    """The file is shorter than it was when it was opened: truncated, by copytruncate for one."""


def clock_of(path: str, written: float, zone: tzinfo) -> Clock:
    """How to read the stamps of a file: against when it was last written, in seconds of UNIX time, as
    gzip or else the file system says. A day in its name wins where that time lies before it, or so long
    after it that the file must have been copied since."""
    at = datetime.fromtimestamp(written, UTC)
    day = date_in_name(path)
    if day is None:
        return Clock(zone, at)
    evening = datetime.combine(day, time_of_day.max, zone)
    genuine = timedelta(0) <= at - evening <= _WRITTEN_AFTER
    return Clock(zone, at if genuine else evening)


def is_binary(head: bytes) -> bool:
    """Whether a file that begins so is no text at all."""
    return len(head.translate(None, _CONTROL)) < len(head) * (1 - _MOST_CONTROL)


def first_stamp(data: bytes, clock: Clock) -> datetime | None:
    """The stamp of the first line of `data` that has one, among the first few."""
    return _stamp(data.split(b"\n", _PROBED_LINES)[:_PROBED_LINES], clock)


def last_stamp(data: bytes, clock: Clock) -> datetime | None:
    """The same of the last."""
    return _stamp(reversed(data.rsplit(b"\n", _PROBED_LINES)[-_PROBED_LINES:]), clock)


def stamp(line: bytes, clock: Clock) -> datetime | None:
    return frame(line[:_STAMP_PART], clock).at


def _stamp(lines: Iterator[bytes] | list[bytes], clock: Clock) -> datetime | None:
    return next((at for line in lines if line and (at := stamp(line, clock)) is not None), None)


def contained(one: LogFile, other: LogFile, stopped: Callable[[], bool]) -> LogFile | None:
    """Which of two files the other one holds from its start on, byte for byte: a copy, the packed
    form of a rotated log, what logrotate has copied so far. None if they differ; of equal ones, the
    packed one. Compares as much as the shorter has."""
    left, right = _bytes_of(one), _bytes_of(other)
    a = b = b""
    while not stopped():
        a, b = a or next(left, b""), b or next(right, b"")
        if not a or not b:
            if not a and not b:
                return one if one.packing != "plain" else other
            return one if not a else other
        common = min(len(a), len(b))
        if a[:common] != b[:common]:
            return None
        a, b = a[common:], b[common:]
    return None


def _bytes_of(file: LogFile) -> Iterator[bytes]:
    try:
        yield from file.chunks()
    except (CorruptError, ShrunkError):
        return
