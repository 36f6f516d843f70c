"""The index of one machine's logs: a folder with a catalogue, segments and a lock.

It is a cache. Whatever is wrong with it ends as UnusableIndexError, and the question is answered from the
logs themselves; what is damaged is thrown away, to be made anew.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mailtrace_mcp.logs.index.catalogue import Catalogue
from mailtrace_mcp.logs.index.failures import (
    BrokenCatalogueError,
    CatalogueError,
    UnusableIndexError,
)
from mailtrace_mcp.logs.index.known import (
    KnownBlock,
    KnownFile,
    KnownSegment,
    Look,
    Span,
    Want,
)
from mailtrace_mcp.logs.index.segments import BrokenSegmentError, Segment, in_file, in_memory

_CATALOGUE = "catalogue.sqlite"
_LOCK = "lock"
_TRIES = 3


@dataclass(frozen=True)
class Shape:
    """How large the parts of an index are: a block in bytes; a segment in pairs, of 8 bytes, which is
    also how many are sorted at once; and up to how many pairs a segment is a value in the catalogue."""

    block: int = 128 * 1024
    segment: int = 1 << 20
    inline: int = 1 << 16


class HostIndex:
    """The index in `folder`. Threads may share it."""

    def __init__(self, folder: Path, shape: Shape | None = None) -> None:
        self.folder = folder
        self.shape = shape or Shape()
        self._lock = threading.RLock()
        self._catalogue: Catalogue | None = None
        self._inode = 0
        self._segments: dict[str, Segment] = {}
        self._files: tuple[tuple[int, int], list[KnownFile]] | None = None

    @property
    def exists(self) -> bool:
        """Whether it was ever built."""
        return (self.folder / _CATALOGUE).exists()

    def size(self) -> int:
        """Bytes on disk; 0 where there is none."""
        size = 0
        with suppress(FileNotFoundError):
            for path in self.folder.iterdir():
                with suppress(OSError):  # a segment was merged into another one just now
                    size += path.stat().st_size
        return size

    def files(self) -> list[KnownFile]:
        """The files that are known. Raises UnusableIndexError."""
        with self._used() as catalogue:
            version = catalogue.version()
            if self._files is None or self._files[0] != version:
                self._files = version, catalogue.files()
            return self._files[1]

    def look(self, file: KnownFile, wants: Sequence[Want], window: Span) -> Look | None:
        """What is known of a file; None if it is known no more. Raises UnusableIndexError."""
        for last in [False] * (_TRIES - 1) + [True]:
            with self._used() as catalogue:
                try:
                    with catalogue.look():
                        return self._look(catalogue, file, wants, window)
                except FileNotFoundError:  # a segment was merged into another one meanwhile
                    if last:
                        raise BrokenSegmentError from None
        return None

    def _look(
        self, catalogue: Catalogue, file: KnownFile, wants: Sequence[Want], window: Span
    ) -> Look | None:
        now = catalogue.file(file.id)
        if now is None:
            return None
        found: dict[int, KnownBlock] = {}
        for key, blocks in self._named(catalogue, now, wants).items():
            spans = [want.span for want in wants if want.key == key]
            for block in blocks:
                if any(span is None or span.holds(block) for span in spans):
                    found[block.offset] = block
        for want in wants:
            if want.key is None:
                for block in catalogue.blocks_within(now.id, want.span):
                    found[block.offset] = block
        edges = catalogue.edges(now.id, window)
        blocks = [found[offset] for offset in sorted(found)]
        return Look(now, blocks, edges, catalogue.first_block(now.id))

    def _named(
        self, catalogue: Catalogue, file: KnownFile, wants: Iterable[Want]
    ) -> dict[bytes, list[KnownBlock]]:
        keys = dict.fromkeys(want.key for want in wants if want.key is not None)
        segments = [self.segment(catalogue, known) for known in catalogue.segments()]
        return {
            key: catalogue.blocks(
                file.id, [number for segment in segments for number in segment.find(key)]
            )
            for key in keys
        }

    def segment(self, catalogue: Catalogue, known: KnownSegment) -> Segment:
        """A segment of the catalogue. Raises OSError, BrokenSegmentError."""
        segment = self._segments.get(known.name)
        if segment is None:
            if known.inline:
                segment = in_memory(catalogue.segment_data(known.name))
            else:
                segment = in_file(self.folder / known.name)
            if segment.count != known.pairs:
                raise BrokenSegmentError
            self._segments[known.name] = segment
        return segment

    def forget_segments(self, kept: Iterable[str]) -> None:
        """Lets go of all other segments."""
        names = set(kept)
        self._segments = {name: one for name, one in self._segments.items() if name in names}

    @contextmanager
    def writing(self, wait: bool = False) -> Iterator[Catalogue | None]:
        """The right to change the index: None where another process or thread has it (and is not
        waited for). The folder is made where there is none. Raises UnusableIndexError."""
        with self._told(self.discard):
            self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)
            _make_sure_is_ours(self.folder)
            lock = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
                return
            with self._told(self.clear):
                yield self._opened(make=True)
        finally:
            os.close(lock)

    def new_name(self) -> str:
        """A name for a segment that none had before, not even in an index that was thrown away."""
        return f"{secrets.token_hex(8)}.keys"

    def close(self) -> None:
        """Lets go of the catalogue; it is opened again when it is next needed."""
        with self._lock:
            if self._catalogue is not None:
                self._catalogue.close()
            self._catalogue, self._files, self._segments = None, None, {}

    def discard(self) -> None:
        """Throws all away, unless somebody is writing."""
        self.close()
        with suppress(OSError):
            lock = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self.clear()
            finally:
                os.close(lock)

    def clear(self) -> None:
        """Removes the files of the index; whoever calls has the lock."""
        self.close()
        for path in self.folder.iterdir():
            if path.name != _LOCK:
                path.unlink(missing_ok=True)

    @contextmanager
    def _used(self) -> Iterator[Catalogue]:
        with self._told(self.discard), self._lock:
            yield self._opened(make=False)

    def _opened(self, make: bool) -> Catalogue:
        """The catalogue that the folder has now: it may have been thrown away by another process."""
        path = self.folder / _CATALOGUE
        with self._lock:
            inode = path.stat().st_ino if path.exists() or not make else 0
            if self._catalogue is None or inode != self._inode:
                self.close()
                _make_sure_is_ours(self.folder)
                if inode:
                    _make_sure_is_ours(path)
                self._catalogue = Catalogue(path, self.shape.block)
                self._inode = path.stat().st_ino
            return self._catalogue

    @contextmanager
    def _told(self, throw_away: Callable[[], None]) -> Iterator[None]:
        try:
            yield
        except (BrokenCatalogueError, BrokenSegmentError) as error:
            throw_away()
            raise UnusableIndexError("it was damaged and is made anew") from error
        except CatalogueError as error:
            raise UnusableIndexError(str(error)) from error
        except OSError as error:
            raise UnusableIndexError(os.strerror(error.errno or 0)) from error


def _make_sure_is_ours(path: Path) -> None:
    """What others can write says nothing. Raises UnusableIndexError, OSError."""
    status = path.stat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise UnusableIndexError(f"its {path.name} belongs to others or is open to them")
