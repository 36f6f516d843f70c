"""The log files of a place, looked at: which can be read, when they begin, how they end. No judgement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import NamedTuple

from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.blocks import LONGEST_LINE
from mailtrace_mcp.logs.logfile import last_stamp
from mailtrace_mcp.logs.plan.shelf import by_base
from mailtrace_mcp.logs.rotation import Listed, Trouble, trouble
from mailtrace_mcp.logs.store import Stopped, Store
from mailtrace_mcp.logs.stored import StoredFile, read_head
from mailtrace_mcp.logs.unpack import CorruptError
from mailtrace_parsers.entry import Clock
from mailtrace_parsers.read import records

MOST_OPENED = 60  # files; each is a round trip
_END = LONGEST_LINE  # bytes of a log's end
_MOST_ENDS = (
    3  # files of one log in which its end is looked for: after a rotation the last is empty
)


class End(NamedTuple):
    """How a log ends: its last whole lines, and the stamp of the newest that has one."""

    clock: Clock
    lines: tuple[bytes, ...]
    newest: datetime | None


@dataclass(frozen=True)
class Files:
    """What was listed and what of it was opened, oldest first; `troubles` of those that cannot be read.
    The ends are one for each log (base name)."""

    listing: Sequence[Listed]
    opened: Sequence[StoredFile]
    troubles: Sequence[Trouble]
    ends: Sequence[End] = field(default=())

    @property
    def size(self) -> int:
        """Bytes of all files, packed ones as they are."""
        return sum(one.size for one in self.listing)

    @property
    def floating(self) -> bool:
        """Whether any file has stamps that name no zone."""
        return any(file.floating for file in self.opened)

    @property
    def newest(self) -> datetime | None:
        return max((one.newest for one in self.ends if one.newest is not None), default=None)

    def oldest(self, zone: tzinfo) -> datetime | None:
        """When the first of the files begins."""
        begins = [at for file in self.opened if (at := file.begins(file.clock(zone))) is not None]
        return min(begins, default=None)

    def lines(self, most: int) -> Iterable[tuple[bytes, Clock]]:
        """The last lines of each log."""
        return ((line, end.clock) for end in self.ends for line in end.lines[-most:])


def listed(store: Store, patterns: Sequence[str], stopped: Stopped) -> Files:
    """The files of a place, opened. Raises StoreError."""
    found, troubles = store.listed(patterns, stopped)
    chosen = found
    if len(found) > MOST_OPENED:
        older = MOST_OPENED // 4
        chosen = [*found[:older], *found[older - MOST_OPENED :]]
    opened = []
    for one in chosen:
        if stopped():
            break
        try:
            file = StoredFile(store, one, read_head(store, one, stopped), stopped)
        except (OSError, CorruptError) as error:
            troubles.append(_trouble(one.path, error))
            continue
        if file.head.binary:
            words = "is no text log: it is full of control characters"
            troubles.append(Trouble(Code.FILE_CORRUPT, one.path, words))
        else:
            opened.append(file)
    return Files(found, opened, troubles)


def with_ends(files: Files, zone: tzinfo) -> Files:
    """The same with how each log ends, its stamps read in `zone`. Raises StoreError."""
    by_path = {file.path: file for file in files.opened}
    ends = [
        _end([by_path[one.path] for one in group if one.path in by_path], zone)
        for group in by_base(files.listing)
    ]
    return Files(files.listing, files.opened, files.troubles, [one for one in ends if one.lines])


def _end(log: Sequence[StoredFile], zone: tzinfo) -> End:
    """The end of a log whose files are these, oldest first. Of packed files none is looked for."""
    clock = Clock(zone, datetime.now(zone))
    for file in [one for one in log if one.plain][-_MOST_ENDS:][::-1]:
        clock = file.clock(zone)
        start = max(file.head.hole, file.size - _END)
        try:
            (data,) = file.spans([(start, _END)])
        except OSError:
            continue
        lines = list(records(data))
        lines = lines[1:] if start > file.head.hole else lines  # the first one is cut
        if lines:
            return End(clock, tuple(lines), last_stamp(b"\n".join(lines), clock))
    return End(clock, (), None)


def _trouble(path: str, error: OSError | CorruptError) -> Trouble:
    if isinstance(error, CorruptError):
        return Trouble(Code.FILE_CORRUPT, path, str(error))
    return trouble(path, error)
