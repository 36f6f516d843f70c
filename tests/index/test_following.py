"""An index follows its logs: what is appended, renamed, copied and truncated, packed and deleted."""

from __future__ import annotations

import gzip
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailtrace_mcp.logs import Term
from mailtrace_mcp.logs.index.catalogue import Catalogue
from mailtrace_mcp.logs.index.host import Shape
from mailtrace_mcp.logs.plan import Measures
from mailtrace_mcp.trace.coverage import Window

from .conftest import TINY, Far, Lines, Machine, ask, same, some_terms

START = datetime(2026, 11, 20, tzinfo=UTC)
WAYS = {
    "near": (None, None),
    "far": (Far, Measures(at_once=0)),
    "far, behind": (Far, Measures(at_once=0, behind=0)),
    "far, large": (Far, TINY),
    "far, large, behind": (Far, Measures(small=0, at_once=0, grain=256, behind=0)),
}


class Host:
    """A machine on which time goes by."""

    def __init__(self, folder: Path, seed: int, bare: bool = False) -> None:
        self.machine = Machine(folder)
        self.random = random.Random(seed)
        self.lines = Lines(seed, START, self.random.random() < 0.5, ZoneInfo("UTC"), bare=bare)
        self.half = b""
        self.write()

    def path(self, name: str) -> Path:
        return self.machine.logs / name

    def write(self) -> None:
        """Some lines, the last one perhaps not ended yet."""
        data = self.half + self.lines.some(self.random.randrange(1, 20))
        cut = len(data) - self.random.choice([0, 0, 4])
        self.half = data[cut:]
        self.machine.append("mail.log", data[:cut], self.lines.now)

    def finish(self) -> None:
        self.machine.append("mail.log", self.half, self.lines.now)
        self.half = b""

    def rename(self) -> None:
        self.finish()
        self.pack()
        self.path("mail.log").rename(self.path("mail.log.1"))
        self.path("mail.log").touch()
        self.write()

    def copy_and_truncate(self) -> None:
        self.finish()
        self.pack()
        self.machine.write("mail.log.1", self.path("mail.log").read_bytes(), self.lines.now)
        with self.path("mail.log").open("r+b") as file:
            file.truncate()
        self.write()

    def pack(self) -> None:
        old = self.path("mail.log.1")
        if old.exists():
            written = old.stat().st_mtime
            at = datetime.fromtimestamp(written, UTC)
            self.path("mail.log.2.gz").unlink(missing_ok=True)
            self.machine.write("mail.log.2.gz", old.read_bytes(), at)
            old.unlink()

    def delete(self) -> None:
        self.path("mail.log.2.gz").unlink(missing_ok=True)

    def build(self) -> None:
        self.machine.build()

    def check(self) -> None:
        """Each question has one answer, whichever way it is asked."""
        begin = self.lines.start + timedelta(seconds=self.lines.second) * self.random.random()
        window = Window(begin, begin + timedelta(hours=self.random.random()))
        terms = some_terms(self.random, window)
        expected = ask(self.machine.reference(), terms, window)
        for store, measures in WAYS.values():
            source = self.machine.planned(store() if store else None, True, measures)
            same(ask(source, terms, window), expected)


def whole(machine: Machine) -> None:
    """Each byte that a file is known to hold is in exactly one block."""
    catalogue = Catalogue(machine.index.folder / "catalogue.sqlite", machine.shape.block)
    for file in catalogue.files():
        blocks = sorted(catalogue.blocks_within(file.id, None), key=lambda block: block.offset)
        at = file.begin
        for block in blocks:
            assert block.offset == at
            at += block.length
        assert at == file.cursor
    catalogue.close()


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32),
    st.lists(
        st.sampled_from(["write", "rename", "copy_and_truncate", "pack", "delete", "build"]),
        max_size=8,
    ),
)
def test_an_index_follows_its_logs(
    tmp_path_factory: pytest.TempPathFactory, seed: int, acts: list[str]
) -> None:
    host = Host(tmp_path_factory.mktemp("host"), seed)
    host.build()
    for act in acts:
        getattr(host, act)()
        host.check()
    whole(host.machine)


