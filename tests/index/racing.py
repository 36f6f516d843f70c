"""A log is written and rotated while it is read again and again, in all ways: nothing may be missed, and
nothing may come twice."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from mailtrace_mcp.logs import LogSource, Reading, Term
from mailtrace_mcp.logs.store import Store
from mailtrace_mcp.trace.coverage import Window
from tests.soak import rounds

from .conftest import Machine, ask
from .rotating import Written, microseconds
from .running import here

SECONDS = rounds(6, 60)
PERIOD = 2
_REACH = (0.5, 5.0, 5.0, 1000.0)  # seconds back that are asked for
_NUMBER = re.compile(rb"number=([0-9]+)$")


@dataclass
class Tally:
    """What one way gave: readings that were whole, and those that told that they were not."""

    whole: int = 0
    told: list[str] = field(default_factory=list)


def race(
    machine: Machine, ways: Mapping[str, Callable[[], LogSource]], store: Store | None = None
) -> None:
    """Runs rotating.py on a machine without logs yet, which is then indexed over `store`."""
    (machine.logs / "mail.log").touch()
    written = Written.at(machine.folder)
    tallies = {way: Tally() for way in ways}
    chosen = random.Random(5)
    program = [sys.executable, "-m", "tests.index.rotating"]
    program += [str(machine.folder), str(SECONDS), str(PERIOD)]
    with subprocess.Popen(program, **here()) as writer:
        while not written.count and writer.poll() is None:
            time.sleep(0.01)
        machine.build(store=store)
        while writer.poll() is None:
            for way, source in ways.items():
                told = _once(source(), written, way, chosen)
                tallies[way].whole += told is None
                tallies[way].told += [told] if told else []
    assert writer.returncode == 0
    assert written.count > SECONDS * 1000
    for way, tally in tallies.items():
        assert _once(ways[way](), written, way, chosen) is None, way
        assert tally.whole > len(tally.told), (way, tally)


def _once(source: LogSource, written: Written, way: str, chosen: random.Random) -> str | None:
    """One reading, with everything that was written before it; or what it tells of itself instead."""
    count, now = written.count, datetime.now(UTC)
    window = Window(now - timedelta(seconds=chosen.choice(_REACH)), now + timedelta(seconds=60))
    everything = Term("everything", "", window)
    term = chosen.choice([everything, Term("literal", "number=", window)])
    reading = ask(source, [term], window)
    if reading.coverage[0].code is not None:
        return reading.coverage[0].reason or reading.coverage[0].code
    numbers = _numbers(reading)
    assert len(numbers) == len(set(numbers)), f"{way}: twice"
    wanted = written.between(microseconds(window.start), microseconds(window.end), count)
    missed = sorted(wanted - set(numbers))
    assert not missed, f"{way}: missed {len(missed)} of {len(wanted)}: {missed[0]} to {missed[-1]}"
    assert numbers == sorted(numbers), f"{way}: out of order"
    return None


def _numbers(reading: Reading) -> list[int]:
    return [int(match[1]) for one in reading.lines if (match := _NUMBER.search(one.raw))]
