"""The log files of this machine as a Store (store.py)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from mailtrace_mcp.logs.blocks import blocks
from mailtrace_mcp.logs.rotation import Listed, Trouble, listed
from mailtrace_mcp.logs.store import Found, Stopped
from mailtrace_mcp.logs.unpack import CHUNK, Packing, unpacked
from mailtrace_mcp.regular_file import open_regular


class LocalStore:
    """See Store. A path is opened anew by each call; `pinned` gives a view that opens it only once."""

    def listed(
        self, patterns: Sequence[str], stopped: Stopped
    ) -> tuple[list[Listed], list[Trouble]]:
        return listed(patterns)

    def spans(self, path: str, spans: Sequence[tuple[int, int]], stopped: Stopped) -> list[bytes]:
        with self._opened(path) as file:
            return [os.pread(file.fileno(), length, offset) for offset, length in spans]

    def chunks(self, path: str, packing: Packing, start: int, stopped: Stopped) -> Iterator[bytes]:
        with self._opened(path) as file:
            if packing == "plain":
                yield from _plain(file, start, None, stopped)
                return
            for chunk in unpacked(file, packing):
                if stopped():
                    return
                if start < len(chunk):
                    yield chunk[start:]
                start = max(0, start - len(chunk))

    def grep(
        self, path: str, start: int, end: int, keys: Sequence[bytes], fold: bool, stopped: Stopped
    ) -> Iterator[Found]:
        wanted = [key.lower() for key in keys] if fold else keys
        with self._opened(path) as file:
            for block in blocks(_plain(file, start, end, stopped), start):
                for begin, stop in holding(block.data.lower() if fold else block.data, wanted):
                    yield Found(block.offset + begin, block.data[begin:stop])

    @contextmanager
    def pinned(self) -> Iterator[LocalStore]:
        """A view in which a path means the file that it named when it was first read: what is renamed
        meanwhile is read to its end all the same."""
        view = _Pinned()
        try:
            yield view
        finally:
            view.close()

    @contextmanager
    def _opened(self, path: str) -> Iterator[BinaryIO]:
        with open_regular(path) as file:
            yield file


class _Pinned(LocalStore):
    """Keeps each file open until `close`. For one thread."""

    def __init__(self) -> None:
        self._files: dict[str, BinaryIO] = {}

    @contextmanager
    def _opened(self, path: str) -> Iterator[BinaryIO]:
        if path not in self._files:
            self._files[path] = open_regular(path)
        yield self._files[path]

    def close(self) -> None:
        for file in self._files.values():
            file.close()


def _plain(file: BinaryIO, start: int, end: int | None, stopped: Stopped) -> Iterator[bytes]:
    while not stopped():
        wanted = CHUNK if end is None else min(CHUNK, end - start)
        chunk = os.pread(file.fileno(), wanted, start)
        if not chunk:
            return
        start += len(chunk)
        yield chunk


def holding(block: bytes, keys: Sequence[bytes]) -> list[tuple[int, int]]:
    """The lines (start, end) of a block that hold one of the keys, in order."""
    found: set[tuple[int, int]] = set()
    for key in keys:
        at = block.find(key)
        while at >= 0:
            end = block.find(b"\n", at)
            end = len(block) if end < 0 else end
            found.add((block.rfind(b"\n", 0, at) + 1, end))
            at = block.find(key, end)
    return sorted(found)
