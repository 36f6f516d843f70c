"""Where and on what is measured: logs that are written once, and their indexes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench import genlog
from bench.genlog import Log
from mailtrace_mcp.logs.index import HostIndex, Order, build
from mailtrace_mcp.logs.local import LocalStore
from mailtrace_mcp.logs.plan import PlannedSource
from mailtrace_mcp.logs.scan import Member
from mailtrace_mcp.logs.store import Store
from mailtrace_mcp.trace.coverage import Window
from mailtrace_parsers.postfix.queue_id import is_queue_id

ROOT = Path(__file__).parent.parent
FULL = 10**9  # bytes: the size for which the targets are meant
NO_LIMIT = 1 << 40
_LONG = timedelta(days=300)


@dataclass
class Setting:
    """`folder` is for this run alone; `size` that of each log in bytes; each comparison has `pairs`."""

    folder: Path
    size: int
    pairs: int
    _logs: dict[tuple[str, int], Log] = field(default_factory=dict)
    _indexes: dict[Path, HostIndex] = field(default_factory=dict)

    @property
    def part(self) -> float:
        """How large the logs are, of what the targets are meant for."""
        return self.size / FULL

    def log(self, host: str = "mx1.example.net", size: int | None = None) -> Log:
        """The log of a host, of this size or that of the setting."""
        wanted = (host, size or self.size)
        if wanted not in self._logs:
            path = self.folder / f"{host}.{wanted[1]}.log"
            self._logs[wanted] = genlog.write(path, wanted[1], host=host)
        return self._logs[wanted]

    def index(self, log: Log) -> HostIndex:
        """The index of a log, up to date when it was made."""
        if log.path not in self._indexes:
            index = self._indexes[log.path] = HostIndex(log.path.with_suffix(".index"))
            build(index, LocalStore(), order(log.path))
        return self._indexes[log.path]


def order(path: Path) -> Order:
    """All of a log into an index."""
    return Order((str(path),), UTC, genlog.START - _LONG, genlog.START - _LONG)


def planned(path: Path, index: HostIndex | None, store: Store | None = None) -> PlannedSource:
    """A log as one host's source; on this machine if no other store is given."""
    members = [Member("mx1", UTC)]
    return PlannedSource(
        store or LocalStore(), (str(path),), members, lambda name: None, NO_LIMIT, index=index
    )


ALWAYS = Window(genlog.START - _LONG, genlog.START + _LONG)


@dataclass(frozen=True)
class Sample:
    """A queue ID of a log, and when a line about it was written."""

    queue_id: str
    at: datetime

    @staticmethod
    def stamp(line: bytes) -> datetime:
        """When a line was written."""
        return datetime.fromisoformat(line.partition(b" ")[0].decode("ascii"))


def samples(log: Log, count: int, begin: float = 0.0, end: float = 1.0) -> Sequence[Sample]:
    """So many queue IDs by chance out of this part of a log, each another one."""
    chosen = random.Random(log.size)
    found: dict[str, Sample] = {}
    with log.path.open("rb") as file:
        for _ in range(count * 100):
            if len(found) == count:
                break
            file.seek(int(log.size * (begin + (end - begin) * chosen.random())))
            lines = file.read(8192).split(b"\n")[1:-1]
            for sample in _queue_ids(lines):
                found.setdefault(sample.queue_id, sample)
                break
    return list(found.values())


def _queue_ids(lines: Sequence[bytes]) -> Iterator[Sample]:
    for line in lines:
        _, _, tag, word, *_ = [*line.decode().split(" ", 4), "", "", "", ""]
        queue_id = word.removesuffix(":")
        if tag.startswith("postfix/") and word.endswith(":") and is_queue_id(queue_id):
            yield Sample(queue_id, Sample.stamp(line))
