"""Reading everything: each file from end to end, line by line. What all ways of reading are compared with."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from mailtrace_mcp.logs import FoundLine, LogSource, Reading, Term
from mailtrace_mcp.logs.blocks import LONGEST_LINE
from mailtrace_mcp.logs.logfile import clock_of, is_binary, stamp
from mailtrace_mcp.logs.match import Matcher
from mailtrace_mcp.logs.rotation import listed
from mailtrace_mcp.logs.scan import Member
from mailtrace_mcp.trace.coverage import Window
from mailtrace_parsers.entry import Clock
from mailtrace_parsers.syslog import frame

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_HOUR = timedelta(hours=1)


@dataclass
class _File:
    path: Path
    clock: Clock
    lines: list[tuple[int, bytes]]  # offset, line

    @property
    def begins(self) -> datetime | None:
        stamps = (stamp(line, self.clock) for _, line in self.lines[:50])
        return next((at for at in stamps if at is not None), None)


@dataclass
class Everything:
    """The lines of the logs `mail.log*` in a folder. What is told of them is what `teller` tells."""

    folder: Path
    members: Sequence[Member]
    owner_of: Callable[[str], str | None]
    teller: LogSource

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(member.name for member in self.members)

    async def read(self, terms: Sequence[Term], window: Window) -> Reading:
        told = (await self.teller.read(terms, window)).coverage
        found = list(self._found(terms, window))
        lines = [line for host in self.hosts for line in found if line.host == host]
        return Reading(lines, told)

    def _found(self, terms: Sequence[Term], window: Window) -> Iterator[FoundLine]:
        for term in terms:
            window = window.hull(term.window)
        matcher, last = Matcher(terms), 0
        oldest_first = list(self._files(window))[::-1]
        for file in sorted(oldest_first, key=lambda one: one.begins or _EPOCH):
            begins = file.begins or _EPOCH
            last = max((begins - _EPOCH) // timedelta(microseconds=1), last + 1)
            for offset, line in file.lines:
                at, host = stamp(line, file.clock), self._host(line, file.clock)
                asked = [term for hit in matcher.hits(line) for term in hit.terms]
                if host is not None and any(term.window.holds(at) for term in asked):
                    order = (last << 40) + offset
                    yield FoundLine(host, order, line, file.clock, file.path.name)

    def _files(self, window: Window) -> Iterator[_File]:
        """Of one log, from the newest file to the first that begins an hour before the window."""
        for one in reversed(listed([f"{self.folder}/mail.log*"])[0]):
            file = self._file(Path(one.path))
            if file.begins is None or file.begins <= window.end + _HOUR:
                yield file
            if file.begins is not None and file.begins < window.start - _HOUR:
                return

    def _file(self, path: Path) -> _File:
        data, written = path.read_bytes(), path.stat().st_mtime
        if path.name.endswith(".gz"):
            packed_at = int.from_bytes(data[4:8], "little")
            data, written = _unpacked(data), packed_at or written
        clock = clock_of(str(path), written, self.members[0].zone)
        lines: list[tuple[int, bytes]] = []
        offset = 0
        if is_binary(data[:LONGEST_LINE]):
            return _File(path, clock, lines)
        for line in data.split(b"\n"):
            if line:
                lines.append((offset, line))
            offset += len(line) + 1
        return _File(path, clock, lines)

    def _host(self, line: bytes, clock: Clock) -> str | None:
        if len(self.members) == 1 and not self.members[0].by_name:
            return self.members[0].name
        name = frame(line, clock).host
        owner = self.owner_of(name) if name else None
        return owner if owner in self.hosts else None


def _unpacked(data: bytes) -> bytes:
    """The text of a gzip file; of one that breaks off, as many whole lines as are there."""
    text = b""
    while data:
        member = zlib.decompressobj(wbits=31)
        text += member.decompress(data)
        if not member.eof:
            return text[: text.rfind(b"\n") + 1]
        data = member.unused_data
    return text
