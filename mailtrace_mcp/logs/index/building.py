"""A machine's logs into its index, as far back as the index is kept: `mailtrace-mcp index`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.bisect import bounds
from mailtrace_mcp.logs.index.crew import Reader, alone, crew
from mailtrace_mcp.logs.index.failures import UnusableIndexError
from mailtrace_mcp.logs.index.following import Following
from mailtrace_mcp.logs.index.host import HostIndex
from mailtrace_mcp.logs.index.known import microseconds
from mailtrace_mcp.logs.index.tidying import expire, sweep, tidy
from mailtrace_mcp.logs.index.writing import RotatedError, Writer
from mailtrace_mcp.logs.logfile import SMALL, STRAY, ShrunkError
from mailtrace_mcp.logs.rotation import Listed, Trouble, trouble
from mailtrace_mcp.logs.store import Stopped, Store
from mailtrace_mcp.logs.stored import StoredFile
from mailtrace_mcp.logs.unpack import CorruptError
from mailtrace_mcp.trace.coverage import Window

# Bytes that were indexed, bytes that are to be (an estimate where logs are packed), and which file.
Progress = Callable[[int, int, str], None]

_WORTH_IT = 64 << 20  # bytes; less is indexed before another process has begun
_FOREVER = timedelta(days=3650)
_TRIES = 4


@dataclass
class Built:
    """What was done: files and bytes that were indexed; `readable` counts the files that are indexed, now
    or before; and what could not be."""

    files: int = 0
    size: int = 0
    readable: int = 0
    troubles: list[Trouble] = field(default_factory=list)


@dataclass(frozen=True)
class Order:
    """What to index: the files of `patterns`, whose stamps without a zone are in `zone`, back to
    `since`. What the index has from before `kept_from` is forgotten."""

    patterns: tuple[str, ...]
    zone: tzinfo
    since: datetime
    kept_from: datetime


def build(
    index: HostIndex,
    store: Store,
    order: Order,
    progress: Progress | None = None,
    stopped: Stopped = lambda: False,
    workers: int | None = None,
    built: Built | None = None,
) -> Built:
    """Brings an index up to date, with so many processes besides this one (None: as many as there are
    cores, where it is worth it). Blocks; for a thread. When it is stopped, what was read of plain files
    is kept. `built` is what it gives, for who wants to see it grow. Raises StoreError, StoppedError, and
    UnusableIndexError, also while another process is building it."""
    built = built or Built()
    with index.writing() as catalogue:
        if catalogue is None:
            raise UnusableIndexError("another process is writing it")
        writer = Writer(index, catalogue)
        sweep(writer)
        for last in [False] * (_TRIES - 1) + [True]:
            try:
                _once(writer, store, order, built, progress, stopped, workers)
                break
            except RotatedError:
                if last:
                    words = "was rotated again and again while it was read"
                    path = order.patterns[0]
                    built.troubles.append(Trouble(Code.FILE_NOT_FOUND, path, words))
        expire(writer, microseconds(order.kept_from))
        catalogue.compact()
    return built


def _once(
    writer: Writer,
    store: Store,
    order: Order,
    built: Built,
    progress: Progress | None,
    stopped: Stopped,
    workers: int | None,
) -> None:
    """The files of one listing. Raises RotatedError where it holds no longer: what is indexed by then is
    known again in the next."""
    found, built.troubles = store.listed(order.patterns, stopped)
    built.readable = 0
    following = Following(writer.index, store, order.patterns, found, stopped)
    files = _opened(following, _recent(found, order), built)
    total = built.size + sum(map(following.lacks, files))
    with _reader(total, workers) as writer.read:
        for file in files:
            _index(writer, following, file, order, built, progress, total)
            tidy(writer)


@contextmanager
def _reader(total: int, workers: int | None) -> Iterator[Reader]:
    count = workers
    if count is None:
        cores = os.cpu_count() or 1
        count = cores if total > _WORTH_IT and cores > 1 else 0
    if not count:
        yield alone
        return
    with crew(count) as reader:
        yield reader


def _recent(found: Sequence[Listed], order: Order) -> list[Listed]:
    """The files written to since then, the newest first: they are asked for most."""
    since = max(order.since, order.kept_from).timestamp()
    return sorted(
        (one for one in found if one.written >= since), key=lambda one: one.written, reverse=True
    )


def _opened(following: Following, found: Sequence[Listed], built: Built) -> list[StoredFile]:
    files: list[StoredFile] = []
    for one in found:
        try:
            file = following.opened(one, 0)
        except FileNotFoundError:
            raise RotatedError from None
        except OSError as error:
            built.troubles.append(trouble(one.path, error))
            continue
        if following.lacks(file):
            files.append(file)
        elif (unreadable := _unreadable(file)) is not None:
            built.troubles.append(unreadable)
        else:
            built.readable += 1
    return files


def _unreadable(file: StoredFile) -> Trouble | None:
    """Why nothing is known of a packed file that has something in it."""
    if file.plain or file.head.marked or not file.size:
        return None
    try:
        next(file.chunks(), b"")
    except CorruptError as error:
        return Trouble(Code.FILE_CORRUPT, file.path, str(error))
    return None


def _index(
    writer: Writer,
    following: Following,
    file: StoredFile,
    order: Order,
    built: Built,
    progress: Progress | None,
    total: int,
) -> None:
    def done(size: int) -> None:
        built.size += size
        if progress is not None:
            progress(built.size, max(built.size, total), file.path)

    try:
        following.bring(writer, file, _begin(file, order), done)
        built.files += 1
        built.readable += 1
    except CorruptError as error:
        built.troubles.append(Trouble(Code.FILE_CORRUPT, file.path, str(error)))
    except ShrunkError:
        words = "was truncated while it was read"
        built.troubles.append(Trouble(Code.FILE_NOT_FOUND, file.path, words))
    except FileNotFoundError:
        raise RotatedError from None
    except OSError as error:
        built.troubles.append(trouble(file.path, error))


def _begin(file: StoredFile, order: Order) -> int:
    """Where to begin in a log that is new: a large one is not read before it is of interest."""
    hole = file.head.hole
    if not file.plain or file.size <= SMALL:
        return hole
    since = max(order.since, order.kept_from).astimezone(UTC)
    window = Window(since, since + _FOREVER)
    return bounds(file.spans, hole, file.size, window, file.clock(order.zone), STRAY).start
