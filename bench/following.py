"""T5: a log that grows, and its index that follows it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import anyio

from bench import genlog
from bench.distance import ROUND_TRIP, far
from bench.measure import Spread, number
from bench.report import Row
from bench.setting import ALWAYS, NO_LIMIT, Setting, order, planned
from bench.sshd import Server, sshd
from mailtrace_mcp.logs import Term
from mailtrace_mcp.logs.index import HostIndex, build
from mailtrace_mcp.logs.local import LocalStore
from mailtrace_mcp.logs.ssh.pool import Pool
from mailtrace_mcp.logs.ssh.remote_store import RemoteStore
from mailtrace_mcp.logs.store import Store

_SIZE = 10**7  # bytes: what has been indexed before does not matter
_LINES = 1000
_NOBODY = "0123456789AB"  # a queue ID that is nowhere


def grown(setting: Setting) -> Iterator[Row]:
    """T5."""
    times = 4 * setting.pairs
    with sshd(setting.folder / "t5") as server, far(server.port) as port:
        here = _Growing.of(setting.folder / "t5" / "here.log", LocalStore())
        near, distant = _remote(server, "near", server.port), _remote(server, "distant", port)
        for begun in (here, near, distant):
            begun.looked(True)
        for lines, target, most in (
            (True, "1,000 new lines: fetched and indexed ≤ 6 ms + 1 round trip", 6.0),
            (False, "nothing new ≤ 1 ms + 1 round trip", 1.0),
        ):
            spent: list[float] = []
            trips: list[float] = []
            for _ in range(times):
                spent.append(here.looked(lines) * 1e3)
                over_it = near.looked(lines)
                trips.append((distant.looked(lines) - over_it) / ROUND_TRIP)
            cost, ways = Spread(spent), Spread(trips)
            yield Row(
                "T5",
                target,
                f"{cost.shown(' ms')} + {number(ways.median)} round trips",
                cost.median <= most and ways.median < 1.5,
                "a question for a queue ID that is nowhere: time on this machine's files, round trips"
                f" counted over SSH at 0 and {ROUND_TRIP * 1e3:.0f} ms",
            )


@dataclass
class _Growing:
    """A log to which lines are appended, and who reads it."""

    path: Path
    store: Store
    index: HostIndex
    lines: list[bytes]
    written: float

    @classmethod
    def of(cls, path: Path, store: Store) -> _Growing:
        log = genlog.write(path, _SIZE)
        data = path.read_bytes().split(b"\n")
        index = HostIndex(path.with_suffix(".index"))
        build(index, store, order(path))
        return cls(path, store, index, data[:_LINES], log.end.timestamp())

    def looked(self, grown: bool) -> float:
        """Seconds until a question is answered, after `_LINES` were appended or nothing was done."""
        if grown:
            with self.path.open("ab") as file:
                file.write(b"\n".join(self.lines) + b"\n")
            self.written += 1
            os.utime(self.path, (self.written, self.written))
        return anyio.run(self._asked)

    async def _asked(self) -> float:
        source = planned(self.path, self.index, self.store)  # each question has its own
        begun = time.perf_counter()
        await source.read([Term("queue_id", _NOBODY, ALWAYS)], ALWAYS)
        return time.perf_counter() - begun


def _remote(server: Server, name: str, port: int) -> _Growing:
    machine = Pool().machine(server.login(name, port))
    return _Growing.of(server.folder / f"{name}.log", RemoteStore(lambda: machine, NO_LIMIT))
