"""The indexes of all machines: a folder each, and where it lies; and what is told of one."""

from __future__ import annotations

import atexit
import hashlib
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mailtrace_mcp.config import Config, Host
from mailtrace_mcp.logs.index.failures import UnusableIndexError
from mailtrace_mcp.logs.index.following import Following
from mailtrace_mcp.logs.index.host import HostIndex
from mailtrace_mcp.logs.rotation import Listed
from mailtrace_mcp.logs.store import Store


class Indexes:
    """The indexes of this process, each opened once; threads may share them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: dict[Path, HostIndex] = {}

    def of(self, folder: Path) -> HostIndex:
        """The index in a folder."""
        with self._lock:
            if folder not in self._of:
                self._of[folder] = HostIndex(folder)
            return self._of[folder]

    def close(self) -> None:
        """Lets go of all."""
        with self._lock:
            for index in self._of.values():
                index.close()


INDEXES = Indexes()
atexit.register(INDEXES.close)


def folder_of(config: Config, host: Host, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Where the index of the files that hold a host's lines is kept, one for all hosts whose lines they
    hold; None where none is: it is switched off, or there is a journal.

    Its name tells the machine, and by a digest which files of it: what is another machine or another
    file in the next configuration is never looked up in the index of this one.
    """
    logs = host.logs
    if logs.kind != "files" or not config.index.enabled:
        return None
    whose: tuple[object, ...] = ()
    if logs.place != "local":
        holder = config.hosts[logs.place]
        whose = (holder.name, holder.addresses, holder.ssh.port)
    told = repr((whose, logs.files)).encode()
    mark = hashlib.blake2b(told, digest_size=6).hexdigest()
    return _root(config, environ) / f"{logs.place}-{mark}"


def _root(config: Config, environ: Mapping[str, str]) -> Path:
    cache = environ.get("XDG_CACHE_HOME", "")
    # The XDG specification: a relative path there is to be ignored.
    if "path" not in config.index.model_fields_set and os.path.isabs(cache):
        return Path(cache) / "mailtrace"
    here = os.path.abspath(config.path.parent)
    return Path(here, os.path.expanduser(config.index.path))


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
        following = Following(index, store, (), listing, lambda: False)
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
