"""The log files of one machine as bytes: what bisecting, grepping and indexing need of it.

A store is this machine's file system or another's over SSH; who uses it does not ask which. All calls
block and are made in threads; each ends soon after `stopped` says so, on the other machine too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from mailtrace_mcp.logs.rotation import Listed, Trouble
from mailtrace_mcp.logs.unpack import Packing

Stopped = Callable[[], bool]


class Found(NamedTuple):
    """A line that holds one of the keys: the offset of its first byte, the line without 0x0A."""

    offset: int
    line: bytes


class Store(Protocol):
    """The files of one machine. Errors: OSError for one file; StoreError for the machine."""

    def listed(
        self, patterns: Sequence[str], stopped: Stopped
    ) -> tuple[list[Listed], list[Trouble]]:
        """The regular files that the globs name, oldest first (rotation.py), with what is wrong."""

    def spans(self, path: str, spans: Sequence[tuple[int, int]], stopped: Stopped) -> list[bytes]:
        """The bytes of each (offset, length); shorter past the end. One round trip for all."""

    def chunks(self, path: str, packing: Packing, start: int, stopped: Stopped) -> Iterator[bytes]:
        """The unpacked bytes from an unpacked offset to the end, in order."""

    def grep(
        self, path: str, start: int, end: int, keys: Sequence[bytes], fold: bool, stopped: Stopped
    ) -> Iterator[Found]:
        """The lines of a plain file inside [start, end) that hold one of the keys; `fold` whatever the
        case of ASCII letters. May give more lines, never fewer: match.py looks at them closely."""


class StoreError(Exception):
    """The machine could not be asked: `code` as in TOOLS.md, `str` a sentence of ours."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code
