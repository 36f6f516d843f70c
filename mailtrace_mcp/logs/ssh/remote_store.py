"""The store of a host by whatever it allows: searched by commands, read in places by SFTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from zoneinfo import ZoneInfo

from mailtrace_mcp.config import Host
from mailtrace_mcp.config.values import zone
from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.rotation import Listed, Trouble
from mailtrace_mcp.logs.ssh.command_store import CommandStore
from mailtrace_mcp.logs.ssh.login import login
from mailtrace_mcp.logs.ssh.machine import Machine
from mailtrace_mcp.logs.ssh.pool import POOL
from mailtrace_mcp.logs.ssh.sftp_store import SftpStore
from mailtrace_mcp.logs.store import Found, Stopped, StoreError
from mailtrace_mcp.logs.unpack import Packing


def remote_store(host: Host, most: int) -> RemoteStore:
    """The store of a configured host. Nothing is dialled before it is asked."""
    return RemoteStore(lambda: POOL.machine(login(host)), most)


class RemoteStore:
    """See Store. `most`: the bytes that one search, or one file read from end to end, may bring.

    Commands where they run, for they search on the host and tell inodes; SFTP for a few places of a file,
    because it takes no process there and one round trip, and for everything where it is all there is.
    """

    def __init__(self, reach: Callable[[], Machine], most: int) -> None:
        self._reach = reach
        self._most = most

    @cached_property
    def _machine(self) -> Machine:
        """Raises StoreError where it is not known how to log in."""
        return self._reach()

    @cached_property
    def _sftp(self) -> SftpStore:
        return SftpStore(self._machine.sessions, self._most)

    def listed(
        self, patterns: Sequence[str], stopped: Stopped
    ) -> tuple[list[Listed], list[Trouble]]:
        self._machine.sessions.renew()
        return self._whole(stopped).listed(patterns, stopped)

    def spans(self, path: str, spans: Sequence[tuple[int, int]], stopped: Stopped) -> list[bytes]:
        commands = self._commands(stopped)
        if commands is not None and not self._machine.allows_sftp(stopped):
            return commands.spans(path, spans, stopped)
        return self._sftp.spans(path, spans, stopped)

    def chunks(self, path: str, packing: Packing, start: int, stopped: Stopped) -> Iterator[bytes]:
        return self._whole(stopped).chunks(path, packing, start, stopped)

    def grep(
        self, path: str, start: int, end: int, keys: Sequence[bytes], fold: bool, stopped: Stopped
    ) -> Iterator[Found]:
        return self._whole(stopped).grep(path, start, end, keys, fold, stopped)

    def zone(self, stopped: Stopped) -> ZoneInfo | None:
        """The host's own time zone, where it runs commands and the name is known here. It was asked
        when the connection was made. Raises StoreError."""
        facts = self._machine.facts(stopped)
        if facts is None or facts.zone is None:
            return None
        try:
            return zone(facts.zone)
        except ValueError:
            return None

    def _whole(self, stopped: Stopped) -> CommandStore | SftpStore:
        """What reads and searches whole files best. Raises StoreError where nothing is allowed."""
        commands = self._commands(stopped)
        if commands is not None:
            return commands
        if self._machine.allows_sftp(stopped):
            return self._sftp
        words = "It lets this user in and allows neither commands nor SFTP (docs/hosts.md)."
        raise StoreError(Code.REMOTE_COMMAND_FAILED, words)

    def _commands(self, stopped: Stopped) -> CommandStore | None:
        facts = self._machine.facts(stopped)
        if facts is None:
            return None
        return CommandStore(self._machine.connection, facts.form, self._most)
