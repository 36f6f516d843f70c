"""One try to read the files of a place: all of them as they were listed, or none."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.index.host import HostIndex
from mailtrace_mcp.logs.logfile import STRAY, ShrunkError
from mailtrace_mcp.logs.plan.indexed import Indexed
from mailtrace_mcp.logs.plan.memory import Memory
from mailtrace_mcp.logs.plan.named import MovedError
from mailtrace_mcp.logs.plan.shelf import Shelf, by_base
from mailtrace_mcp.logs.plan.ways import Measures, Way, slack_of
from mailtrace_mcp.logs.rotation import Listed, Trouble, trouble
from mailtrace_mcp.logs.scan import Scan
from mailtrace_mcp.logs.store import Store
from mailtrace_mcp.logs.stored import StoredFile
from mailtrace_mcp.logs.telling import Seen
from mailtrace_mcp.logs.unpack import CorruptError


@dataclass(frozen=True)
class Place:
    """Where logs lie: globs, the folder below which paths are shown (None: whole), what is worth what,
    how long they are kept in an index (None: for ever)."""

    patterns: tuple[str, ...]
    folder: str | None
    measures: Measures
    kept: timedelta | None = None

    def shown(self, path: str) -> str:
        if self.folder is None:
            return path
        return path.removeprefix(self.folder.rstrip("/") + "/")


@dataclass
class Attempt:
    """Reads into `scan`; `near` as in Way. Without an `index` the logs are searched."""

    place: Place
    store: Store
    near: bool
    scan: Scan
    memory: Memory
    index: HostIndex | None
    indexed: Indexed | None = None
    _read: list[StoredFile] = field(default_factory=list)
    _blindly: bool = False
    _last: bool = False

    def seen(self, last: bool) -> Seen | None:
        """What was seen: None if the files were rotated or truncated under it (not so at the last
        try). Raises StoreError."""
        self._last = last
        try:
            return self._seen()
        except (_RestlessError, MovedError):
            self.memory.forget()
            return None

    def _seen(self) -> Seen:
        stopped = self.scan.stopped
        found, troubles = self.memory.listed(self.store, self.place.patterns, stopped)
        if self.index is not None and self.index.exists:
            self.indexed = Indexed(
                self.index,
                self.store,
                self.place.measures,
                self.place.patterns,
                found,
                stopped,
                self.place.kept,
            )
        shelf = Shelf(self.scan.reach, troubles, self._begins, stopped, self.near)
        for group in by_base(found):
            shelf.take(group, self._opened)
        try:
            if self.near and self._moved(found):
                self._give_up(shelf, "rotated")
            shelf.drop_copies()
            if self.indexed is not None:
                self.indexed.update([taken.file for taken in shelf.taken], held=self.near)
            self._read_all(shelf)
            if not self.near and self._blindly and self._moved(found):
                self._give_up(shelf, "rotated")
        except ShrunkError:
            self._give_up(shelf, "truncated" if self.near else "rotated")
        return self._told(shelf)

    def _opened(self, one: Listed) -> StoredFile:
        try:
            if (
                self.near
            ):  # now, also where the index knows all that is to be known before it is read
                self.store.spans(one.path, [(0, 0)], self.scan.stopped)
            if self.indexed is not None:
                return self.indexed.opened(one)
            return self.memory.opened(self.store, one, self.scan.stopped)
        except FileNotFoundError:
            self._gone()
            raise

    def _gone(self) -> None:
        """A file is there no more under the name by which it was listed."""
        if not self._last:
            raise _RestlessError

    def _begins(self, file: StoredFile) -> datetime | None:
        return file.begins(file.clock(self.scan.members[0].zone))

    def _moved(self, found: Iterable[Listed]) -> bool:
        """Whether a path now names another file, or a file has become shorter."""
        again, _ = self.store.listed(self.place.patterns, self.scan.stopped)
        now = {os.path.abspath(one.path): one for one in again}
        before = {os.path.abspath(one.path): one for one in found}
        return now.keys() != before.keys() or any(
            now[path].identity != one.identity or now[path].size < one.size
            for path, one in before.items()
        )

    def _give_up(self, shelf: Shelf, what: str) -> None:
        """Begin anew; at the last try go on, and say so."""
        if not self._last:
            raise _RestlessError
        words = f"was {what} again and again while it was read"
        shelf.troubles.append(Trouble(Code.FILE_NOT_FOUND, self.place.patterns[0], words))

    def _read_all(self, shelf: Shelf) -> None:
        for taken in shelf.in_order():
            if self.scan.stopped():
                break
            file = taken.file
            if file.head.binary:
                words = "is no text log: it is full of control characters"
                shelf.troubles.append(Trouble(Code.FILE_CORRUPT, file.path, words))
                continue
            self._read.append(file)
            way = self._way(file)
            try:
                self.scan.file(way, self.place.shown(file.path), taken.place)
            except MovedError:
                if self.indexed is not None:
                    self.indexed.forget(file)
                raise
            except CorruptError as error:
                shelf.troubles.append(Trouble(Code.FILE_CORRUPT, file.path, str(error)))
            except OSError as error:
                if isinstance(error, FileNotFoundError):
                    self._gone()
                shelf.troubles.append(trouble(file.path, error))
            self._note(way)

    def _way(self, file: StoredFile) -> Way:
        scan, measures = self.scan, self.place.measures
        zone = scan.members[0].zone
        slack = slack_of(measures, file.floating, zone, scan.reach)
        if any(member.by_name for member in scan.members):
            slack = max(slack, STRAY)  # lines of other machines, that may have waited to be sent
        look = None
        if self.indexed is not None:
            look = self.indexed.look(file, scan.terms, scan.window, slack, zone)
        return Way(
            self.store,
            self.near,
            file,
            scan.terms,
            scan.window,
            measures,
            slack,
            scan.stopped,
            self.memory.blocks,
            look,
        )

    def _note(self, way: Way) -> None:
        """What is known of the window beyond the lines that were fetched."""
        scan = self.scan
        self._blindly = self._blindly or way.blindly
        scan.bytes_read += way.passed
        for at in (way.first, way.last):
            if at is not None:
                scan.oldest = at if scan.oldest is None else min(scan.oldest, at)
                scan.newest = at if scan.newest is None else max(scan.newest, at)

    def _told(self, shelf: Shelf) -> Seen:
        return Seen(
            files=tuple(self.place.shown(file.path) for file in self._read),
            troubles=tuple(one._replace(path=self.place.shown(one.path)) for one in shelf.troubles),
            begins=min(shelf.begins, default=None),
            holes=tuple(self.place.shown(file.path) for file in self._read if file.head.hole),
            floating=shelf.floating,
        )


class _RestlessError(Exception):
    """The files were renamed or truncated while they were read."""