def test_a_packed_log_is_known_again_and_not_read_anew(tmp_path: Path) -> None:
    host = Host(tmp_path, 1)
    host.finish()
    host.build()
    host.rename()
    host.pack()
    far = Far()
    order_window = Window(START - timedelta(days=1), START + timedelta(days=1))
    host.machine.build(store=far)
    assert "chunks" not in far.calls
    far.calls.clear()
    nothing = [Term("queue_id", "FFFFFFFFFF", order_window)]
    reading = ask(host.machine.planned(far, True, Measures(at_once=0)), nothing, order_window)
    assert not reading.lines
    assert "mail.log.2.gz" in reading.coverage[0].files
    assert "chunks" not in far.calls


def test_what_is_packed_is_unpacked_only_as_far_as_its_blocks_reach(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    lines = Lines(3, START, False, ZoneInfo("UTC"), bare=False)
    marked = b"%s mx1 postfix/qmgr[1]: FEDCBA9876: removed\n" % lines.stamp().encode()
    data = lines.some(100) + marked + lines.some(5000)
    machine.write("mail.log.1.gz", data, lines.now)
    machine.build()
    window = Window(START - timedelta(days=1), START + timedelta(days=9))
    reading = ask(machine.planned(index=True), [Term("queue_id", "FEDCBA9876", window)], window)
    assert [line.raw for line in reading.lines] == [marked[:-1]]
    assert reading.coverage[0].bytes_read <= 256


def test_a_fresh_index_takes_two_round_trips_and_the_next_round_one(tmp_path: Path) -> None:
    machine = Machine(tmp_path, shape=Shape(4096))
    lines = Lines(3, START, False, ZoneInfo("UTC"), bare=False)
    machine.write("mail.log", lines.some(3000), lines.now)
    machine.build()
    window = Window(START + timedelta(hours=3), START + timedelta(hours=5))
    far = Far()
    source = machine.planned(far, True, Measures(small=0, at_once=0))
    assert ask(source, [Term("queue_id", "4F2A1B3C5D", window)], window).lines
    assert far.calls == ["listed", "spans"]
    assert ask(source, [Term("queue_id", "A1B2C3D4E5F", window)], window).lines
    assert far.calls == ["listed", "spans"]  # the same blocks, which it has
    wider = Window(window.start - timedelta(hours=1), window.end)
    assert ask(source, [Term("queue_id", "A1B2C3D4E5F", wider)], wider).lines
    assert far.calls == ["listed", "spans", "spans"]


def test_what_was_appended_comes_with_the_look_at_the_beginning(tmp_path: Path) -> None:
    machine = Machine(tmp_path, shape=Shape(4096))
    lines = Lines(3, START, False, ZoneInfo("UTC"), bare=False)
    machine.write("mail.log", lines.some(3000), lines.now)
    machine.build()
    start = lines.now
    machine.append("mail.log", lines.some(10), lines.now)
    window = Window(start, lines.now)
    far = Far()
    source = machine.planned(far, True, Measures(small=0, at_once=0))
    reading = ask(source, [Term("literal", "postfix", window)], window)
    assert len(reading.lines) == len(
        ask(machine.reference(), [Term("literal", "postfix", window)], window).lines
    )
    assert far.calls[:2] == ["listed", "spans"]
    assert far.calls.count("spans") <= 2
    assert "grep" not in far.calls


def test_only_what_is_young_enough_is_indexed_and_kept(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    lines = Lines(3, START, False, ZoneInfo("UTC"), bare=False, wobble=0)
    old = lines.some(50)
    machine.write("mail.log.1.gz", old, lines.now)
    middle = lines.now
    machine.write("mail.log", lines.some(50), lines.now)
    machine.build(since=middle + timedelta(seconds=1))
    assert [file.head.packing for file in machine.index.files()] == ["plain"]
    window = Window(START, lines.now)
    expected = ask(machine.reference(), [Term("literal", "removed", window)], window)
    same(ask(machine.planned(index=True), [Term("literal", "removed", window)], window), expected)


def test_gzip_told_its_length_wrongly(tmp_path: Path) -> None:
    """Two members in one file: its last four bytes are the length of the second alone."""
    machine = Machine(tmp_path)
    lines = Lines(3, START, False, ZoneInfo("UTC"), bare=False)
    one, two = lines.some(30), lines.some(30)
    machine.write("mail.log", one + two, lines.now)
    machine.build()
    (machine.logs / "mail.log").unlink()
    (machine.logs / "mail.log.1.gz").write_bytes(gzip.compress(one) + gzip.compress(two))
    window = Window(START - timedelta(days=1), START + timedelta(days=9))
    terms = [Term("literal", "removed", window)]
    same(ask(machine.planned(index=True), terms, window), ask(machine.reference(), terms, window))
