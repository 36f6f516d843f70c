"""Which log of the index a file is: renamed, grown, packed since, or a new one under an old name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from mailtrace_mcp.logs.index.known import KnownFile
from mailtrace_mcp.logs.index.writing import identity_of
from mailtrace_mcp.logs.rotation import Listed
from mailtrace_mcp.logs.store import Stopped, Store
from mailtrace_mcp.logs.stored import HEAD, StoredFile, read_head

_MODULO = 1 << 32  # gzip tells the length of its text modulo 4 GB


def unchanged(one: Listed, files: Iterable[KnownFile]) -> KnownFile | None:
    """The log that a file is if nothing was done to it since it was indexed."""
    wanted = identity_of(one), one.size, one.written
    for known in files:
        if (known.identity, known.size, known.written) == wanted:
            return known
    return None


def grown(one: Listed, files: Iterable[KnownFile]) -> KnownFile | None:
    """The log that a file may be with lines appended, which its beginning must show (`opened_at_tail`)."""
    identity = identity_of(one)
    for known in files:
        plain = known.head.packing == "plain" and not known.head.binary
        if plain and known.identity == identity and one.size >= known.cursor:
            return known
    return None


def opened_at_tail(
    store: Store, one: Listed, known: KnownFile, most: int, stopped: Stopped
) -> StoredFile | None:
    """A log that has grown, with what was appended if that is no more than `most` bytes: one round
    trip. None if it begins otherwise: it is another log. Raises OSError, StoreError."""
    hole, tail = known.head.hole, known.tail
    spans = [(hole, HEAD)]
    if one.size - tail <= most:
        spans.append((tail, one.size - tail))
    text, *rest = store.spans(one.path, spans, stopped)
    if not known.head.begins_like(text):
        return None
    head = known.head.with_text(text)
    return StoredFile(store, one, head, stopped, (tail, rest[0]) if rest else (0, b""))


def opened(store: Store, one: Listed, stopped: Stopped) -> StoredFile:
    """Any file, by its beginning. Raises OSError, StoreError."""
    return StoredFile(store, one, read_head(store, one, stopped), stopped)


def recognised(
    file: StoredFile, files: Sequence[KnownFile], taken: Collection[int], listed: Collection[str]
) -> KnownFile | None:
    """The log that a file is by its beginning: the one of its own identity, or one whose file is there
    no more (it was copied, packed, or moved to another file system). `taken` are the logs that other
    files were found to be, `listed` the identities of files that were not looked at."""
    identity = identity_of(file.listed)
    alike = [
        known
        for known in files
        if known.id not in taken
        and known.head.begins_like(file.head.text)
        and known.head.hole == file.head.hole
        and _fits(file, known)
    ]
    own = [known for known in alike if known.identity == identity]
    gone = [known for known in alike if known.identity not in listed]
    return next(iter(own + gone), None)


def _fits(file: StoredFile, known: KnownFile) -> bool:
    """Whether a file may hold all that is indexed. A packed one is known by the length of its text."""
    if file.plain:
        return known.head.packing == "plain" and file.size >= known.cursor
    if known.head.packing == file.head.packing:
        return known.complete and known.size == file.size
    plain = known.head.packing == "plain" and known.head.hole == 0
    return plain and file.head.length is not None and known.cursor % _MODULO == file.head.length
