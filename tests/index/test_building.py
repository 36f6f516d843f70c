"""`mailtrace-mcp index`: what it reads, says and keeps."""

from __future__ import annotations

import os
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailtrace_mcp.logs import Term
from mailtrace_mcp.logs.index import (
    HostIndex,
    Indexes,
    IndexState,
    Order,
    Shape,
    StoppedError,
    UnusableIndexError,
    build,
    state,
)
from mailtrace_mcp.logs.local import LocalStore
from mailtrace_mcp.trace.coverage import Window

from .conftest import AGES, Lines, Machine, ask, same
from .test_following import whole

START = datetime(2026, 11, 20, tzinfo=UTC)
ALL = Window(START - timedelta(days=1), START + timedelta(days=30))
STORE = LocalStore()


def lines(seed: int = 3, start: datetime = START) -> Lines:
    return Lines(seed, start, False, ZoneInfo("UTC"), bare=False, wobble=0)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    some = lines()
    machine.write("mail.log.2.gz", some.some(50), some.now)
    machine.write("mail.log.1", some.some(50), some.now)
    machine.write("mail.log", some.some(50), some.now)
    return machine


def order(machine: Machine, since: datetime = AGES, kept_from: datetime = AGES) -> Order:
    return Order(machine.patterns, machine.zone, since, kept_from)


def test_progress_grows_to_all_there_is(machine: Machine) -> None:
    said: list[tuple[int, int, str]] = []
    built = build(
        machine.index,
        STORE,
        order(machine),
        lambda done, total, name: said.append((done, total, name)),
    )
    text = sum((machine.logs / name).stat().st_size for name in ("mail.log", "mail.log.1"))
    assert built.files == 3
    assert built.size > text
    assert [done for done, _, _ in said] == sorted(done for done, _, _ in said)
    assert said[-1][0] == built.size
    assert all(done <= total for done, total, _ in said)
    assert {Path(name).name for _, _, name in said} == {"mail.log", "mail.log.1", "mail.log.2.gz"}
    again = build(machine.index, STORE, order(machine))
    assert (again.files, again.size) == (0, 0)


def test_several_processes_build_the_same_index(machine: Machine) -> None:
    build(machine.index, STORE, order(machine), workers=0)
    other = HostIndex(machine.folder / "other", machine.shape)
    build(other, STORE, order(machine), workers=2)
    one = sqlite3.connect(machine.index.folder / "catalogue.sqlite")
    two = sqlite3.connect(other.folder / "catalogue.sqlite")
    for query in (
        "SELECT * FROM files",
        "SELECT * FROM blocks",
        "SELECT pairs, first, last FROM segments",
    ):
        assert one.execute(query).fetchall() == two.execute(query).fetchall()
    one.close()
    two.close()
    machine.index = other
    terms = [Term("queue_id", "4F2A1B3C5D", ALL)]
    same(ask(machine.planned(index=True), terms, ALL), ask(machine.reference(), terms, ALL))


def test_it_stops_when_it_is_told_and_goes_on_from_there(machine: Machine) -> None:
    done = 0

    def enough(size: int, total: int, name: str) -> None:
        nonlocal done
        done = size

    with pytest.raises(StoppedError):
        build(machine.index, STORE, order(machine), enough, lambda: done > 4000)
    whole(machine)
    begun = state(machine.index, STORE, STORE.listed(machine.patterns, lambda: False)[0])
    assert begun.indexed > 0
    assert begun.behind > 0
    machine.build()
    whole(machine)
    terms = [Term("queue_id", "4F2A1B3C5D", ALL)]
    same(ask(machine.planned(index=True), terms, ALL), ask(machine.reference(), terms, ALL))


def test_what_is_too_old_is_forgotten(machine: Machine) -> None:
    machine.build()
    later = lines(4, START + timedelta(days=9))
    with (machine.logs / "mail.log").open("ab") as file:
        file.write(later.some(50))
    os.utime(machine.logs / "mail.log", (later.now.timestamp(), later.now.timestamp()))
    kept_from = START + timedelta(days=2)
    build(machine.index, STORE, order(machine, kept_from=kept_from))
    (known,) = machine.index.files()
    assert known.begin > 0
    whole(machine)
    segments = {path.name for path in machine.index.folder.glob("*.keys")}
    machine.index.close()
    sql = sqlite3.connect(machine.index.folder / "catalogue.sqlite")
    alive = {number for (number,) in sql.execute("SELECT id FROM blocks")}
    for name, data, first, last in sql.execute("SELECT name, data, first, last FROM segments"):
        assert any(first <= number <= last for number in alive)
        assert data is not None or name in segments
    sql.close()
    for window in (
        ALL,
        Window(START, START + timedelta(minutes=30)),
        Window(later.start, later.now),
    ):
        terms = [Term("queue_id", "4F2A1B3C5D", window), Term("literal", "removed", window)]
        same(
            ask(machine.planned(index=True), terms, window), ask(machine.reference(), terms, window)
        )


