"""Chunks of bytes as a file that can be read once, for what unpacks files."""

from __future__ import annotations

import io
from collections.abc import Iterator


class Stream(io.RawIOBase):
    """The bytes of `chunks` in order. Going back is possible only before the first was read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")
        self._begun = False

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        if self._begun or offset or whence:
            raise io.UnsupportedOperation("cannot go back")
        return 0

    def read(self, size: int | None = -1) -> bytes:
        """Up to `size` bytes, fewer only where a chunk ends; none at the end."""
        self._begun = True
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._rest = memoryview(chunk)
        wanted = len(self._rest) if size is None or size < 0 else size
        data = bytes(self._rest[:wanted])
        self._rest = self._rest[wanted:]
        return data


def from_offset(chunks: Iterator[bytes], start: int) -> Iterator[bytes]:
    """Without the first `start` bytes."""
    for chunk in chunks:
        if start < len(chunk):
            yield chunk[start:]
        start = max(0, start - len(chunk))
