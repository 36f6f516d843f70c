"""A mail server that misbehaves by a script: for each command what it answers, or what it does instead."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto


class Act(Enum):
    """Instead of an answer."""

    HANG_UP = auto()  # FIN
    RESET = auto()  # RST
    SILENCE = auto()
    DEAF = auto()  # for the content: nothing is read any more
    FLOOD_LINES = auto()  # continuation lines without end
    FLOOD_BYTES = auto()  # bytes without a line end


HANG_UP, RESET, SILENCE = Act.HANG_UP, Act.RESET, Act.SILENCE
Answer = str | bytes | Act | float  # a number: wait so many seconds, then the next answer

Script = dict[str, Answer | Sequence[Answer]]

ORDINARY: dict[str, Sequence[Answer]] = {
    "BANNER": ["220 peer.example ESMTP"],
    "EHLO": ["250-peer.example\r\n250-8BITMIME\r\n250-DSN\r\n250 SIZE 1000000"],
    "HELO": ["250 peer.example"],
    "AUTH": ["235 2.7.0 Authentication successful"],
    "MAIL": ["250 2.1.0 Ok"],
    "RCPT": ["250 2.1.5 Ok"],
    "DATA": ["354 End data with <CR><LF>.<CR><LF>"],
    "DOT": ["250 2.0.0 Ok: queued as 4F2A1B3C5D"],
    "RSET": ["250 2.0.0 Ok"],
    "NOOP": ["250 2.0.0 Ok"],
    "QUIT": ["221 2.0.0 Bye"],
}


@dataclass
class Peer:
    """The server: its port, the commands it heard (over all connections), the contents it was given with
    their final dot."""

    port: int = 0
    heard: list[str] = field(default_factory=list)
    contents: list[bytes] = field(default_factory=list)
    connections: int = 0

    def count(self, verb: str) -> int:
        return sum(line.upper().startswith(verb) for line in self.heard)

    async def until_contents(self, number: int) -> None:
        """Wait until so many contents were given."""
        while len(self.contents) < number:  # noqa: ASYNC110  a list, as it grows
            await asyncio.sleep(0.01)


@dataclass
class _Talk:
    """One connection. Answers of a command are used up in turn over all connections; the last one stays."""

    peer: Peer
    script: dict[str, list[Answer]]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    tls: ssl.SSLContext | None

    async def run(self) -> None:
        await self.answer("BANNER")
        while line := await self.reader.readline():
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            self.peer.heard.append(text)
            verb = text.split(" ")[0].upper()
            await self.answer(verb if verb in self.script else "OTHER")
            if verb == "DATA" and self.last.startswith("354"):
                await self.content()
            if verb == "STARTTLS" and self.last.startswith("220"):
                if self.tls is None:
                    await self.act(Act.SILENCE)
                else:
                    await self.writer.start_tls(self.tls)
            if verb == "QUIT":
                return

    async def content(self) -> None:
        lines = []
        if (
            self.script["DOT"][0] is Act.RESET
        ):  # before the final dot: whatever comes, once it comes
            await self.reader.read(1000)
            await self.act(Act.RESET)
        if self.script["DOT"][0] is Act.DEAF:
            await self.act(Act.SILENCE)
        while (line := await self.reader.readline()) != b".\r\n":
            if not line:
                raise ConnectionResetError
            lines.append(line)
            if len(lines) == 1 and "MIDDLE" in self.script:
                await self.answer("MIDDLE")
        self.peer.contents.append(b"".join(lines))
        await self.answer("DOT")

    async def answer(self, verb: str) -> None:
        answers = self.script.get(verb) or ["500 5.5.1 what"]
        said = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(said, float | int):
            await asyncio.sleep(said)
            await self.answer(verb)
        elif isinstance(said, Act):
            await self.act(said)
        else:
            raw = said.encode() if isinstance(said, str) else said
            self.last = raw.decode("latin-1")
            self.writer.write(raw + b"\r\n")
            await self.writer.drain()

    async def act(self, act: Act) -> None:
        if act is Act.SILENCE:
            await asyncio.sleep(3600)
        if act is Act.RESET:
            sock: socket.socket = self.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        flood = b"220-" + b"x" * 900 + b"\r\n" if act is Act.FLOOD_LINES else b"x" * 65536
        while act in (Act.FLOOD_LINES, Act.FLOOD_BYTES):
            self.writer.write(flood)
            await self.writer.drain()
        raise ConnectionResetError


@asynccontextmanager
async def peer(
    also: Script | None = None,
    smtps: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    **answers: Answer | Sequence[Answer],
) -> AsyncIterator[Peer]:
    """A server that answers as an ordinary one but for `also` and `answers` (BANNER=…, DOT=HANG_UP);
    MIDDLE is what it says in the middle of the content."""
    script = {verb: list(said) for verb, said in ORDINARY.items()}
    for verb, said in ((also or {}) | answers).items():
        one = isinstance(said, str | bytes | Act | float | int)
        script[verb] = [said] if one else list(said)  # type: ignore[list-item, arg-type]
    known = Peer()
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        known.connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with suppress(ConnectionError, ssl.SSLError, asyncio.LimitOverrunError, ValueError):
                await _Talk(known, script, reader, writer, starttls).run()
        except asyncio.CancelledError:
            pass
        finally:
            tasks.discard(task)
            writer.transport.abort() if writer.transport.is_closing() else writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=smtps, limit=1 << 20)
    known.port = server.sockets[0].getsockname()[1]
    try:
        yield known
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.sleep(0)


@asynccontextmanager
async def black_hole() -> AsyncIterator[tuple[str, int]]:
    """An address that never answers a connection: its queue is full, and nobody takes from it."""
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    waiting = [socket.socket() for _ in range(4)]
    try:
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        yield full.getsockname()
    finally:
        for one in (*waiting, full):
            one.close()
