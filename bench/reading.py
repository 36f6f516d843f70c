"""T1, T2, T9: a whole log read, into an index and into events, beside pflogsumm and ripgrep."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator

from bench.genlog import Log
from bench.measure import Compared, Cost, compare, number, program
from bench.memory import peak
from bench.programs import program as found
from bench.report import Row
from bench.setting import ROOT, Setting
from bench.sizes import shown

_MEMORY = 250 * 10**6


def index_speed(setting: Setting) -> Iterator[Row]:
    """T1."""
    log = str(setting.log().path)
    folder = str(setting.log().path.with_suffix(".new"))

    def ours() -> Cost:
        shutil.rmtree(folder, ignore_errors=True)
        return program(*_work("index", log, folder), cwd=ROOT)

    pflogsumm, rg = found("pflogsumm"), found("rg")
    summed = compare(ours, lambda: program(pflogsumm, log), setting.pairs)
    faster = summed.faster("cpu")
    yield Row(
        "T1",
        "full key index ≥ 6× pflogsumm's speed",
        faster.shown(),
        faster.median >= 6,
        f"processor time of whole processes; by the clock {summed.faster('wall').shown()},"
        " as it reads with all cores",
    )
    searched = compare(ours, lambda: program(rg, "-c", "status=", log), setting.pairs)
    slower = searched.slower("cpu")
    yield Row(
        "T1",
        "and ≤ 25× the time of `rg -c 'status='`",
        slower.shown(),
        slower.median <= 25,
        f"processor time; by the clock {searched.slower('wall').shown()}",
    )


def index_size(setting: Setting) -> Iterator[Row]:
    """T2."""
    log = setting.log()
    share = setting.index(log).size() / log.size * 100
    target = "index ≤ 3 % of the log"
    yield Row("T2", target, f"{share:.2f} %", share <= 3, f"of {shown(log.size)}")
    tenth = setting.log(size=max(10**6, setting.size // 10))
    less, most = _memory(tenth), _memory(log)
    yield Row(
        "T2",
        "peak memory ≤ 250 MB at 1 GB and flat beyond",
        shown(most),
        most <= _MEMORY,
        f"all its processes together; {shown(less)} for {shown(tenth.size)}",
    )


def event_speed(setting: Setting) -> Iterator[Row]:
    """T9."""
    log = setting.log()
    pflogsumm = found("pflogsumm")
    summed = compare(
        lambda: program(*_work("events", str(log.path)), cwd=ROOT),
        lambda: program(pflogsumm, str(log.path)),
        setting.pairs,
    )
    faster = summed.faster("cpu")
    yield Row(
        "T9",
        "full events (`read()` of every line) ≥ 2× pflogsumm's speed",
        faster.shown(),
        faster.median >= 2,
        f"processor time of whole processes; {_each(summed, log.lines)}",
    )


def _memory(log: Log) -> int:
    folder = log.path.with_suffix(".new")
    shutil.rmtree(folder, ignore_errors=True)
    return peak(_work("index", str(log.path), str(folder)), ROOT)


def _each(summed: Compared, lines: int) -> str:
    mine, others = (
        sorted(cost.cpu for cost in costs)[len(costs) // 2] / lines * 1e6
        for costs in (summed.ours, summed.theirs)
    )
    return f"{number(mine)} µs a line, pflogsumm {number(others)} µs"


def _work(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "bench.work", *words)