def test_of_a_large_log_only_what_is_asked_for_is_indexed(tmp_path: Path) -> None:
    machine = Machine(tmp_path, shape=Shape())
    filler = b"x" * 900
    with (machine.logs / "mail.log").open("wb") as file:
        for second in range(40_000):
            at = START + timedelta(seconds=second)
            file.write(b"%s mx1 x[1]: %s\n" % (at.isoformat().encode(), filler))
    since = START + timedelta(seconds=36_000)
    build(machine.index, STORE, order(machine, since=since))
    (known,) = machine.index.files()
    size = (machine.logs / "mail.log").stat().st_size
    assert known.cursor == size
    assert size * 0.6 < known.begin < size * 0.9


def test_files_that_cannot_be_read_are_told_and_cost_only_themselves(machine: Machine) -> None:
    packed = machine.logs / "mail.log.2.gz"
    packed.write_bytes(packed.read_bytes()[:-20])
    (machine.logs / "mail.log.3").write_bytes(bytes(range(256)) * 99)
    built = build(machine.index, STORE, order(machine))
    assert [trouble.words for trouble in built.troubles] == ["breaks off: its end is missing"]
    assert built.files == 2
    terms = [Term("literal", "removed", ALL)]
    same(ask(machine.planned(index=True), terms, ALL), ask(machine.reference(), terms, ALL))


def test_a_reused_inode_is_noticed_by_how_the_file_begins(machine: Machine) -> None:
    """LF007: deleted and made anew, a file may have the number of the old one."""
    machine.build()
    path = machine.logs / "mail.log"
    other = lines(9, START + timedelta(days=1))
    data = other.some(80)
    assert len(data) > path.stat().st_size
    with path.open("r+b") as file:  # the same inode
        file.write(data)
    os.utime(path, (other.now.timestamp(), other.now.timestamp()))
    terms = [Term("queue_id", "4F2A1B3C5D", ALL), Term("queue_id", "A1B2C3D4E5F", ALL)]
    same(ask(machine.planned(index=True), terms, ALL), ask(machine.reference(), terms, ALL))
    assert len(machine.index.files()) == 4


@pytest.mark.parametrize("name", ["", "catalogue.sqlite"])
@pytest.mark.parametrize("how", ["open to others", "another's"])
def test_an_index_that_others_can_write_is_refused(machine: Machine, name: str, how: str) -> None:
    """LF035."""
    machine.build()
    machine.index.close()
    path = machine.index.folder / name
    if how == "another's":
        if os.geteuid() != 0:
            pytest.skip("giving a file away takes root")
        os.chown(path, 65534, 65534)
    else:
        path.chmod(0o777 if path.is_dir() else 0o666)
    terms = [Term("queue_id", "4F2A1B3C5D", ALL)]
    reading = ask(machine.planned(index=True), terms, ALL)
    assert [line.raw for line in reading.lines] == [
        line.raw for line in ask(machine.reference(), terms, ALL).lines
    ]
    assert "belongs to others or is open to them" in (reading.coverage[0].reason or "")
    with pytest.raises(UnusableIndexError, match="belongs to others"):
        machine.build()


def test_the_state_of_an_index_is_told(machine: Machine) -> None:
    listing = STORE.listed(machine.patterns, lambda: False)[0]
    sizes = sum(one.size for one in listing)
    indexes = Indexes()
    index = indexes.of(machine.folder / "mx1")
    assert indexes.of(machine.folder / "mx1") is index
    assert state(index, STORE, listing) == IndexState(exists=False, behind=sizes)
    build(index, STORE, order(machine))
    told = state(index, STORE, listing)
    assert (told.exists, told.logs, told.behind, told.trouble) == (True, 3, 0, None)
    assert told.indexed > sizes
    assert told.size > 0
    with (machine.logs / "mail.log").open("ab") as file:
        file.write(b"x" * 100)
    assert state(index, STORE, STORE.listed(machine.patterns, lambda: False)[0]).behind == 100
    index.close()
    (index.folder / "catalogue.sqlite").write_bytes(b"nothing" * 1000)
    assert state(index, STORE, listing).trouble == "it was damaged and is made anew"
