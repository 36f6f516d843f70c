"""SSH servers on loopback that misbehave, and record what they were offered. paramiko's server half, and
plain sockets where the protocol itself is broken."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_PARTIALLY_SUCCESSFUL,
    AUTH_SUCCESSFUL,
    OPEN_SUCCEEDED,
)

HOST_KEY = paramiko.ECDSAKey.generate()
Act = Callable[[paramiko.Channel, str, bytes], object]  # channel, command line, first line of input


@dataclass
class Record:
    """What came: connections, attempts to log in (kind, what was shown), command lines."""

    connections: int = 0
    attempts: list[tuple[str, str]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)


@dataclass
class Peer:
    port: int
    record: Record = field(default_factory=Record)

    def known_host(self, *names: str) -> str:
        shown = ",".join(f"[{name}]:{self.port}" for name in names or ("127.0.0.1",))
        return f"{shown} {HOST_KEY.get_name()} {HOST_KEY.get_base64()}\n"


class Interface(paramiko.ServerInterface):
    """Lets every key in, unless told otherwise, and does what `act` does with a command."""

    def __init__(
        self, record: Record, act: Act, allowed: str, partial: bool, sftp: Act | None
    ) -> None:
        self._record = record
        self._act = act
        self._allowed = allowed
        self._partial = partial
        self._sftp = sftp

    def get_allowed_auths(self, username: str) -> str:
        return self._allowed

    def check_auth_password(self, username: str, password: str) -> int:
        self._record.attempts.append(("password", password))
        return AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self._record.attempts.append(("publickey", key.get_base64()))
        if self._partial:
            self._allowed = "keyboard-interactive"
            return AUTH_PARTIALLY_SUCCESSFUL
        return AUTH_SUCCESSFUL if "publickey" in self._allowed else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        line = command.decode("utf-8", "replace")
        self._record.commands.append(line)
        _in_thread(lambda: self._act(channel, line, _first_line(channel)))
        return True

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        if self._sftp is None:
            return False
        act = self._sftp
        _in_thread(lambda: act(channel, name, b""))
        return True


def _first_line(channel: paramiko.Channel) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        data = channel.recv(1)
        if not data:
            break
        line += data
    return line


def _in_thread(act: Callable[[], object]) -> None:
    def run() -> None:
        with suppress(Exception):  # the other side hangs up as it likes
            act()

    threading.Thread(target=run, daemon=True).start()


@contextmanager
def ssh(
    act: Act,
    allowed: str = "publickey,password",
    partial: bool = False,
    sftp: Act | None = None,
) -> Iterator[Peer]:
    """A server that does `act` with each command."""
    transports: list[paramiko.Transport] = []

    def serve(connection: socket.socket, record: Record) -> None:
        transport = paramiko.Transport(connection)
        transports.append(transport)
        transport.add_server_key(HOST_KEY)
        transport.start_server(server=Interface(record, act, allowed, partial, sftp))

    with raw(serve) as peer:
        yield peer
    for transport in transports:
        transport.packetizer.complete_handshake()
        transport.close()


@contextmanager
def raw(serve: Callable[[socket.socket, Record], object]) -> Iterator[Peer]:
    """A server that does `serve` with each connection, in a thread."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=50)
    peer = Peer(listener.getsockname()[1])
    open_ones: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            peer.record.connections += 1
            open_ones.append(connection)
            _in_thread(lambda one=connection: serve(one, peer.record))  # type: ignore[misc]

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield peer
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
        for one in open_ones:
            one.close()


def answer(nonce: bytes, body: bytes, status: int = 0, *, parts: Sequence[bytes] = ()) -> bytes:
    """An answer as mailtrace-read frames it: the parts, and what comes after them."""
    framed = b"\n%b begin\n" % nonce
    for part in parts:
        framed += part + b"\n%b part 0\n" % nonce
    return framed + body + b"\n%b end %d\n" % (nonce, status)


def hello(nonce: bytes, ahead: float = 0.0) -> bytes:
    clock = b"%.9f\n" % (time.time() + ahead)
    return answer(nonce, b"grep\ntail\n", parts=(clock, b"/usr/share/zoneinfo/Asia/Taipei\n"))


def verb(line: str) -> str:
    """The verb of a command line, of whichever form."""
    words = line.rpartition("mailtrace-read ")[2].removeprefix("1 ")
    return words.split(" ")[0]


def polite(then: Act) -> Act:
    """Answers `hello` as the installed script does, and does `then` with anything else."""

    def act(channel: paramiko.Channel, line: str, first: bytes) -> None:
        nonce = first.split()[0]
        if verb(line) == "hello":
            channel.sendall(hello(nonce))
            finish(channel, 0)
        else:
            then(channel, line, nonce)

    return act


def finish(channel: paramiko.Channel, status: int | None) -> None:
    """Ends a command; without a status where that is None."""
    if status is not None:
        channel.send_exit_status(status)
    channel.shutdown_write()
    channel.close()


def kex_init(hosts: str = "ssh-ed25519", kex: str = "curve25519-sha256@libssh.org") -> bytes:
    """A KEXINIT packet that offers only these (RFC 4253, 7.1)."""
    lists = (kex, hosts, *("aes128-ctr",) * 2, *("hmac-sha2-256",) * 2, *("none",) * 2, "", "")
    body = bytes([20]) + b"\0" * 16
    body += b"".join(struct.pack(">I", len(one)) + one.encode() for one in lists)
    body += b"\0" * 5
    padding = 8 - (len(body) + 5) % 8 + 8
    return struct.pack(">IB", len(body) + padding + 1, padding) + body + b"\0" * padding
