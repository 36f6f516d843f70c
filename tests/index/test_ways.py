"""Whichever way a host is read, the lines are the same: by the index, by bisection and grep, by grep
alone, and all of it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailtrace_mcp.logs import Reading, Term
from mailtrace_mcp.logs.plan import Measures
from mailtrace_mcp.logs.scan import Member
from mailtrace_mcp.logs.store import Stopped
from mailtrace_mcp.trace.coverage import Window

from .conftest import TINY, Far, Lines, Machine, ask, same, some_terms

START = datetime(2026, 11, 20, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 24, 23, tzinfo=UTC)
WAYS = {
    "near": (None, False, None),
    "near, large": (None, False, TINY),
    "grep": (Far, False, Measures(at_once=0)),
    "bisect and grep": (Far, False, TINY),
    "index near": (None, True, None),
    "index near, large": (None, True, TINY),
    "index far": (Far, True, Measures(at_once=0)),
    "index far, large": (Far, True, TINY),
    "index far, much": (Far, True, Measures(small=0, at_once=0, grain=256, fetched=600)),
}


def a_machine(seed: int, folder: Path) -> tuple[Machine, Lines]:
    chosen = random.Random(seed)
    zone = ZoneInfo(chosen.choice(["UTC", "Asia/Taipei", "Europe/Berlin"]))
    machine = Machine(folder, zone)
    if chosen.random() < 0.4:
        machine.members = (
            Member("mx1", zone, by_name=True),
            Member("mx2", zone, zone_assumed=True, by_name=True),
        )
        machine.owner_of = {"mx1": "mx1", "mx2.ex.com": "mx2"}.get
    start = chosen.choice([START, AUTUMN])
    return machine, Lines(seed, start, chosen.random() < 0.5, zone)


def fill(machine: Machine, lines: Lines) -> None:
    """Rotated files, packed or not, and the current one; perhaps with a last line that is not ended."""
    chosen = lines.random
    for name in ("mail.log.2.gz", "mail.log.1", "mail.log"):
        if chosen.random() < 0.8:
            data = lines.some(chosen.randrange(1, 60))
            if chosen.random() < 0.2:
                data = data[:-5]
            machine.write(name, data, lines.now)


def a_question(lines: Lines) -> tuple[list[Term], Window]:
    chosen = lines.random
    length = timedelta(seconds=max(60.0, lines.second))
    begin = lines.start + length * (chosen.random() - 0.2)
    window = Window(begin, begin + length * (0.1 + chosen.random()))
    return some_terms(chosen, window), window


def read(machine: Machine, way: str, terms: list[Term], window: Window) -> Reading:
    store, index, measures = WAYS[way]
    return ask(machine.planned(store() if store else None, index, measures), terms, window)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_all_ways_give_the_same_lines(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    machine, lines = a_machine(seed, tmp_path_factory.mktemp("machine"))
    fill(machine, lines)
    machine.build()
    for _ in range(2):
        terms, window = a_question(lines)
        expected = ask(machine.reference(), terms, window)
        for way in WAYS:
            found = read(machine, way, terms, window)
            same(found, expected, stamped_only=WAYS[way][2] not in (None, Measures(at_once=0)))


class Counting(Far):
    """Notes how many bytes are fetched."""

    fetched = 0

    def spans(self, path: str, spans: Sequence[tuple[int, int]], stopped: Stopped) -> list[bytes]:
        self.fetched += sum(length for _, length in spans)
        return super().spans(path, spans, stopped)


def test_what_other_hosts_are_asked_for_is_not_looked_for_here(tmp_path: Path) -> None:
    machine, lines = Machine(tmp_path), Lines(1, START, bsd=False, zone=ZoneInfo("UTC"))
    machine.write("mail.log", lines.some(200), lines.now)
    machine.build()
    window = Window(START - timedelta(days=1), START + timedelta(days=1))
    nowhere = Term("queue_id", "FFFF1111FF", window)
    fetched = []
    for hosts in (frozenset({"mx2"}), frozenset({"mx1"})):
        store = Counting()
        everything = Term("process", "postfix/smtp[2]", window, hosts)  # no index has such a key
        source = machine.planned(
            store, index=True, measures=Measures(small=0, at_once=0, grain=256)
        )
        found = ask(source, [nowhere, everything], window)
        assert bool(found.lines) == (hosts == {"mx1"})
        fetched.append(store.fetched)
    assert fetched[0] < fetched[1] / 4
