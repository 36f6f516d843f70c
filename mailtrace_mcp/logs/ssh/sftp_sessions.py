"""SFTP sessions on a connection: the last one stays open for the next call."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import paramiko

from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.ssh.connection import BULK, Connection, close
from mailtrace_mcp.logs.ssh.keeper import given_up
from mailtrace_mcp.logs.ssh.sftp import Sftp
from mailtrace_mcp.logs.ssh.sftp_wire import ProtocolError
from mailtrace_mcp.logs.store import Stopped, StoreError

_MOST_OPEN = 16  # handles that are kept for the next reading of the same files

Given = TypeVar("Given")


class Session:
    """An SFTP session with the files that are open in it. `era`: of the listing they belong to."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self.channel = channel
        self.sftp = Sftp(channel)
        self.era = 0
        self._handles: dict[str, bytes] = {}

    def read(self, path: str, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """The bytes of a file; it is opened once for each listing. Raises OSError."""
        handle = self._handles.get(path)
        if handle is None:
            if len(self._handles) >= _MOST_OPEN:
                self.forget()
            handle = self._handles[path] = self.sftp.open(path)
        return self.sftp.read(handle, spans)

    def forget(self) -> None:
        """Closes the files: a path may now lead to another one."""
        for handle in self._handles.values():
            self.sftp.close(handle)
        self._handles.clear()


class SftpSessions:
    """Gives each call a session of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._kept: Session | None = None
        self._era = 0
        connection.when_short = self.drop

    def do(self, work: Callable[[Session], Given], stopped: Stopped) -> Given:
        """What `work` gives, done in a session; once more in a new one if the kept one turns out to be
        dead. Raises OSError for a file, StoreError for the host."""
        deadline = self._connection.deadline()
        with self._connection.turn(deadline, stopped):
            session = self._take()
            if session is not None:
                try:
                    return self._done(session, work, deadline, stopped)
                except _DeadError:
                    pass
            try:
                return self._done(self._opened(deadline, stopped), work, deadline, stopped)
            except _DeadError:
                words = "Its SFTP server broke off, or does not keep to the protocol."
                raise StoreError(Code.REMOTE_COMMAND_FAILED, words) from None

    def renew(self) -> None:
        """A listing is made anew: paths are to be opened anew."""
        with self._lock:
            self._era += 1

    def drop(self) -> bool:
        """Closes the session that is kept; whether there was one."""
        with self._lock:
            session, self._kept = self._kept, None
        if session is None:
            return False
        close(session.channel)
        return True

    def _done(
        self,
        session: Session,
        work: Callable[[Session], Given],
        deadline: float,
        stopped: Stopped,
    ) -> Given:
        deadline = min(deadline, time.monotonic() + self._connection.login.command_timeout)
        try:
            with self._connection.keeper.limit(session.channel.close, deadline, stopped):
                if session.era != self._era:
                    session.forget()
                    session.era = self._era
                given = work(session)
        except OSError:  # about a file
            self._keep(session)
            raise
        except (ProtocolError, paramiko.SSHException, EOFError):
            close(session.channel)
            raise _DeadError from None
        except BaseException as error:
            close(session.channel)
            if isinstance(error, StoreError) and error.code == Code.HOST_TIMEOUT and not stopped():
                self._connection.doubt()
            raise
        self._keep(session)
        return given

    def _opened(self, deadline: float, stopped: Stopped) -> Session:
        channel = self._connection.begun(_start, BULK, deadline, stopped)
        try:
            with self._connection.keeper.limit(channel.close, deadline, stopped):
                return Session(channel)
        except (ProtocolError, paramiko.SSHException, EOFError):
            close(channel)
            if stopped():
                raise given_up() from None
            raise StoreError(Code.REMOTE_COMMAND_FAILED, "It does not allow SFTP.") from None
        except BaseException:
            close(channel)
            raise

    def _take(self) -> Session | None:
        """The kept session, unless its connection may be dead: then a new channel is the proof."""
        if self._connection.doubtful:
            self.drop()
        with self._lock:
            session, self._kept = self._kept, None
        if session is not None and session.channel.closed:
            return None
        return session

    def _keep(self, session: Session) -> None:
        with self._lock:
            if self._kept is None:
                self._kept = session
                return
        close(session.channel)


class _DeadError(Exception):
    """The session is of no more use."""


def _start(channel: paramiko.Channel) -> None:
    channel.invoke_subsystem("sftp")
