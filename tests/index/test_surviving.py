"""An index is a cache: killed, full, broken or shared, it costs time and never an answer."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailtrace_mcp.logs import Reading, Term
from mailtrace_mcp.logs.index.failures import UnusableIndexError
from mailtrace_mcp.logs.index.host import HostIndex
from mailtrace_mcp.trace.coverage import Window
from tests.soak import rounds

from .conftest import Lines, Machine, ask, same
from .running import here
from .test_following import whole

ROUNDS = rounds(15, 200)
START = datetime(2026, 11, 20, tzinfo=UTC)
WINDOW = Window(START + timedelta(minutes=5), START + timedelta(days=9))
TERMS = [Term("queue_id", "4F2A1B3C5D", WINDOW), Term("domain", "ex.com", WINDOW)]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Two logs that are indexed, and some lines in the current one that are not."""
    machine = Machine(tmp_path)
    lines = Lines(5, START, False, ZoneInfo("UTC"), bare=False)
    machine.write("mail.log.1", lines.some(60), lines.now)
    machine.write("mail.log", lines.some(60), lines.now)
    machine.build()
    machine.append("mail.log", lines.some(10), lines.now)
    return machine


def asked(machine: Machine) -> Reading:
    """The answer with the index, which is the right one whatever is wrong with it."""
    found = ask(machine.planned(index=True), TERMS, WINDOW)
    expected = ask(machine.reference(), TERMS, WINDOW)
    assert [line.raw for line in found.lines] == [line.raw for line in expected.lines]
    assert found.coverage[0].state == expected.coverage[0].state
    return found


def reason(reading: Reading) -> str:
    return reading.coverage[0].reason or ""


@pytest.mark.soak
def test_killed_at_any_moment_it_opens_and_has_lost_and_doubled_nothing(tmp_path: Path) -> None:
    program = [sys.executable, "-m", "tests.index.crashing", str(tmp_path), str(ROUNDS), "7"]
    done = subprocess.run(program, **here(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


@contextmanager
def no_file_over(size: int) -> Iterator[None]:
    """As on a disk that is full: writing fails beyond so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 4096, 40_000])
def test_where_nothing_can_be_written_the_log_is_searched_and_that_is_told(
    machine: Machine, size: int
) -> None:
    with no_file_over(size):
        said = reason(asked(machine))
    if size < 40_000:
        assert "Its index could not be used (" in said
        assert said.endswith("): the log itself was searched.")
    assert not reason(asked(machine))
    whole(machine)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
def test_a_full_disk(machine: Machine) -> None:
    disk = machine.folder / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        shutil.copytree(machine.index.folder, disk / "index")
        machine.index = HostIndex(disk / "index", machine.shape)
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(b"x" * 4096)
        assert "Its index could not be used (" in reason(asked(machine))
        filler.unlink()
        assert not reason(asked(machine))
        whole(machine)
    finally:
        machine.index.close()
        subprocess.run(["umount", "-l", str(disk)], check=True)


def catalogue_of(machine: Machine) -> Path:
    machine.index.close()
    return machine.index.folder / "catalogue.sqlite"


def a_segment(machine: Machine) -> Path:
    machine.index.close()
    return sorted(machine.index.folder.glob("*.keys"))[0]


def cut_catalogue(machine: Machine) -> None:
    os.truncate(catalogue_of(machine), 5000)


def spoil_catalogue(machine: Machine) -> None:
    path = catalogue_of(machine)
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * (path.stat().st_size - 100))


def no_catalogue(machine: Machine) -> None:
    catalogue_of(machine).write_bytes(b"no database at all" * 99)


def empty_catalogue(machine: Machine) -> None:
    catalogue_of(machine).write_bytes(b"")


def cut_segment(machine: Machine) -> None:
    path = a_segment(machine)
    os.truncate(path, path.stat().st_size - 8)


def empty_segment(machine: Machine) -> None:
    os.truncate(a_segment(machine), 0)


def spoil_segments(machine: Machine) -> None:
    a_segment(machine)
    for path in machine.index.folder.glob("*.keys"):
        data = bytearray(path.read_bytes())
        data[len(data) // 3] ^= 1
        path.write_bytes(data)


def swap_segments(machine: Machine) -> None:
    a_segment(machine)
    one, other, *_ = sorted(
        machine.index.folder.glob("*.keys"), key=lambda path: path.stat().st_size
    )
    one.write_bytes(other.read_bytes())


def lose_segment(machine: Machine) -> None:
    a_segment(machine).unlink()


def another_version(machine: Machine) -> None:
    machine.index.close()
    HostIndex(machine.index.folder, machine.shape)
    with machine.index.writing() as catalogue:
        assert catalogue is not None
        with catalogue.change():
            catalogue.put_fact("version", 99)
    machine.index.close()


def folder_in_the_way(machine: Machine) -> None:
    path = catalogue_of(machine)
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "spoil",
    [
        cut_catalogue, spoil_catalogue, no_catalogue, empty_catalogue, cut_segment, empty_segment,
        spoil_segments, swap_segments, lose_segment, another_version,
    ],
)  # fmt: skip
def test_broken_it_is_made_anew_and_the_question_answered_meanwhile(
    machine: Machine, spoil: Callable[[Machine], None]
) -> None:
    spoil(machine)
    asked(machine)
    asked(machine)
    machine.build()
    whole(machine)
    assert not reason(asked(machine))
    assert machine.index.files()


def test_what_is_in_its_way_is_told(machine: Machine) -> None:
    folder_in_the_way(machine)
    assert "Its index could not be used (" in reason(asked(machine))
    with pytest.raises(UnusableIndexError):
        machine.build()


def test_a_log_that_was_written_into_is_read_anew(machine: Machine) -> None:
    """The bytes of a block are others than those that were indexed."""
    path = machine.logs / "mail.log"
    written = path.stat().st_mtime
    data = path.read_bytes()
    half = len(data) // 2
    path.write_bytes(data[:5000] + data[5000:half].swapcase() + data[half:])
    os.utime(path, (written, written))
    asked(machine)
    asked(machine)


def test_it_is_for_its_owner_alone(machine: Machine) -> None:
    asked(machine)
    assert machine.index.folder.stat().st_mode & 0o777 == 0o700
    files = list(machine.index.folder.iterdir())
    assert {path.suffix for path in files} >= {".sqlite", ".keys", ""}
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_no_line_of_a_log_is_copied_into_it(machine: Machine) -> None:
    asked(machine)
    machine.index.close()
    kept = b"".join(path.read_bytes() for path in machine.index.folder.iterdir())
    for text in (b"status=", b"ex.com", b"4F2A1B3C5D", b"postfix/", b"queued as"):
        assert text not in kept


def test_many_at_once_and_all_are_answered(machine: Machine) -> None:
    """Each with an index object of its own, as processes have, and all find something to index."""
    expected = ask(machine.reference(), TERMS, WINDOW)
    failed: list[BaseException] = []

    def one() -> None:
        try:
            mine = Machine(machine.folder)
            for _ in range(5):
                same(ask(mine.planned(index=True), TERMS, WINDOW), expected)
        except BaseException as error:  # noqa: BLE001  told below
            failed.append(error)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    whole(machine)


def test_while_another_builds_building_says_so_and_asking_goes_on(machine: Machine) -> None:
    other = HostIndex(machine.index.folder, machine.shape)
    with other.writing() as catalogue:
        assert catalogue is not None
        with pytest.raises(UnusableIndexError, match="another process is writing it"):
            machine.build()
        assert not reason(asked(machine))
