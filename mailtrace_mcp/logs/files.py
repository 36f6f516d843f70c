"""Log files of this machine as a source: rotated, packed, perhaps with the lines of many hosts.

Files are opened from the newest back, until one begins before the window. They are listed again once
they are open: when a rotation came between, it all begins anew, so that nothing is missed or read twice.
A file over 32 MB is read only around the window, which relies on its lines being in order within an
hour; all others are read whole.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations

import anyio.to_thread

from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs import Reading, Term
from mailtrace_mcp.logs.logfile import STRAY, LogFile, ShrunkError, contained
from mailtrace_mcp.logs.rotation import Listed, Trouble, base, listed, same_turn, trouble
from mailtrace_mcp.logs.scan import Member, Scan
from mailtrace_mcp.logs.telling import Seen, coverage
from mailtrace_mcp.logs.unpack import CorruptError
from mailtrace_mcp.trace.coverage import Window

_TRIES = 4
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MICROSECOND = timedelta(microseconds=1)


class FilesSource:
    """The files of `patterns` (absolute globs), which hold the lines of `members`, all in one zone.

    `owner_of` tells whose a host name in a line is, where they are several; `limit` is the bytes of
    lines that are given for one host; paths below `folder` are shown from there on.
    """

    def __init__(
        self,
        patterns: Sequence[str],
        members: Sequence[Member],
        owner_of: Callable[[str], str | None],
        limit: int,
        folder: str = "/",
    ) -> None:
        self._patterns = tuple(patterns)
        self._members = tuple(members)
        self._owner_of = owner_of
        self._limit = limit
        self._folder = folder.rstrip("/") + "/"

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(member.name for member in self._members)

    async def read(self, terms: Sequence[Term], window: Window) -> Reading:
        """See LogSource. Works in a thread; when cancelled, the thread ends at its next block."""
        concerned = [member for member in self._members if _concerns(member, terms)]
        if not concerned:
            return Reading((), ())
        stop = threading.Event()
        try:
            return await anyio.to_thread.run_sync(
                self._read, tuple(terms), window, stop.is_set, abandon_on_cancel=True
            )
        finally:
            stop.set()

    def _read(self, terms: Sequence[Term], window: Window, stopped: Callable[[], bool]) -> Reading:
        for last in [False] * (_TRIES - 1) + [True]:
            scan = Scan(self._members, self._owner_of, terms, window, self._limit, stopped)
            seen = self._once(scan, last)
            if seen is not None:
                break
        hosts = [host for host in scan.hosts.values() if _concerns(host.member, terms)]
        lines = [line for host in hosts for line in host.lines]
        return Reading(lines, [coverage(host, scan, seen or Seen()) for host in hosts])

    def _once(self, scan: Scan, last: bool) -> Seen | None:
        """One try: None if the files were rotated or truncated under it (not so at the last try)."""
        found, troubles = listed(self._patterns)
        shelf = _Shelf(scan, troubles)
        try:
            for group in _by_base(found):
                shelf.open(group)
            again, _ = listed(self._patterns)
            if _identities(again) != _identities(found):
                if not last:
                    return None
                shelf.troubles.append(self._restless("rotated"))
            shelf.drop_copies()
            return self._scanned(scan, shelf)
        except ShrunkError:
            if not last:
                return None
            shelf.troubles.append(self._restless("truncated"))
            return self._seen(shelf, [])
        finally:
            shelf.close()

    def _scanned(self, scan: Scan, shelf: _Shelf) -> Seen:
        read: list[LogFile] = []
        for opened in shelf.in_order():
            if scan.stopped():
                break
            if opened.file.binary:
                words = "is no text log: it is full of control characters"
                shelf.troubles.append(Trouble(Code.FILE_CORRUPT, opened.file.path, words))
                continue
            read.append(opened.file)
            try:
                scan.file(opened.file, self._shown(opened.file.path), opened.place)
            except CorruptError as error:
                shelf.troubles.append(Trouble(Code.FILE_CORRUPT, opened.file.path, str(error)))
            except OSError as error:
                shelf.troubles.append(trouble(opened.file.path, error))
        return self._seen(shelf, read)

    def _seen(self, shelf: _Shelf, files: Sequence[LogFile]) -> Seen:
        return Seen(
            files=tuple(self._shown(file.path) for file in files),
            troubles=tuple(one._replace(path=self._shown(one.path)) for one in shelf.troubles),
            begins=min(shelf.begins, default=None),
            holes=tuple(self._shown(file.path) for file in files if file.hole),
            floating=any(file.floating for file in files),
        )

    def _restless(self, what: str) -> Trouble:
        words = f"was {what} again and again while it was read"
        return Trouble(Code.FILE_NOT_FOUND, self._patterns[0], words)

    def _shown(self, path: str) -> str:
        return path.removeprefix(self._folder)


@dataclass
class _Opened:
    file: LogFile
    begins: datetime | None
    place: int = 0


@dataclass
class _Shelf:
    """The files of one try that are open, and when each of all that were looked at begins."""

    scan: Scan
    troubles: list[Trouble]
    opened: list[_Opened] = field(default_factory=list)
    begins: list[datetime] = field(default_factory=list)

    def open(self, group: Sequence[Listed]) -> None:
        """The files of one log (oldest first) that may hold lines of the time that is asked for."""
        window = self.scan.reach
        reaches_back: str | None = None
        for one in reversed(group):
            if reaches_back is not None and not same_turn(one.path, reaches_back):
                return
            try:
                file = LogFile(one)
            except OSError as error:
                self.troubles.append(trouble(one.path, error))
                continue
            begins = file.begins(file.clock(self.scan.members[0].zone))
            if begins is not None:
                self.begins.append(begins)
            if begins is not None and begins > window.end + STRAY:
                file.close()
                continue
            self.opened.append(_Opened(file, begins))
            if begins is not None and begins < window.start - STRAY:
                reaches_back = one.path

    def drop_copies(self) -> None:
        """Of files of which one holds all of the other, the fuller one stays."""
        gone: list[LogFile] = []
        for one, other in combinations([opened.file for opened in self.opened], 2):
            if one in gone or other in gone or not one.first_line:
                continue
            if one.first_line == other.first_line:
                copy = contained(one, other, self.scan.stopped)
                gone += [copy] if copy is not None else []
        self.opened = [opened for opened in self.opened if opened.file not in gone]
        for file in gone:
            file.close()

    def in_order(self) -> list[_Opened]:
        """Oldest first. A file's place is the time at which it begins, in microseconds: it stays the
        same when the file is renamed or packed, so a line has the same order at the next reading."""
        oldest_first = self.opened[::-1]
        ordered = sorted(oldest_first, key=lambda opened: opened.begins or _EPOCH)
        last = 0
        for opened in ordered:
            place = ((opened.begins or _EPOCH) - _EPOCH) // _MICROSECOND
            last = opened.place = max(place, last + 1)
        return ordered

    def close(self) -> None:
        for opened in self.opened:
            opened.file.close()


def _concerns(member: Member, terms: Iterable[Term]) -> bool:
    return any(term.hosts is None or member.name in term.hosts for term in terms)


def _by_base(found: Iterable[Listed]) -> list[list[Listed]]:
    groups: dict[str, list[Listed]] = {}
    for one in found:
        groups.setdefault(base(one.path), []).append(one)
    return list(groups.values())


def _identities(found: Iterable[Listed]) -> dict[str, tuple[int, int]]:
    return {os.path.abspath(one.path): one.identity for one in found}
