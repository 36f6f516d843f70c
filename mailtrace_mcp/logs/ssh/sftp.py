"""SFTP version 3 (draft-ietf-secsh-filexfer-02), as much of it as reading files takes.

Requests are sent ahead and answered in any order. paramiko's own client takes as many names and as much
data as the other side likes to send, and starts a thread for each reading; this one does neither.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol, TypeVar

from mailtrace_mcp.logs.ssh import sftp_wire as wire
from mailtrace_mcp.logs.ssh.sftp_wire import Answer, Attributes, ProtocolError

_LARGEST = 1 << 20  # bytes of a packet; OpenSSH sends 256 KB at most
_READ_SIZE = 32 * 1024  # bytes asked for in one request: what every server gives (section 3)
_AHEAD = 64  # requests of one reading that are sent before the first is answered
_MOST_WAITING = 10_000
_BUFFER = 1 << 20

Given = TypeVar("Given")


class Pipe(Protocol):
    """A channel on which the subsystem `sftp` runs; `recv` gives nothing at its end."""

    def recv(self, nbytes: int, /) -> bytes: ...
    def sendall(self, s: bytes, /) -> object: ...


class CrowdError(Exception):
    """The folder has more names than are taken."""


class _Part(NamedTuple):
    """A piece of the span `number` that one request asks for."""

    number: int
    offset: int
    length: int


class Sftp:
    """One session. An OSError is about a file; after a ProtocolError it is of no more use. For one
    thread."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._buffer, self._at = b"", 0
        self._number = 0
        self._waiting: dict[int, Answer] = {}
        self._unwanted: set[int] = set()
        self._send(wire.INIT, struct.pack(">I", 3))
        if self._packet()[0] != wire.VERSION:
            raise ProtocolError

    def stats(self, paths: Sequence[str]) -> list[Attributes | OSError]:
        """What each path leads to, or why not, in one round trip."""
        asked = [self._ask(wire.STAT, wire.string(path.encode())) for path in paths]
        return [_tried(self._attributes, number) for number in asked]

    def names(self, folder: str, most: int) -> Iterator[str]:
        """The names in a folder, those that are the name of a file. Raises OSError, or CrowdError for
        more than `most`."""
        handle = self._handle(self._ask(wire.OPENDIR, wire.string(folder.encode())))
        given = 0
        while not wire.is_end(answer := self._answer(self._ask(wire.READDIR, wire.string(handle)))):
            found = wire.names(wire.expect(answer, wire.NAME))
            given += len(found)
            if not found:
                raise ProtocolError
            if given > most:
                raise CrowdError
            for name in found:
                if name not in ("", ".", "..") and not set(name) & {"/", "\0", "\n"}:
                    yield name
        self.close(handle)

    def heads(self, paths: Sequence[str], length: int) -> list[bytes | OSError]:
        """The first bytes of each file, in two round trips where they are not too many."""
        found: list[bytes | OSError] = []
        for first in range(0, len(paths), _AHEAD):
            found += self._heads(paths[first : first + _AHEAD], length)
        return found

    def _heads(self, paths: Sequence[str], length: int) -> list[bytes | OSError]:
        opened = [self._ask(wire.OPEN, _opening(path)) for path in paths]
        handles = [_tried(self._handle, number) for number in opened]
        asked = [self._ask_read(one, 0, length) for one in handles if isinstance(one, bytes)]
        data = iter([_tried(self._data, number) for number in asked])
        for one in handles:
            if isinstance(one, bytes):
                self.close(one)
        return [next(data) if isinstance(one, bytes) else one for one in handles]

    def open(self, path: str) -> bytes:
        """A handle to read from. Raises OSError."""
        return self._handle(self._ask(wire.OPEN, _opening(path)))

    def close(self, handle: bytes) -> None:
        """Nobody waits for the answer."""
        self._unwanted.add(self._ask(wire.CLOSE, wire.string(handle)))

    def read(self, handle: bytes, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """The bytes of each (offset, length), shorter past the end: one round trip where they are
        small. Raises OSError."""
        found = [bytearray() for _ in spans]
        todo = [_Part(number, *span) for number, span in enumerate(spans)]
        while todo:
            ended: set[int] = set()  # spans of which a piece came short: what came after is in vain
            again: list[int] = []
            for part, data in self._pieces(handle, [piece for one in todo for piece in _cut(one)]):
                if part.number in ended:
                    continue
                found[part.number] += data
                if len(data) < part.length:
                    ended.add(part.number)
                    again += [part.number] if data else []  # no data: that is the end of the file
            todo = [_rest(number, spans[number], len(found[number])) for number in again]
        return [bytes(data) for data in found]

    def _pieces(self, handle: bytes, parts: Sequence[_Part]) -> Iterator[tuple[_Part, bytes]]:
        """The answers in the order of the requests, of which some are always under way."""
        asked: list[int] = []
        for place, part in enumerate(parts):
            ahead = parts[len(asked) : place + _AHEAD]
            asked += [self._ask_read(handle, one.offset, one.length) for one in ahead]
            data = self._data(asked[place])
            if len(data) > part.length:
                raise ProtocolError
            yield part, data

    def _ask_read(self, handle: bytes, offset: int, length: int) -> int:
        return self._ask(wire.READ, wire.string(handle) + struct.pack(">QI", offset, length))

    def _data(self, number: int) -> bytes:
        answer = self._answer(number)
        if wire.is_end(answer):
            return b""
        return wire.take_string(wire.expect(answer, wire.DATA), 0)[0]

    def _handle(self, number: int) -> bytes:
        return wire.take_string(wire.expect(self._answer(number), wire.HANDLE), 0)[0]

    def _attributes(self, number: int) -> Attributes:
        return wire.attributes(wire.expect(self._answer(number), wire.ATTRS), 0)[0]

    def _ask(self, kind: int, words: bytes) -> int:
        self._number = (self._number + 1) & 0xFFFFFFFF
        self._send(kind, struct.pack(">I", self._number) + words)
        return self._number

    def _answer(self, number: int) -> Answer:
        """The answer to a request; those to others, that come before it, are kept for later."""
        while number not in self._waiting:
            kind, body = self._packet()
            if len(body) < 4 or len(self._waiting) > _MOST_WAITING:
                raise ProtocolError
            (other,) = struct.unpack_from(">I", body)
            if other in self._unwanted:
                self._unwanted.remove(other)
            else:
                self._waiting[other] = (kind, body[4:])
        return self._waiting.pop(number)

    def _send(self, kind: int, body: bytes) -> None:
        try:
            self._pipe.sendall(struct.pack(">IB", len(body) + 1, kind) + body)
        except OSError:  # of the channel
            raise ProtocolError from None

    def _packet(self) -> Answer:
        (length,) = struct.unpack(">I", self._bytes(4))
        if not 1 <= length <= _LARGEST:
            raise ProtocolError
        data = self._bytes(length)
        return data[0], data[1:]

    def _bytes(self, wanted: int) -> bytes:
        while len(self._buffer) - self._at < wanted:
            data = self._received()
            self._buffer, self._at = self._buffer[self._at :] + data, 0
        self._at += wanted
        return self._buffer[self._at - wanted : self._at]

    def _received(self) -> bytes:
        try:
            data = self._pipe.recv(_BUFFER)
        except OSError:
            data = b""
        if not data:
            raise ProtocolError
        return data


def _opening(path: str) -> bytes:
    return wire.string(path.encode()) + struct.pack(">II", wire.FOR_READING, 0)


def _cut(whole: _Part) -> Iterator[_Part]:
    """A span in pieces that one request may ask for."""
    end = whole.offset + whole.length
    for begin in range(whole.offset, end, _READ_SIZE):
        yield _Part(whole.number, begin, min(_READ_SIZE, end - begin))


def _rest(number: int, span: tuple[int, int], had: int) -> _Part:
    return _Part(number, span[0] + had, span[1] - had)


def _tried(act: Callable[[int], Given], number: int) -> Given | OSError:
    try:
        return act(number)
    except OSError as error:
        return error
