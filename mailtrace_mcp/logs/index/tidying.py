"""What keeps an index small: many small segments made into one, what is too old or gone left out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from mailtrace_mcp.logs.index.known import KnownFile, KnownSegment
from mailtrace_mcp.logs.index.writing import Writer

_MOST_ALIKE = 8  # segments of about one size
_SMALLEST_BITS = 12
_SUFFIXES = (".keys", ".new")
_EXPIRED = "expired"  # the fact that tells when it was last done
_HOUR = 3600  # seconds


def tidy(writer: Writer) -> None:
    """Makes one segment of those of about one size, where they are more than eight, again and again.
    A segment stays as it is once it is large."""
    catalogue = writer.catalogue
    with catalogue.look():
        segments = catalogue.segments()
    by_size: dict[int, list[KnownSegment]] = {}
    for segment in segments:
        if segment.pairs < writer.index.shape.segment // 2:
            by_size.setdefault(_size(segment), []).append(segment)
    for alike in by_size.values():
        if len(alike) > _MOST_ALIKE:
            _merge(writer, alike)
    _let_go(writer, segments)


def expire(writer: Writer, before: int) -> None:
    """Forgets what was written before a time (microseconds since 1970): whole files by when they were
    last written, of a log that goes on its first blocks."""
    catalogue = writer.catalogue
    with catalogue.look():
        files = catalogue.files()
    for file in files:
        if file.written * 1e6 < before:
            with catalogue.change():
                catalogue.drop_file(file.id)
        else:
            _expire_blocks(writer, file, before)
    with catalogue.look():
        segments = catalogue.segments()
        dead = [one for one in segments if not catalogue.has_block_between(one.first, one.last)]
    with catalogue.change():
        catalogue.drop_segments(one.name for one in dead)
        catalogue.put_fact(_EXPIRED, int(time.time()))
    _let_go(writer, segments)


def expire_now_and_then(writer: Writer, before: int) -> None:
    """The same, unless it was done within the hour: every block is looked at."""
    now = int(time.time())
    with writer.catalogue.look():
        last = writer.catalogue.fact(_EXPIRED)
    if last is None or not 0 <= now - last < _HOUR:
        expire(writer, before)


def sweep(writer: Writer) -> None:
    """Removes files that no row names: of a process that was killed between writing and naming them."""
    with writer.catalogue.look():
        known = {segment.name for segment in writer.catalogue.segments()}
    for path in writer.index.folder.iterdir():
        if path.suffix in _SUFFIXES and path.name not in known:
            path.unlink(missing_ok=True)


def _expire_blocks(writer: Writer, file: KnownFile, before: int) -> None:
    with writer.catalogue.look():
        blocks = sorted(
            writer.catalogue.blocks_within(file.id, None), key=lambda block: block.offset
        )
    kept = next((one for one in blocks if one.high is None or one.high >= before), None)
    begin = file.cursor if kept is None else kept.offset
    if begin > file.begin:
        with writer.catalogue.change():
            writer.catalogue.drop_blocks_before(file.id, begin)
            writer.catalogue.put_file(file._replace(begin=begin))


def _size(segment: KnownSegment) -> int:
    """Segments are alike that differ by less than a factor of eight."""
    return (segment.pairs >> _SMALLEST_BITS).bit_length() // 3


def _merge(writer: Writer, alike: Sequence[KnownSegment]) -> None:
    first, last = min(one.first for one in alike), max(one.last for one in alike)
    with writer.catalogue.look():
        alive = writer.catalogue.block_numbers(first, last)
        pairs = [
            pair
            for one in alike
            for pair in writer.index.segment(writer.catalogue, one).pairs()
            if pair & 0xFFFFFFFF in alive
        ]
    pairs.sort()
    put = writer.put_segment(pairs, first, last) if pairs else None
    with writer.catalogue.change():
        writer.catalogue.drop_segments(one.name for one in alike)
        if put is not None:
            put()


def _let_go(writer: Writer, before: Sequence[KnownSegment]) -> None:
    """Removes the files of segments that are named no more."""
    with writer.catalogue.look():
        now = {segment.name for segment in writer.catalogue.segments()}
    writer.index.forget_segments(now)
    for segment in before:
        if segment.name not in now and not segment.inline:
            with suppress(OSError):
                (writer.index.folder / segment.name).unlink()
