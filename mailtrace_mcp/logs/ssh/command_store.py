"""The files of a host that lets commands run: listed, read and searched there (mailtrace-read)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, cast

from mailtrace_mcp.logs.blocks import LONGEST_LINE, blocks
from mailtrace_mcp.logs.match import lines
from mailtrace_mcp.logs.rotation import Listed, Trouble
from mailtrace_mcp.logs.ssh import commands, listing
from mailtrace_mcp.logs.ssh.connection import Connection
from mailtrace_mcp.logs.ssh.marks import Mark
from mailtrace_mcp.logs.ssh.running import Piece, TooMuchError, run
from mailtrace_mcp.logs.ssh.stream import Stream, from_offset
from mailtrace_mcp.logs.store import Found, Stopped, StoreError
from mailtrace_mcp.logs.unpack import Packing, unpacked

_PIECE = 16 << 20  # bytes asked for at once: a request has a time limit, a file has none
_MOST_SPANS = 200  # of one request: a command line is short
_LONGEST_OFFSET = 20  # digits and the colon before a line that grep prints
_LONGEST_ENTRY = 2048  # bytes of a line of the listing


class CommandStore:
    """See Store. `most`: the bytes that one search, or one file read from end to end, may bring."""

    def __init__(self, connection: Connection, form: commands.Form, most: int) -> None:
        self._connection = connection
        self._form = form
        self._most = most

    def listed(
        self, patterns: Sequence[str], stopped: Stopped
    ) -> tuple[list[Listed], list[Trouble]]:
        found: list[tuple[Listed, int]] = []
        troubles: list[Trouble] = []
        most = listing.MOST_FILES * _LONGEST_ENTRY
        pieces = self._run(commands.listing(patterns), most, stopped, listing.too_many)
        for pattern in patterns:
            data, state = _part(pieces)
            entries = [one for line in data.splitlines() if (one := _entry(line, pattern))]
            if not entries:
                troubles.append(listing.nothing(pattern, state))
            elif len(entries) > listing.MOST_FILES:
                raise listing.too_many()
            found += entries
        _finish(pieces)
        return listing.chosen(found, troubles)

    def spans(self, path: str, spans: Sequence[tuple[int, int]], stopped: Stopped) -> list[bytes]:
        found: list[bytes] = []
        for first in range(0, len(spans), _MOST_SPANS):
            batch = spans[first : first + _MOST_SPANS]
            wanted = sum(length for _, length in batch)
            pieces = self._run(commands.reading(path, batch), wanted, stopped, listing.lie)
            found += [_part(pieces)[0] for _ in batch]
            _finish(pieces)
        if any(len(data) > length for data, (_, length) in zip(found, spans, strict=True)):
            raise listing.lie()
        return found

    def chunks(self, path: str, packing: Packing, start: int, stopped: Stopped) -> Iterator[bytes]:
        if packing == "plain":
            return self._raw(path, start, stopped)
        # What is packed travels packed, and is unpacked here within limits of ours.
        raw = cast(BinaryIO, Stream(self._raw(path, 0, stopped)))
        return from_offset(unpacked(raw, packing), start)

    def grep(
        self, path: str, start: int, end: int, keys: Sequence[bytes], fold: bool, stopped: Stopped
    ) -> Iterator[Found]:
        request = commands.grepping(path, start, max(0, end - start), keys, fold)
        return self._found(request, start, end, stopped)

    def sift(
        self, path: str, packing: Packing, keys: Sequence[bytes], fold: bool, stopped: Stopped
    ) -> Iterator[Found]:
        """The same of a packed file, unpacked there; offsets are those of its text."""
        request = commands.sifting(path, packing, keys, fold)
        return self._found(request, 0, None, stopped)

    def _found(
        self, request: commands.Request, start: int, end: int | None, stopped: Stopped
    ) -> Iterator[Found]:
        """What grep -b prints: `OFFSET:line`, offsets counted from where it began to read."""
        pieces = self._run(request, self._most, stopped, self._excess)
        data = (piece for piece in pieces if isinstance(piece, bytes))
        before = start - 1
        for block in blocks(data, longest=LONGEST_LINE + _LONGEST_OFFSET):
            for begin, stop in lines(block.data):
                number, colon, line = block.data[begin:stop].partition(b":")
                if not colon or not number.isdigit() or len(number) >= _LONGEST_OFFSET:
                    raise listing.lie()
                offset = start + int(number)
                if offset <= before or (end is not None and offset >= end):
                    raise listing.lie()
                before = offset
                yield Found(offset, line[:LONGEST_LINE])

    def _raw(self, path: str, start: int, stopped: Stopped) -> Iterator[bytes]:
        """The bytes from an offset on, asked for piece by piece until there are no more."""
        given = 0
        while not stopped():
            if given >= self._most:
                raise listing.too_much(self._most)
            wanted = min(_PIECE, self._most - given)
            here = 0
            for piece in self._run(
                commands.reading(path, [(start, wanted)]), wanted, stopped, listing.lie
            ):
                if isinstance(piece, bytes):
                    here += len(piece)
                    yield piece
            start, given = start + here, given + here
            if here < wanted:
                return

    def _excess(self) -> StoreError:
        return listing.too_much(self._most)

    def _run(
        self,
        request: commands.Request,
        most: int,
        stopped: Stopped,
        excess: Callable[[], StoreError],
    ) -> Iterator[Piece]:
        try:
            yield from run(self._connection, self._form, request, most=most, stopped=stopped)
        except TooMuchError:
            raise excess() from None


def _part(pieces: Iterator[Piece]) -> tuple[bytes, int]:
    """The bytes of the next part, and its state."""
    data: list[bytes] = []
    for piece in pieces:
        if isinstance(piece, Mark):
            return b"".join(data), piece.number
        data.append(piece)
    raise listing.lie()


def _finish(pieces: Iterator[Piece]) -> None:
    """The end, and nothing before it."""
    for _ in pieces:
        raise listing.lie()


def _entry(line: bytes, pattern: str) -> tuple[Listed, int] | None:
    """`MODE DEVICE INODE SIZE MTIME NAME` as stat prints it; None if there is anything odd in it."""
    fields = line.split(b" ", 5)
    try:
        mode, device, inode = int(fields[0], 16), int(fields[1]), int(fields[2])
        size, written, name = int(fields[3]), int(fields[4]), fields[5].decode("ascii")
    except (ValueError, IndexError):  # UnicodeDecodeError is a ValueError
        return None
    if not listing.sound(commands.remote(pattern), name, size, written):
        return None
    path = "~/" + name.removeprefix("./") if pattern.startswith("~/") else name
    return Listed(path, (device, inode), size, float(written)), mode
