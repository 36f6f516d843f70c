"""What an index knows of a machine's logs.

Times are microseconds since 1970 in UTC; of stamps that name no zone (`floating`) as if their wall clock
were UTC's.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from mailtrace_mcp.logs.stored import Head
from mailtrace_mcp.trace.coverage import Window

_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MICROSECOND = timedelta(microseconds=1)


class KnownFile(NamedTuple):
    """A log of which the bytes [begin, cursor) of text are indexed; `identity`, `size` and `written` as
    it was last listed, `complete` if it was indexed to its end then. What comes is indexed from `tail`
    on: the last block is made anew while it has room. `id` 0: it is not in the catalogue yet."""

    id: int
    identity: str
    size: int
    written: float
    begin: int
    cursor: int
    tail: int
    complete: bool
    head: Head


class KnownBlock(NamedTuple):
    """Whole lines of a file; `mark` is a checksum of its ends. `low` and `high` are the times of its
    first and last line, None where they have no stamp."""

    id: int
    offset: int
    length: int
    low: int | None
    high: int | None
    floating: bool
    mark: int


class Span(NamedTuple):
    """A window in both ways of telling a time, both ends included."""

    start: int
    end: int
    wall_start: int
    wall_end: int

    def holds(self, block: KnownBlock) -> bool:
        """Whether a block may hold lines of it."""
        if block.low is None or block.high is None:
            return True
        start, end = self.start, self.end
        if block.floating:
            start, end = self.wall_start, self.wall_end
        return block.high >= start and block.low <= end


class KnownSegment(NamedTuple):
    """A segment under a name that none had before: a file of that name, or else (`inline`) a value in
    the catalogue. Its blocks are numbered first to last."""

    name: str
    inline: bool
    pairs: int
    first: int
    last: int


class Want(NamedTuple):
    """What is asked of an index: the blocks of a key (None: of any), in a span (None: of all time)."""

    key: bytes | None
    span: Span | None


class Look(NamedTuple):
    """What an index says of one file at one moment: the blocks that are wanted, by their places; those
    in which the window that was asked for begins and ends, as far as the log is in order; and the
    first of all."""

    file: KnownFile
    blocks: list[KnownBlock]
    edges: list[KnownBlock]
    first: KnownBlock | None


def microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def moment(time: int, floating: bool, zone: tzinfo) -> datetime:
    """The time of a block; `zone` is that of floating stamps."""
    at = _EPOCH + time * _MICROSECOND
    return at.replace(tzinfo=zone) if floating else at


def span_of(window: Window, zone: tzinfo) -> Span:
    """A window as blocks are compared with it."""
    wall = [at.astimezone(zone).replace(tzinfo=UTC) for at in (window.start, window.end)]
    ends = [microseconds(at) for at in (window.start, window.end, *wall)]
    return Span(*ends)
