"""T3, T4: where a queue ID stands, found by the index, by bisection in a window, and by grep."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import anyio

from bench.genlog import Log
from bench.measure import Cost, compare, number, program
from bench.programs import program as found
from bench.report import Row
from bench.setting import ALWAYS, Sample, Setting, planned, samples
from bench.sizes import shown
from mailtrace_mcp.logs import LogSource, Term
from mailtrace_mcp.trace.coverage import Window

_AT_ONCE = 40  # lookups of which the median counts, each of another queue ID
_AROUND = timedelta(minutes=2)


class WrongError(Exception):
    """Ours does not give what grep gives: then its speed means nothing."""


def with_index(setting: Setting) -> Iterator[Row]:
    """T3."""
    log, grep = setting.log(), found("grep")
    small = setting.log(size=max(10**6, setting.size // 100))
    ours = _by_index(setting, log)
    searched = compare(ours, _Grep(grep, log, samples(log, 50)), setting.pairs)
    faster, wanted = searched.faster("wall"), 1000 * setting.part
    _check(log, grep, planned(log.path, setting.index(log)), lambda sample: ALWAYS)
    yield Row(
        "T3",
        f"queue ID → raw lines ≥ 1,000× faster than `grep -F`{_scaled(setting, wanted)}",
        faster.shown(),
        faster.median >= wanted,
        f"by the clock, in a process that runs; {number(_median(searched.ours) * 1e3)} ms and"
        f" {number(_median(searched.theirs) * 1e3)} ms",
    )
    grown = compare(ours, _by_index(setting, small), setting.pairs).slower("wall")
    yield Row(
        "T3",
        "and ≤ 2× slower in a log 100 times as large",
        grown.shown(),
        grown.median <= 2,
        f"{shown(log.size)} beside {shown(small.size)}",
    )


def without_index(setting: Setting) -> Iterator[Row]:
    """T4."""
    log, grep = setting.log(), found("grep")
    some = samples(log, 50, 0.25, 0.75)
    bare = planned(log.path, None)
    ours = _Lookups(bare, some, _around, 5)
    searched = compare(ours, _Grep(grep, log, some), setting.pairs)
    faster, wanted = searched.faster("wall"), 20 * setting.part
    _check(log, grep, bare, _around)
    yield Row(
        "T4",
        "lookup without an index in a window of ±2 min ≥ 20× faster than `grep -F` of the file"
        + _scaled(setting, wanted),
        faster.shown(),
        faster.median >= wanted,
        f"by the clock; {number(_median(searched.ours) * 1e3)} ms and"
        f" {number(_median(searched.theirs) * 1e3)} ms",
    )


def _scaled(setting: Setting, wanted: float) -> str:
    """grep's time grows with the log and ours does not, so a smaller log asks for less."""
    if setting.part >= 1:
        return ""
    return f" at 1 GB, so ≥ {number(wanted)}× at {shown(setting.size)}"


class _Lookups:
    """Some lookups one after the other in an event loop; the cost of the median one."""

    def __init__(
        self,
        log: LogSource,
        some: Sequence[Sample],
        window: Callable[[Sample], Window],
        at_once: int,
    ) -> None:
        self._log, self._some, self._window = log, some, window
        self._at_once = at_once
        self._begin = 0

    def __call__(self) -> Cost:
        return anyio.run(self._run)

    async def _run(self) -> Cost:
        costs = []
        for _ in range(self._at_once):
            sample = self._some[self._begin % len(self._some)]
            self._begin += 1
            window = self._window(sample)
            term = Term("queue_id", sample.queue_id, window)
            wall, cpu = time.perf_counter(), time.process_time()
            reading = await self._log.read([term], window)
            costs.append(Cost(time.perf_counter() - wall, time.process_time() - cpu))
            if not reading.lines:
                raise WrongError(f"{sample.queue_id} was not found")
        return sorted(costs, key=lambda cost: cost.wall)[self._at_once // 2]


class _Grep:
    """One queue ID after the other, in the whole file."""

    def __init__(self, grep: str, log: Log, some: Sequence[Sample]) -> None:
        self._command = (grep, "-aF")
        self._log, self._some = log, some
        self._number = 0

    def __call__(self) -> Cost:
        self._number += 1
        sample = self._some[self._number % len(self._some)]
        return program(*self._command, sample.queue_id, str(self._log.path))


def _by_index(setting: Setting, log: Log) -> _Lookups:
    indexed = planned(log.path, setting.index(log))
    return _Lookups(indexed, samples(log, 1000), lambda sample: ALWAYS, _AT_ONCE)


def _around(sample: Sample) -> Window:
    return Window(sample.at - _AROUND, sample.at + _AROUND)


def _check(log: Log, grep: str, ours: LogSource, window: Callable[[Sample], Window]) -> None:
    """Each line that grep finds in the window is one of ours, and the other way round."""
    for sample in samples(log, 5, 0.3, 0.7):
        inside = window(sample)
        reading = anyio.run(ours.read, [Term("queue_id", sample.queue_id, inside)], inside)
        printed: list[bytes] = []
        program(grep, "-aF", sample.queue_id, str(log.path), output=printed.append)
        theirs = [line for line in b"".join(printed).splitlines() if _inside(line, inside)]
        if [line.raw for line in reading.lines] != theirs:
            raise WrongError(f"of {sample.queue_id} ours finds other lines than grep")


def _inside(line: bytes, window: Window) -> bool:
    return window.holds(Sample.stamp(line))


def _median(costs: Sequence[Cost]) -> float:
    return statistics.median(cost.wall for cost in costs)
