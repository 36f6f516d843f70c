"""The channels of one host: opened on its warm transport, in turns where the server allows few."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import paramiko

from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.ssh.keeper import Keeper, given_up
from mailtrace_mcp.logs.ssh.link import Link
from mailtrace_mcp.logs.ssh.login import Login
from mailtrace_mcp.logs.ssh.opening import Opened
from mailtrace_mcp.logs.ssh.turns import Turns
from mailtrace_mcp.logs.store import Stopped, StoreError

IDLE = 300.0  # seconds after which an unused transport is closed
_DOUBTED = 3.0  # seconds that a doubtful transport has to prove itself, before a new one is made
_MOST_CHANNELS = 8  # at once; sshd allows ten (MaxSessions)
_PATIENCE = 2.0  # seconds in which a process that was given up should have ended
_SLICE = 0.05

# What a channel may have in flight: window and packet, in bytes. Large ones pay where much is read at
# once, and only there.
SMALL = (1 << 21, 1 << 15)
BULK = (1 << 24, 1 << 18)

Start = Callable[[paramiko.Channel], object]


class Connection:
    """One host as its stores see it. `when_short` is called when the server allows no further channel
    and closes what is only kept for later."""

    def __init__(self, login: Login, keeper: Keeper) -> None:
        self.login = login
        self.keeper = keeper
        self.when_short: Callable[[], bool] = lambda: False
        self._link = Link(login, keeper)
        self._turns = Turns(_MOST_CHANNELS)

    def deadline(self) -> float:
        """For one operation with all that it needs, a new transport included."""
        return time.monotonic() + self.login.connect_timeout + self.login.command_timeout

    @contextmanager
    def channel(
        self, start: Start, size: tuple[int, int], stopped: Stopped
    ) -> Iterator[paramiko.Channel]:
        """A channel on which `start` was done (exec, subsystem), closed at the end; StoreError."""
        deadline = self.deadline()
        with self.turn(deadline, stopped):
            channel = self.begun(start, size, deadline, stopped)
            try:
                yield channel
            finally:
                close(channel)

    @contextmanager
    def turn(self, deadline: float, stopped: Stopped) -> Iterator[None]:
        """Who uses a channel holds a turn."""
        with self._turns.taken(deadline, stopped):
            yield
            self._link.used()

    @property
    def number(self) -> int:
        """Of the transport: another number, another life."""
        return self._link.number

    @property
    def doubtful(self) -> bool:
        """Whether the transport may be dead without anybody knowing."""
        return self._link.doubtful

    def doubt(self) -> None:
        """Something hung: the next channel must come at once, or a new transport is made."""
        self._link.doubt()

    def close_if_idle(self) -> bool:
        """Whether there is no transport after this look."""
        return not self._turns.number and self._link.close_if_unused(IDLE)

    def close(self) -> None:
        self._link.close()

    def begun(
        self, start: Start, size: tuple[int, int], deadline: float, stopped: Stopped
    ) -> paramiko.Channel:
        """A channel; one silent retry on a new transport if the old one turns out to be dead."""
        for _ in range(2):
            link, fresh = self._link.transport(deadline, stopped)
            try:
                channel = self._open(link, size, fresh, deadline, stopped)
                with self.keeper.limit(channel.close, deadline, stopped):
                    start(channel)
            except (paramiko.SSHException, EOFError, OSError, _DeadError) as error:
                if link.transport.is_active() and not isinstance(error, _DeadError):
                    words = "It refuses to do what was asked: no such command or subsystem."
                    raise StoreError(Code.REMOTE_COMMAND_FAILED, words) from None
                self._link.forget(link)
                if fresh or stopped() or time.monotonic() >= deadline:
                    break
            else:
                self._link.used()
                return channel
        if stopped() or time.monotonic() >= deadline:
            raise given_up()
        raise StoreError(Code.HOST_UNREACHABLE, "It closed the connection.")

    def _open(
        self, link: Opened, size: tuple[int, int], fresh: bool, deadline: float, stopped: Stopped
    ) -> paramiko.Channel:
        """Raises _DeadError where the transport does not react."""
        until = deadline
        if not fresh and self._link.doubtful:
            until = min(until, time.monotonic() + _DOUBTED)
        patience = time.monotonic() + _PATIENCE
        while True:
            left = max(0.1, until - time.monotonic())
            try:
                return link.transport.open_session(*size, timeout=left)
            except (paramiko.SSHException, EOFError, OSError):
                # Refused, or dead. Not told by the kind of error: paramiko keeps one for all threads.
                if not link.transport.is_active() or time.monotonic() >= until:
                    raise _DeadError from None
            self._make_room(patience, deadline, stopped)

    def _make_room(self, patience: float, deadline: float, stopped: Stopped) -> None:
        """The server allows no channel besides those there are (MaxSessions). A session lasts there
        until its process has ended, which may be a moment after its channel was closed."""
        if self.when_short() or self._turns.fewer(deadline, stopped):
            return
        if stopped() or time.monotonic() >= min(patience, deadline):
            words = "It allows no channel, neither for commands nor for SFTP."
            raise StoreError(Code.REMOTE_COMMAND_FAILED, words)
        time.sleep(_SLICE)


class _DeadError(Exception):
    """The transport opens no channel any more."""


def close(channel: paramiko.Channel) -> None:
    """Closes a channel, whatever state it is in."""
    with suppress(Exception):
        channel.close()
