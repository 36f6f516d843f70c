"""One log file of a Store: what its beginning tells of it, and its bytes as they were when it was listed."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cached_property
from typing import NamedTuple

from mailtrace_mcp.logs.blocks import LONGEST_LINE, Block
from mailtrace_mcp.logs.logfile import SMALL, ShrunkError, clock_of, is_binary, stamp
from mailtrace_mcp.logs.rotation import Listed
from mailtrace_mcp.logs.store import Stopped, Store
from mailtrace_mcp.logs.unpack import CorruptError, Packing, gzip_time, packing, unpacked
from mailtrace_parsers.entry import Clock

HEAD = 4096  # bytes by which a log is known again
_MAGIC = 16
_TRAILER = 4  # bytes: gzip tells at its end how long the text is (RFC 1952, ISIZE)
_WRITING = 2.0  # seconds; a last line without 0x0A in a file that changed since is not complete
_AT_ONCE = 512 * 1024  # bytes; so many are had in one round trip
_FOLD = 64  # a file may unpack to this many times its size
_PROBES = 24
_PROBED_LINES = 50
_STAMP_FIELDS = 4
_AFTER_STAMP = b" h x - - -"  # what makes a line of a stamp
_FAR_EAST = timezone(timedelta(hours=1))


class Head(NamedTuple):
    """What the beginning of a file tells.

    `hole`: NUL bytes before the text (a writer without O_APPEND leaves them after copytruncate).
    `stamp`: the first stamp in it, as it stands there. `first_line`, `mark`: digests of the first line
    and of the first `marked` bytes of text. `length`: the bytes of text, where gzip says so; modulo 4 GB.
    `text`: the first bytes themselves, up to HEAD; none where the facts were kept from an earlier look.
    """

    packing: Packing
    packed_at: int | None
    hole: int
    stamp: bytes
    first_line: bytes
    mark: bytes
    marked: int
    binary: bool
    length: int | None = None
    text: bytes = b""

    def begins_like(self, text: bytes) -> bool:
        """Whether a file that begins with `text` may be this one, grown or renamed since."""
        return self.marked > 0 and digest(text[: self.marked]) == self.mark

    def with_text(self, text: bytes) -> Head:
        """The same of a file that has grown since; `text` is how it begins now."""
        return self._replace(mark=digest(text[:HEAD]), marked=len(text[:HEAD]), text=text[:HEAD])


class StoredFile:
    """A file of a listing. `size` bytes of it are read, whatever is appended meanwhile. `fetched` are
    bytes of a plain file that were had already, and where they begin."""

    def __init__(
        self,
        store: Store,
        one: Listed,
        head: Head,
        stopped: Stopped,
        fetched: tuple[int, bytes] = (0, b""),
    ) -> None:
        self._store = store
        self._fetched = fetched
        self.stopped = stopped
        self.listed = one
        self.head = head
        self.path = one.path
        self.size = one.size
        self.plain = head.packing == "plain"
        self._growing = self.plain and abs(time.time() - one.written) < _WRITING

    def clock(self, zone: tzinfo) -> Clock:
        """How to read its stamps (logfile.py)."""
        packed_at = self.head.packed_at
        return clock_of(self.path, self.listed.written if packed_at is None else packed_at, zone)

    def begins(self, clock: Clock) -> datetime | None:
        """The first stamp in it."""
        return stamp(self.head.stamp, clock) if self.head.stamp else None

    @cached_property
    def floating(self) -> bool:
        """Whether its stamps name no zone, so that another one makes another time of them."""
        return self.begins(self.clock(UTC)) != self.begins(self.clock(_FAR_EAST))

    def spans(self, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """The bytes of each (offset, length), none beyond `size`. One round trip."""
        return self.spans_beyond(
            [(offset, max(0, min(length, self.size - offset))) for offset, length in spans]
        )

    def spans_beyond(self, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        """The same, with what was appended since."""
        begin, data = self._fetched
        if all(begin <= at and at + length <= begin + len(data) for at, length in spans):
            return [data[at - begin : at - begin + length] for at, length in spans]
        return self._store.spans(self.path, spans, self.stopped)

    def had_since(self, offset: int) -> bool:
        """Whether all from an offset on was had already."""
        begin, data = self._fetched
        return begin <= offset and self.size <= begin + len(data)

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """Its text from an offset in it (the hole counts) to its end. Raises CorruptError or
        ShrunkError after the last good one."""
        if self.plain:
            return self._plain(max(start, self.head.hole))
        return self._unpacked(max(start, self.head.hole))

    def whole_lines(self, block: Block) -> Block:
        """Without a last line that is still being written: it is there at the next reading."""
        if not self._growing or block.data.endswith(b"\n"):
            return block
        return Block(block.offset, block.data[: block.data.rfind(b"\n") + 1])

    def _plain(self, offset: int) -> Iterator[bytes]:
        if self.size - offset <= _AT_ONCE or self.had_since(offset):
            chunks: Iterable[bytes] = self.spans([(offset, self.size - offset)])
        else:
            chunks = self._store.chunks(self.path, "plain", offset, self.stopped)
        for chunk in chunks:
            chunk = chunk[: self.size - offset]
            offset += len(chunk)
            if chunk:
                yield chunk
            if offset >= self.size:
                return
        if offset < self.size and not self.stopped():
            raise ShrunkError

    def _unpacked(self, start: int) -> Iterator[bytes]:
        most = max(2 * SMALL, _FOLD * self.size)
        given = start
        for chunk in self._store.chunks(self.path, self.head.packing, start, self.stopped):
            given += len(chunk)
            if given > most:
                raise CorruptError(f"unpacks to more than {most >> 20} MB: the rest was not read")
            yield chunk


def read_head(store: Store, one: Listed, stopped: Stopped) -> Head:
    """What a file's beginning tells: one round trip, for an odd file a few. Raises OSError, StoreError."""
    spans = [(0, LONGEST_LINE), (max(0, one.size - _TRAILER), _TRAILER)]
    raw, trailer = store.spans(one.path, spans, stopped)
    kind = packing(raw[:_MAGIC])
    if kind == "plain":
        hole = _hole(store, one, stopped) if raw.startswith(b"\0") else 0
        if hole:
            (raw,) = store.spans(one.path, [(hole, LONGEST_LINE)], stopped)
        return head_of(raw, kind, hole=hole)
    text = _unpacked_head(store, one, kind, raw, stopped)
    length = int.from_bytes(trailer, "little") if kind == "gzip" and len(trailer) == 4 else None
    packed_at = gzip_time(raw[:_MAGIC]) if kind == "gzip" else None
    return head_of(text, kind, packed_at=packed_at, length=length)


