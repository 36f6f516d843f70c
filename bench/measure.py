"""What running something costs, and two things compared in turns.

A machine is never quite alone. So a comparison is made of pairs: ours and theirs right after each other,
the order changing, and the median of the pairs' ratios counts. Where both only compute, processor time
(user and system, of all processes that were started) is the fair figure; where it is waited for, wall time.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Clock = Literal["cpu", "wall"]


@dataclass(frozen=True)
class Cost:
    """Seconds."""

    wall: float
    cpu: float

    def of(self, clock: Clock) -> float:
        return self.cpu if clock == "cpu" else self.wall

    def per(self, count: int) -> Cost:
        """Of one of `count` equal things."""
        return Cost(self.wall / count, self.cpu / count)


Run = Callable[[], Cost]


@dataclass(frozen=True)
class Compared:
    """Two things that were run in turns; each list has one Cost for each pair."""

    ours: Sequence[Cost]
    theirs: Sequence[Cost]

    def faster(self, clock: Clock) -> Spread:
        """How many times as fast ours is."""
        return self._ratios(clock, lambda ours, theirs: theirs / ours)

    def slower(self, clock: Clock) -> Spread:
        """How many times as long ours takes."""
        return self._ratios(clock, lambda ours, theirs: ours / theirs)

    def _ratios(self, clock: Clock, ratio: Callable[[float, float], float]) -> Spread:
        pairs = zip(self.ours, self.theirs, strict=True)
        return Spread([ratio(_some(one.of(clock)), _some(two.of(clock))) for one, two in pairs])


@dataclass(frozen=True)
class Spread:
    """Figures of one kind."""

    figures: Sequence[float]

    @property
    def median(self) -> float:
        return statistics.median(self.figures)

    def shown(self, unit: str = "×") -> str:
        """The median, and between what the figures lie."""
        low, high = min(self.figures), max(self.figures)
        return f"{number(self.median)}{unit} ({number(low)}–{number(high)})"


def number(figure: float) -> str:
    """With about three digits."""
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"


def compare(ours: Run, theirs: Run, pairs: int) -> Compared:
    """Each is run once to warm up, and then in turns. Raises what they raise."""
    ours()
    theirs()
    mine: list[Cost] = []
    others: list[Cost] = []
    for pair in range(pairs):
        for run, costs in ((ours, mine), (theirs, others))[:: -1 if pair % 2 else 1]:
            costs.append(run())
    return Compared(mine, others)


def program(
    *command: str, cwd: Path | None = None, output: Callable[[bytes], object] | None = None
) -> Cost:
    """A program from its start to its end; `output` is shown what it printed. Raises
    CalledProcessError. Not into /dev/null: grep would stop at its first line."""
    with tempfile.TemporaryFile() as printed:
        begun = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=printed, cwd=cwd)
        cost = ended(process, begun)
        if output is not None:
            printed.seek(0)
            output(printed.read())
    return cost


def ended(process: subprocess.Popen[bytes], begun: float) -> Cost:
    """Waits for a program that was started at `begun`: what it has cost."""
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return Cost(wall, used.ru_utime + used.ru_stime)


def call(act: Callable[[], object]) -> Cost:
    """Something in this process, with all its threads."""
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)


def _some(seconds: float) -> float:
    """The clock of a process that has just ended may not have ticked."""
    return max(seconds, 1e-6)
