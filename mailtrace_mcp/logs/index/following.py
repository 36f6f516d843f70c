"""The files of a listing as an index knows them, and brought up to date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from mailtrace_mcp.logs.index.host import HostIndex
from mailtrace_mcp.logs.index.known import KnownFile
from mailtrace_mcp.logs.index.recognising import (
    grown,
    opened,
    opened_at_tail,
    recognised,
    unchanged,
)
from mailtrace_mcp.logs.index.writing import (
    Done,
    RotatedError,
    Writer,
    identity_of,
    is_current,
    nothing,
)
from mailtrace_mcp.logs.rotation import Listed
from mailtrace_mcp.logs.store import Stopped, Store
from mailtrace_mcp.logs.stored import StoredFile

_FOLD = 10  # a packed log that is not indexed is taken for so many times its size


@dataclass
class Following:
    """Which log of an index each file of a listing of `patterns` is. Raises UnusableIndexError where the
    index cannot be used."""

    index: HostIndex
    store: Store
    patterns: Sequence[str]
    listing: Sequence[Listed]
    stopped: Stopped
    _files: list[KnownFile] = field(init=False)
    _known: dict[str, KnownFile] = field(default_factory=dict)  # by path
    _changed: set[str] = field(default_factory=set)  # identities that are no longer what they were

    def __post_init__(self) -> None:
        self._files = self.index.files() if self.index.exists else []

    def opened(self, one: Listed, most: int) -> StoredFile:
        """A file: in no round trip if nothing was done to it since it was indexed; in one, with what
        was appended, if that is no more than `most` bytes. Raises OSError, StoreError."""
        known = unchanged(one, self._files)
        if known is not None:
            self._known[one.path] = known
            return StoredFile(self.store, one, known.head, self.stopped)
        known = grown(one, self._files)
        if known is not None:
            file = opened_at_tail(self.store, one, known, most, self.stopped)
            if file is not None:
                self._known[one.path] = known
                return file
        return self._recognised(opened(self.store, one, self.stopped))

    def known(self, file: StoredFile) -> KnownFile | None:
        """What is indexed of a file."""
        known = self._known.get(file.path)
        if known is None or not (file.plain or self._is_whole(file, known)):
            return None
        return known

    def lacks(self, file: StoredFile) -> int:
        """How many bytes of a file are not indexed, about; 0 only if there are none."""
        known = self._known.get(file.path)
        if known is None and (file.head.binary or not file.head.marked):
            return 0
        if known is not None and is_current(file, known):
            return 0
        if known is not None and file.plain:
            return max(1, file.size - known.cursor)
        if known is not None and self._is_whole(file, known):
            return 1
        if file.plain:
            return file.size - file.head.hole
        return max(file.head.length or 0, file.size * _FOLD)

    def behind(self, one: Listed) -> int:
        """The same of a file that was not opened."""
        known = unchanged(one, self._files)
        if known is not None and known.complete:
            return 0
        known = grown(one, self._files)
        return one.size if known is None else one.size - known.cursor

    def is_up_to_date(self) -> bool:
        """Whether nobody else has changed the index since this was made."""
        return not self.index.exists or self.index.files() == self._files

    def bring(
        self,
        writer: Writer,
        file: StoredFile,
        begin: int,
        done: Done | None = None,
        held: bool = False,
    ) -> None:
        """Indexes what is new in a file, or all of it from `begin` on. Raises as Writer.add does. A file
        that is not `held` open is read by its path, so it is listed again before anything is kept, unless
        what is new came together with the beginning by which it was recognised."""
        known = self._known.get(file.path)
        at_once = known is not None and file.had_since(known.tail)
        make_sure = nothing if held or at_once else partial(self._make_sure, file.listed)
        if known is not None and self._is_whole(file, known):
            make_sure()
            self._known[file.path] = writer.adopt(file, known)
        else:
            self._known[file.path] = writer.add(file, known, begin, done, make_sure)

    def forget(self, writer: Writer, file: StoredFile) -> None:
        """What is known of a file is not so."""
        known = self._known.pop(file.path, None)
        if known is not None:
            writer.drop(known)

    def _make_sure(self, one: Listed) -> None:
        again, _ = self.store.listed(self.patterns, self.stopped)
        for now in again:
            if (now.path, now.identity) == (one.path, one.identity) and now.size >= one.size:
                return
        raise RotatedError

    def _recognised(self, file: StoredFile) -> StoredFile:
        self._changed.add(identity_of(file.listed))
        taken = {known.id for known in self._known.values()}
        there = {identity_of(one) for one in self.listing} - self._changed
        known = recognised(file, self._files, taken, there)
        if known is not None:
            self._known[file.path] = known
        return file

    def _is_whole(self, file: StoredFile, known: KnownFile) -> bool:
        """Whether a packed file is a log that is indexed to its end already."""
        return not file.plain and (known.complete or known.head.packing == "plain")
