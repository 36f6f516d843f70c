"""Which files of a listing may hold lines of a window, and in which order they were written.

Of each log the files are looked at from the newest back, until one begins before the window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations

from mailtrace_mcp.logs.logfile import SMALL, STRAY, ShrunkError
from mailtrace_mcp.logs.rotation import Listed, Trouble, base, same_turn, trouble
from mailtrace_mcp.logs.stored import StoredFile
from mailtrace_mcp.logs.unpack import CorruptError
from mailtrace_mcp.trace.coverage import Window

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MICROSECOND = timedelta(microseconds=1)
_COMPARED = 4096  # bytes at each place where two large plain files are compared
_PLACES = 16

Opened = Callable[[Listed], StoredFile]


@dataclass
class Taken:
    """A file that may hold lines of the window. `place` grows with the time at which it begins."""

    file: StoredFile
    begins: datetime | None
    place: int = 0


@dataclass
class Shelf:
    """The files that were taken for one reading, when each of all that were looked at begins, and whether
    that depends on the zone (`floating`). What is `near` costs nothing to fetch."""

    window: Window
    troubles: list[Trouble]
    begins_of: Callable[[StoredFile], datetime | None]
    stopped: Callable[[], bool]
    near: bool = False
    taken: list[Taken] = field(default_factory=list)
    begins: list[datetime] = field(default_factory=list)
    floating: bool = False

    def take(self, group: Sequence[Listed], opened: Opened) -> None:
        """The files of one log (oldest first) that may hold lines of the window."""
        reaches_back: str | None = None
        for one in reversed(group):
            if reaches_back is not None and not same_turn(one.path, reaches_back):
                return
            try:
                file = opened(one)
            except OSError as error:
                self.troubles.append(trouble(one.path, error))
                continue
            begins = self.begins_of(file)
            if begins is not None:
                self.begins.append(begins)
                self.floating = self.floating or file.floating
                if begins > self.window.end + STRAY:
                    continue
                if begins < self.window.start - STRAY:
                    reaches_back = one.path
            self.taken.append(Taken(file, begins))

    def drop_copies(self) -> None:
        """Of files of which one holds all of the other, the fuller one stays."""
        gone: list[StoredFile] = []
        for one, other in combinations([taken.file for taken in self.taken], 2):
            if one in gone or other in gone or not one.head.first_line:
                continue
            if one.head.first_line == other.head.first_line:
                try:
                    copy = _contained(one, other, self.near, self.stopped)
                except OSError:
                    copy = None  # whoever reads it is told
                gone += [copy] if copy is not None else []
        self.taken = [taken for taken in self.taken if taken.file not in gone]

    def in_order(self) -> list[Taken]:
        """Oldest first. A file's place is the time at which it begins, in microseconds: it stays the
        same when the file is renamed or packed, so a line has the same order at the next reading."""
        oldest_first = self.taken[::-1]
        ordered = sorted(oldest_first, key=lambda taken: taken.begins or _EPOCH)
        last = 0
        for taken in ordered:
            place = ((taken.begins or _EPOCH) - _EPOCH) // _MICROSECOND
            last = taken.place = max(place, last + 1)
        return ordered


def by_base(found: Iterable[Listed]) -> list[list[Listed]]:
    """The files of a listing log by log."""
    groups: dict[str, list[Listed]] = {}
    for one in found:
        groups.setdefault(base(one.path), []).append(one)
    return list(groups.values())


def _contained(
    one: StoredFile, other: StoredFile, near: bool, stopped: Callable[[], bool]
) -> StoredFile | None:
    """Which of two files the other one holds from its start on: a copy, the packed form of a rotated
    log, what logrotate has copied so far. None if they differ; of equal ones, the packed one.

    Plain files that are large or far are compared at a few places, all others byte for byte, as far as
    the shorter goes.
    """
    whole = near and min(one.size, other.size) <= SMALL
    if one.plain and other.plain and one.head.hole == other.head.hole and not whole:
        shorter, longer = (one, other) if one.size < other.size else (other, one)
        spans = _places(shorter.size)
        return shorter if shorter.spans(spans) == longer.spans(spans) else None
    return _contained_bytes(one, other, stopped)


def _places(size: int) -> list[tuple[int, int]]:
    last = max(0, size - _COMPARED)
    offsets = sorted({last * number // (_PLACES - 1) for number in range(_PLACES)})
    return [(offset, min(_COMPARED, size - offset)) for offset in offsets]


def _contained_bytes(
    one: StoredFile, other: StoredFile, stopped: Callable[[], bool]
) -> StoredFile | None:
    left, right = _bytes_of(one), _bytes_of(other)
    a = b = b""
    while not stopped():
        a, b = a or next(left, b""), b or next(right, b"")
        if not a or not b:
            if not a and not b:
                return other if one.plain else one
            return one if not a else other
        common = min(len(a), len(b))
        if a[:common] != b[:common]:
            return None
        a, b = a[common:], b[common:]
    return None


def _bytes_of(file: StoredFile) -> Iterator[bytes]:
    try:
        yield from file.chunks()
    except (CorruptError, ShrunkError):
        return
