"""One request on a host: its command started, both streams drained, its answer checked to the end."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator

import paramiko

from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.ssh import commands
from mailtrace_mcp.logs.ssh.connection import BULK, SMALL, Connection
from mailtrace_mcp.logs.ssh.keeper import given_up
from mailtrace_mcp.logs.ssh.marks import Mark, Marks, NoiseError
from mailtrace_mcp.logs.store import Stopped, StoreError

_POLL = 0.05  # seconds; how late a deadline, a cancelling or the other stream may be noticed
_CHUNK = 1 << 20
_SLOWEST = 256 * 1024  # bytes a second; what comes slower than that has no more time than silence
_MOST_SAID = 4096  # bytes of the error stream that are kept; the rest is drained and dropped
_STATUS_WAIT = 5.0  # seconds between the end of the streams and the exit status

Piece = bytes | Mark


class Running:
    """A command that runs. `said` is the beginning of its error stream: to look for known words in,
    never to be shown."""

    def __init__(self, channel: paramiko.Channel, nonce: bytes, seconds: float) -> None:
        self.said = b""
        self._channel = channel
        self._marks = Marks(nonce)
        self._seconds = seconds

    def pieces(self, most: int, stopped: Stopped) -> Iterator[Piece]:
        """Its answer, and the marks in it but for the last: `end` is checked here. Raises StoreError,
        OSError for the file, TooMuchError once there are more than `most` bytes."""
        given, status = 0, None
        for data in self._stdout(stopped):
            try:
                for piece in self._marks.feed(data):
                    if isinstance(piece, Mark) and piece.word == "end":
                        status = piece.number
                        break
                    given += len(piece) if isinstance(piece, bytes) else 0
                    if given > most:
                        raise TooMuchError
                    yield piece
            except NoiseError:
                raise _failed("Its answer is not one of this program's requests.") from None
            if self._marks.ended:
                break
        self._check(status)

    def _stdout(self, stopped: Stopped) -> Iterator[bytes]:
        deadline = time.monotonic() + self._seconds
        self._channel.settimeout(_POLL)
        while True:
            self._drain_stderr()
            if stopped() or time.monotonic() >= deadline:
                raise given_up()
            try:
                data = self._channel.recv(_CHUNK)
            except TimeoutError:
                continue
            if not data:
                return
            deadline += len(data) / _SLOWEST
            yield data

    def _drain_stderr(self) -> None:
        """Else the host waits for room in the window that both streams share."""
        while self._channel.recv_stderr_ready():
            said = self._channel.recv_stderr(_CHUNK)
            if not said:
                return
            self.said += said[: _MOST_SAID - len(self.said)]

    def _check(self, status: int | None) -> None:
        """An answer counts only with its end mark and an exit status that agrees with it."""
        if status is None:
            raise self._cut_off()
        self._channel.status_event.wait(_STATUS_WAIT)
        self._drain_stderr()
        if self._channel.exit_status != status:
            raise _failed("Its command was cut off: there is no exit status, or another one.")
        if status:
            raise failure(status)

    def _cut_off(self) -> StoreError:
        transport = self._channel.transport
        if transport is None or not transport.is_active():
            words = "It closed the connection in the middle of its answer."
            return StoreError(Code.HOST_UNREACHABLE, words)
        self._channel.status_event.wait(_STATUS_WAIT)
        if not self._marks.begun:
            return NoCommandError(self._channel.exit_status)
        if self._channel.exit_status in (124, 137):
            return StoreError(Code.HOST_TIMEOUT, "Its command took too long, and was ended there.")
        return _failed("Its answer broke off: the end is missing.")


class TooMuchError(Exception):
    """The answer is longer than what is taken of one host."""


class NoCommandError(StoreError):
    """The command did not even begin; `status` as a shell tells it (127: there is none), −1: none."""

    def __init__(self, status: int) -> None:
        words = (
            "It does not run the commands that read its log (no sh, or only others are allowed)."
        )
        super().__init__(Code.REMOTE_COMMAND_FAILED, words)
        self.status = status


def failure(status: int) -> Exception:
    """What a status of the script means, for the file or for the host."""
    if status == 66:
        return FileNotFoundError(2, "is not there")
    if status == 77:
        return PermissionError(13, "may not be read")
    if status == 70:
        return OSError(5, "cannot be unpacked")
    if status == 74:
        return OSError(5, "cannot be read to its end")
    return _failed("Its command failed.")


def run(
    connection: Connection,
    form: commands.Form,
    request: commands.Request,
    *,
    most: int,
    stopped: Stopped,
    look: Callable[[Running], object] = lambda running: None,
) -> Iterator[Piece]:
    """Runs a request and gives the pieces of its answer. The remote process ends when the iteration
    does, also before its end. `look` is shown the command once it runs."""
    line = commands.line(form, request)
    nonce = secrets.token_hex(16).encode()
    size = BULK if most > _CHUNK else SMALL
    with connection.channel(lambda channel: channel.exec_command(line), size, stopped) as channel:
        running = Running(channel, nonce, connection.login.command_timeout)
        look(running)
        try:
            with connection.keeper.limit(channel.close, connection.deadline(), stopped):
                channel.sendall(b"%b %d\n%b" % (nonce, len(request.data), request.data))
        except (OSError, EOFError, paramiko.SSHException):  # what it says may tell why
            pass
        try:
            yield from running.pieces(most, stopped)
        except StoreError as error:
            if error.code == Code.HOST_TIMEOUT and not stopped():
                connection.doubt()
            raise


def _failed(words: str) -> StoreError:
    return StoreError(Code.REMOTE_COMMAND_FAILED, words)
