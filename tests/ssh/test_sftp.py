"""SFTP as text: bytes in, values out; and servers that lie (SH044)."""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable, Iterator
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from mailtrace_mcp.logs.ssh import sftp_wire as wire
from mailtrace_mcp.logs.ssh.sftp import CrowdError, Sftp
from mailtrace_mcp.logs.ssh.sftp_wire import ProtocolError

Reply = Callable[
    [int, bytes], Iterator[tuple[int, bytes]]
]  # kind, words → kind, body without number


class Server:
    """The other end of the pipe: answers each request by a function."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self._out = b""
        self.asked: list[int] = []

    def sendall(self, s: bytes, /) -> None:
        kind, body = s[4], s[5:]
        if kind == wire.INIT:
            self._out += _packet(wire.VERSION, struct.pack(">I", 3))
            return
        self.asked.append(kind)
        for answer, words in self._reply(kind, body[4:]):
            self._out += _packet(answer, body[:4] + words)

    def recv(self, nbytes: int, /) -> bytes:
        size = min(nbytes, 1000)  # packets come in pieces
        data, self._out = self._out[:size], self._out[size:]
        return data


def _packet(kind: int, body: bytes) -> bytes:
    return struct.pack(">IB", len(body) + 1, kind) + body


def status(code: int) -> tuple[int, bytes]:
    return wire.STATUS, struct.pack(">I", code) + wire.string(b"words") + wire.string(b"")


def file_of(data: bytes, most: int = 1 << 20) -> Reply:
    """A server with one file, that gives at most so many bytes at a time."""

    def reply(kind: int, words: bytes) -> Iterator[tuple[int, bytes]]:
        if kind in (wire.OPEN, wire.OPENDIR):
            yield wire.HANDLE, wire.string(b"h")
        elif kind == wire.READ:
            offset, length = struct.unpack(">QI", words[5:])
            piece = data[offset : offset + min(length, most)]
            yield (wire.DATA, wire.string(piece)) if piece else status(1)
        elif kind == wire.CLOSE:
            yield status(0)

    return reply


@settings(max_examples=30)
@given(
    size=some.integers(0, 100_000),
    most=some.sampled_from([1 << 20, 32 * 1024, 30_000, 5_000]),
    spans=some.lists(some.tuples(some.integers(0, 120_000), some.integers(0, 80_000)), max_size=4),
)
def test_reading_gives_what_is_there(size: int, most: int, spans: list[tuple[int, int]]) -> None:
    """Also where the server gives less than was asked for."""
    data = (b"0123456789" * (size // 10 + 1))[:size]
    session = Sftp(Server(file_of(data, most)))
    handle = session.open("/x")
    assert session.read(handle, spans) == [data[at : at + length] for at, length in spans]


def test_closing_is_not_waited_for() -> None:
    server = Server(file_of(b"abc"))
    session = Sftp(server)
    for _ in range(50):
        handle = session.open("/x")
        assert session.read(handle, [(0, 3)]) == [b"abc"]
        session.close(handle)
    assert len(session._waiting) == 0 and len(session._unwanted) <= 1


@pytest.mark.parametrize(
    ("code", "number"), [(2, errno.ENOENT), (3, errno.EACCES), (4, errno.EIO), (99, errno.EIO)]
)
def test_a_refusal_is_about_the_file(code: int, number: int) -> None:
    session = Sftp(Server(lambda kind, words: iter([status(code)])))
    with pytest.raises(OSError) as caught:
        session.open("/x")
    assert caught.value.errno == number
    (found,) = session.stats(["/x"])
    assert isinstance(found, OSError)


LIES: list[tuple[str, Reply]] = [
    ("more than asked for", lambda kind, words: iter([_handle_or(kind, b"x" * 99)])),
    ("another kind", lambda kind, words: iter([(wire.ATTRS, b"")])),
    (
        "a string that is cut",
        lambda kind, words: iter([(wire.HANDLE, struct.pack(">I", 50) + b"x")]),
    ),
    ("nothing", lambda kind, words: iter(())),
    ("an empty status", lambda kind, words: iter([(wire.STATUS, b"")])),
]


def _handle_or(kind: int, data: bytes) -> tuple[int, bytes]:
    if kind == wire.OPEN:
        return wire.HANDLE, wire.string(b"h")
    return wire.DATA, wire.string(data)


@pytest.mark.parametrize(("lie", "reply"), LIES, ids=[one[0] for one in LIES])
def test_a_server_that_lies(lie: str, reply: Reply) -> None:
    session = Sftp(Server(reply))
    with pytest.raises(ProtocolError):
        session.read(session.open("/x"), [(0, 10)])


class Bytes:
    """A server that says this, whatever it is asked."""

    def __init__(self, data: bytes) -> None:
        self._data = _packet(wire.VERSION, struct.pack(">I", 3)) + data

    def sendall(self, s: bytes, /) -> None:
        pass

    def recv(self, nbytes: int, /) -> bytes:
        data, self._data = self._data[:nbytes], self._data[nbytes:]
        return data


@pytest.mark.parametrize("length", [0, 1 << 21, 0xFFFFFFFF])
def test_packets_of_an_odd_length(length: int) -> None:
    session = Sftp(Bytes(struct.pack(">I", length) + b"x" * 100))
    with pytest.raises(ProtocolError):
        session.stats(["/x"])


@given(data=some.binary(max_size=400))
def test_any_bytes_end(data: bytes) -> None:
    for act in (
        lambda session: session.stats(["/x"]),
        lambda session: list(session.names("/", 100)),
        lambda session: session.heads(["/x", "/y"], 10),
    ):
        with pytest.raises((ProtocolError, OSError)):
            act(Sftp(Bytes(data)))


def test_answers_to_nobody_are_not_kept_without_end() -> None:
    flood = b"".join(
        _packet(wire.STATUS, struct.pack(">I", n) + b"xxxx") for n in range(9000, 30000)
    )
    with pytest.raises(ProtocolError):
        Sftp(Bytes(flood)).stats(["/x"])


def names_of(count: int, name: bytes = b"mail.log.%d") -> Reply:
    numbers = iter(range(count))

    def reply(kind: int, words: bytes) -> Iterator[tuple[int, bytes]]:
        if kind == wire.OPENDIR:
            yield wire.HANDLE, wire.string(b"h")
        elif kind == wire.READDIR:
            batch = list(islice(numbers, 100))
            body = b"".join(
                wire.string(name % n if b"%" in name else name) + wire.string(b"") + b"\0" * 4
                for n in batch
            )
            yield (wire.NAME, struct.pack(">I", len(batch)) + body) if batch else status(1)
        else:
            yield status(0)

    return reply


def test_names() -> None:
    assert len(list(Sftp(Server(names_of(250))).names("/", 1000))) == 250
    with pytest.raises(CrowdError):
        list(Sftp(Server(names_of(1_000_000))).names("/", 1000))


@pytest.mark.parametrize("name", [b"..", b".", b"", b"a/b", b"a\nb", b"a\0b", b"\xff"])
def test_names_that_are_none(name: bytes) -> None:
    assert list(Sftp(Server(names_of(2, name))).names("/", 1000)) == []


def test_no_names_again_and_again() -> None:
    def reply(kind: int, words: bytes) -> Iterator[tuple[int, bytes]]:
        yield (wire.HANDLE, wire.string(b"h")) if kind == wire.OPENDIR else (wire.NAME, b"\0" * 4)

    with pytest.raises(ProtocolError):
        list(Sftp(Server(reply)).names("/", 1000))


@pytest.mark.parametrize(
    ("flags", "body", "size"),
    [
        (1, struct.pack(">Q", 2**63 - 1), 2**63 - 1),
        (0, b"", 0),
        (0x8000000F, struct.pack(">QIIIIII", 7, 0, 0, 0o100644, 1, 2, 1) + wire.string(b"a") + wire.string(b"b"), 7),
    ],
)  # fmt: skip
def test_attributes(flags: int, body: bytes, size: int) -> None:
    found, end = wire.attributes(struct.pack(">I", flags) + body, 0)
    assert found.size == size
    assert end == 4 + len(body)