def head_of(
    text: bytes,
    kind: Packing,
    *,
    packed_at: int | None = None,
    hole: int = 0,
    length: int | None = None,
) -> Head:
    """The facts of a file whose text begins with `text`, at most LONGEST_LINE bytes of it."""
    first_line = text.partition(b"\n")[0]
    marked = min(len(text), HEAD)
    return Head(
        kind,
        packed_at,
        hole,
        _first_stamp(text),
        digest(first_line) if first_line else b"",
        digest(text[:marked]),
        marked,
        is_binary(text),
        length,
        text[:HEAD],
    )


def digest(text: bytes) -> bytes:
    """What stands for a text where the text itself must not be kept."""
    return hashlib.blake2b(text, digest_size=16).digest()


def _unpacked_head(store: Store, one: Listed, kind: Packing, raw: bytes, stopped: Stopped) -> bytes:
    """How the text begins; nothing of a file that cannot be unpacked."""
    text = _first_bytes(unpacked(io.BytesIO(raw), kind))
    if text or one.size <= len(raw):
        return text
    return _first_bytes(store.chunks(one.path, kind, 0, stopped))


def _first_bytes(chunks: Iterator[bytes]) -> bytes:
    text = b""
    try:
        for chunk in chunks:
            text += chunk
            if len(text) >= LONGEST_LINE:
                break
    except CorruptError:
        pass
    return text[:LONGEST_LINE]


def _first_stamp(text: bytes) -> bytes:
    """The stamp of the first line that has one, among the first few; as a line of its own."""
    for line in text.split(b"\n", _PROBED_LINES)[:_PROBED_LINES]:
        at = stamp(line, _ANY_CLOCK) if line else None
        if at is not None:
            return _stamp_alone(line, at)
    return b""


def _stamp_alone(line: bytes, at: datetime) -> bytes:
    fields = line.split(b" ", _STAMP_FIELDS)
    for count in range(1, _STAMP_FIELDS + 1):
        alone = b" ".join(fields[:count]) + _AFTER_STAMP
        if stamp(alone, _ANY_CLOCK) == at:
            return alone
    return b""


def _hole(store: Store, one: Listed, stopped: Stopped) -> int:
    """The offset of the first byte that is not NUL, found in a few round trips."""
    low, high = 0, one.size  # NUL at low; text, or the end, at high
    while high - low > LONGEST_LINE:
        step = max(1, (high - low) // (_PROBES + 1))
        places = list(range(low + step, high, step))
        found = store.spans(one.path, [(place, 64) for place in places], stopped)
        for place, data in zip(places, found, strict=True):
            if data.strip(b"\0"):
                high = place + len(data) - len(data.lstrip(b"\0"))
                break
            low = place
    (data,) = store.spans(one.path, [(low, high - low)], stopped)
    text = data.lstrip(b"\0")
    return low + len(data) - len(text) if text else high


_ANY_CLOCK = Clock(UTC, datetime.fromisoformat("2038-01-01T00:00:00+00:00"))
