"""A host as its stores see it: its connection, and which ways of reading it allows."""

from __future__ import annotations

import re
import threading
import time
from typing import NamedTuple

from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.ssh import commands
from mailtrace_mcp.logs.ssh.connection import Connection
from mailtrace_mcp.logs.ssh.keeper import held
from mailtrace_mcp.logs.ssh.marks import Mark
from mailtrace_mcp.logs.ssh.running import NoCommandError, TooMuchError, run
from mailtrace_mcp.logs.ssh.sftp_sessions import SftpSessions
from mailtrace_mcp.logs.store import Stopped, StoreError

_MOST_FACTS = 4096  # bytes
_TIME = re.compile(r"[0-9]{1,11}\.[0-9]{1,9}")
_ZONE = re.compile(r"(?:.*/zoneinfo/)?([A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*)")
_FORMS: tuple[commands.Form, ...] = ("installed", "inline")


class Facts(NamedTuple):
    """What a host says of itself. `ahead`: the seconds that its clock is ahead of ours, `within` so
    many; `zone` the name of its time zone; `programs` those of mailtrace-read that it has."""

    form: commands.Form
    ahead: float | None
    within: float
    zone: str | None
    programs: tuple[str, ...]


class Machine:
    """What was learnt holds for one transport; with a new one it is learnt anew."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.sessions = SftpSessions(connection)
        self._lock = threading.Lock()
        self._learnt = -1
        self._facts: Facts | None = None
        self._no_sftp = -1

    def facts(self, stopped: Stopped, anew: bool = False) -> Facts | None:
        """What it says of itself; None where it runs no commands. Once for a transport, unless `anew`:
        then the clock is compared without the time that logging in takes. Raises StoreError."""
        with held(self._lock, self.connection.deadline(), stopped):
            known = self.connection.number and self._learnt == self.connection.number
            if anew or not known:
                self._facts = self._asked(stopped)
                self._learnt = self.connection.number
            return self._facts

    def allows_sftp(self, stopped: Stopped) -> bool:
        """Raises StoreError where the host cannot be reached."""
        if self._no_sftp == self.connection.number:
            return False
        try:
            self.sessions.do(lambda session: None, stopped)
        except StoreError as error:
            if error.code != Code.REMOTE_COMMAND_FAILED:
                raise
            self._no_sftp = self.connection.number
            return False
        return True

    def _asked(self, stopped: Stopped) -> Facts | None:
        for form in _FORMS:
            try:
                return self._hello(form, stopped)
            except NoCommandError:
                continue
        return None

    def _hello(self, form: commands.Form, stopped: Stopped) -> Facts:
        asked = told = time.time()
        parts = [b""]
        pieces = run(self.connection, form, commands.hello(), most=_MOST_FACTS, stopped=stopped)
        try:
            for piece in pieces:
                if isinstance(piece, Mark):
                    told = time.time() if len(parts) == 1 else told
                    parts.append(b"")
                else:
                    parts[-1] += piece
        except TooMuchError:
            raise NoCommandError(-1) from None
        return _read(form, parts, asked, told)


def _read(form: commands.Form, parts: list[bytes], asked: float, told: float) -> Facts:
    """Time, zone and programs as mailtrace-read prints them; what is odd is left out."""
    clock, zone, programs = (
        part.decode("ascii", "replace").strip() for part in [*parts, b"", b""][:3]
    )
    ahead = None
    if _TIME.fullmatch(clock):
        ahead = float(clock) - (asked + told) / 2
    name = _ZONE.fullmatch(zone)
    known = tuple(word for word in programs.split() if word in commands.PROGRAMS)
    return Facts(form, ahead, (told - asked) / 2, name[1] if name else None, known)
