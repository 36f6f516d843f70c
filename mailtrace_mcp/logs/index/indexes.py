"""The indexes of all machines: a folder each; and what is told of one."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mailtrace_mcp.logs.index.failures import UnusableIndexError
from mailtrace_mcp.logs.index.following import Following
from mailtrace_mcp.logs.index.host import HostIndex, Shape
from mailtrace_mcp.logs.rotation import Listed
from mailtrace_mcp.logs.store import Store


class Indexes:
    """The indexes below `root`, each opened once; threads may share them."""

    def __init__(self, root: Path, shape: Shape | None = None) -> None:
        self._root = root
        self._shape = shape
        self._lock = threading.Lock()
        self._of: dict[str, HostIndex] = {}

    def of(self, place: str) -> HostIndex:
        """The index of the logs on a machine: `local`, or the name of a configured host."""
        with self._lock:
            if place not in self._of:
                self._of[place] = HostIndex(self._root / place, self._shape)
            return self._of[place]


@dataclass(frozen=True)
class IndexState:
    """What there is of an index: logs, bytes of them, and how many bytes the files that are there now
    have beyond that (packed ones as they are). `size` is that of the index itself. `trouble` says why it
    cannot be used, if it is there and cannot."""

    exists: bool
    logs: int = 0
    indexed: int = 0
    behind: int = 0
    size: int = 0
    trouble: str | None = None


def state(index: HostIndex, store: Store, listing: Sequence[Listed]) -> IndexState:
    """How far an index follows the files of a listing; no file is opened."""
    if not index.exists:
        return IndexState(exists=False, behind=sum(one.size for one in listing))
    try:
        following = Following(index, store, listing, lambda: False)
        files = index.files()
    except UnusableIndexError as error:
        return IndexState(exists=True, trouble=str(error))
    return IndexState(
        exists=True,
        logs=len(files),
        indexed=sum(file.cursor - file.begin for file in files),
        behind=sum(map(following.behind, listing)),
        size=index.size(),
    )
