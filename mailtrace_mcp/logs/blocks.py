"""Chunks of bytes into blocks of whole lines, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

LONGEST_LINE = 64 * 1024  # bytes; what a line has beyond is not kept (SAFETY.md 4)


class Block(NamedTuple):
    """Whole lines, each ended by 0x0A; `offset` is where the first begins, in unpacked bytes.

    Only the last block of a file may lack the 0x0A of its last line. `cut`: it is one line, of which
    only the first LONGEST_LINE bytes are there.
    """

    offset: int
    data: bytes
    cut: bool = False


def blocks(
    chunks: Iterable[bytes], offset: int = 0, longest: int = LONGEST_LINE
) -> Iterator[Block]:
    """The lines of `chunks`, which begin at `offset`; nothing is lost but what lines over `longest` have
    beyond."""
    rest = b""
    skipping = False
    for chunk in chunks:
        if skipping:
            newline = chunk.find(b"\n") + 1
            offset += newline or len(chunk)
            if not newline:
                continue
            chunk = chunk[newline:]
            skipping = False
        data = rest + chunk
        end = data.rfind(b"\n") + 1
        if end:
            yield Block(offset, data[:end])
            offset += end
        rest = data[end:]
        if len(rest) > longest:
            yield Block(offset, rest[:longest] + b"\n", cut=True)
            offset += len(rest)
            rest, skipping = b"", True
    if rest:
        yield Block(offset, rest)
