"""The log-file cases of data/bad_inputs.jsonl, each under its id.

Not here: LF025, LF026 (one ID, two mails) are about tracing; LF007's fingerprint and LF035 belong to the
index. TM030 and TM032 are here, they are about the stamps of lines.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import anyio
import pytest

from mailtrace_mcp.logs import Term
from mailtrace_mcp.logs.scan import Member
from mailtrace_mcp.trace.coverage import Window
from mailtrace_parsers.syslog import frame

from .conftest import DAY, NOON, Folder, early, in_order, line, only, texts

ROOT = os.geteuid() == 0


def test_lf001_a_line_that_is_being_written_comes_once_it_is_whole(folder: Folder) -> None:
    half, rest = line(1, "status=sent")[:-8], line(1, "status=sent")[-8:]
    file = folder.write("mail.log", early() + line(0, "status=none") + half, datetime.now(UTC))
    assert texts(folder.read("status")) == ["status=none"]
    with file.open("ab") as writer:
        writer.write(rest)
    assert texts(folder.read("status")) == ["status=none", "status=sent"]


def test_lf001_a_last_line_without_newline_counts_when_nobody_writes_any_more(
    folder: Folder,
) -> None:
    folder.write("mail.log", early() + line(0, "status=")[:-1])
    assert texts(folder.read("status")) == ["status="]


def test_lf004_copytruncate_under_a_writer_loses_and_doubles_nothing(folder: Folder) -> None:
    """Read again and again while a log is appended to and copied and truncated: what either file
    holds throughout a reading is found, and nothing twice."""
    log, stop = folder.write("mail.log", early()), threading.Event()

    def write() -> None:
        with log.open("ab", buffering=0) as writer:
            for number in range(100_000):
                if stop.is_set():
                    return
                writer.write(line(1, f"n={number};"))
                time.sleep(0.0005)

    writing = threading.Thread(target=write)
    writing.start()
    try:
        for turn in range(8):
            time.sleep(0.05)
            before = _numbers(folder)
            (folder.path / f"mail.log-2026112{turn}").write_bytes(log.read_bytes())
            again = _numbers(folder)
            assert len(again) == len(set(again))
            assert set(before) <= set(again)
            os.truncate(log, 0)
    finally:
        stop.set()
        writing.join()
    last = _numbers(folder)
    on_disk = b"".join(file.read_bytes() for file in folder.path.iterdir()).count(b"n=")
    assert len(last) == len(set(last)) == on_disk


def test_rotation_by_rename_under_a_writer_loses_and_doubles_nothing(folder: Folder) -> None:
    """What was written before a reading began is in it, once, while the files change their names."""
    log, stop = folder.write("mail.log", early()), threading.Event()
    written = [0]
    whole = 0

    def write() -> None:
        while not stop.is_set():
            with log.open("ab", buffering=0) as writer:
                for _ in range(20):
                    writer.write(line(1, f"n={written[0]};"))
                    written[0] += 1
            for number in range(400, 1, -1):
                older = folder.path / f"mail.log.{number - 1}"
                if older.exists():
                    older.rename(folder.path / f"mail.log.{number}")
            log.rename(folder.path / "mail.log.1")
            log.touch()
            time.sleep(0.01)

    writing = threading.Thread(target=write)
    writing.start()
    try:
        for _ in range(60):
            known = written[0]
            reading = folder.read("n=")
            found = texts(reading)
            assert len(found) == len(set(found))
            if only(reading).code is None:
                whole += 1
                assert {f"n={number};" for number in range(known)} <= set(found)
            else:
                assert "rotated again and again" in (only(reading).reason or "")
    finally:
        stop.set()
        writing.join()
    assert whole


def _numbers(folder: Folder) -> list[str]:
    return texts(folder.read("n="))


@pytest.mark.parametrize("size", [531, 3 << 20])
def test_lf005_a_hole_of_nul_bytes_is_skipped_and_told(folder: Folder, size: int) -> None:
    folder.write("mail.log", b"\0" * size + early() + line(0, "abc") + line(1, "abc"))
    reading = folder.read("abc")
    assert len(reading.lines) == 2
    assert folder.read("early", window=Window(NOON - timedelta(days=2), NOON)).lines
    assert "mail.log begins with a hole of NUL bytes" in (only(reading).reason or "")
    assert only(reading).state == "read"


def test_lf007_a_new_file_with_the_old_inode_number_is_a_new_file(folder: Folder) -> None:
    file = folder.write("mail.log", early() + line(0, "old abc"))
    source, term = folder.source(), [Term("literal", "abc", DAY)]
    assert texts(anyio.run(source.read, term, DAY)) == ["old abc"]
    file.unlink()
    folder.write("mail.log", early() + line(0, "new abc"))
    assert texts(anyio.run(source.read, term, DAY)) == ["new abc"]


@pytest.mark.parametrize("part", [1.0, 0.6])
def test_lf008_a_log_and_its_packed_copy_count_once(folder: Folder, part: float) -> None:
    text = early() + b"".join(line(n / 60, f"abc {n} {os.urandom(9).hex()}") for n in range(500))
    packed = gzip.compress(text)
    folder.write("mail.log.1", text)
    folder.write("mail.log.1.gz", packed[: int(len(packed) * part)])
    folder.write("mail.log", line(60, "abc last"))
    reading = folder.read("abc")
    assert len(reading.lines) == 501
    assert in_order(reading.lines)
    assert only(reading).state == "read"
    assert only(reading).files == ("mail.log.1", "mail.log")


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
def test_lf009_a_packed_log_that_is_cut_gives_what_stands_before_the_cut(
    folder: Folder, suffix: str
) -> None:
    text = early() + b"".join(line(n / 600, f"abc {os.urandom(60).hex()}") for n in range(20_000))
    packed = _packed(suffix, text)
    folder.write(f"mail.log.2.{suffix}", packed[: len(packed) // 2])
    folder.write("mail.log", line(60, "abc"))
    reading = folder.read("abc")
    assert 5_000 < len(reading.lines) < 15_000
    assert (only(reading).state, only(reading).code) == ("partial", "FILE_CORRUPT")
    assert f"mail.log.2.{suffix} " in (only(reading).reason or "")


def _packed(suffix: str, text: bytes) -> bytes:
    if suffix == "gz":
        return gzip.compress(text)
    return bz2.compress(text) if suffix == "bz2" else lzma.compress(text)


def test_lf009_damage_in_the_middle_is_told(folder: Folder) -> None:
    packed = bytearray(gzip.compress(early() + line(0, "abc") * 5000))
    packed[len(packed) // 2] ^= 0xFF
    folder.write("mail.log.1.gz", bytes(packed))
    assert only(folder.read("abc")).code == "FILE_CORRUPT"


def test_lf011_a_file_that_unpacks_without_end_is_left(folder: Folder) -> None:
    with gzip.open(folder.path / "mail.log.4.gz", "wb") as file:
        file.write(early())
        for _ in range(200):
            file.write(line(0, "x" * 5000) * 200)  # 1 MB
    coverage = only(folder.read("abc"))
    assert (coverage.state, coverage.code) == ("partial", "FILE_CORRUPT")
    assert "unpacks to more than 64 MB" in (coverage.reason or "")
    assert coverage.bytes_read <= 64 << 20


def test_lf012_rotated_files_are_read_or_named(folder: Folder) -> None:
    folder.write("mail.log.4.xz", lzma.compress(early() + line(0, "abc xz")))
    folder.write("mail.log.3.bz2", bz2.compress(line(1, "abc bz2")))
    folder.write("mail.log.2.gz", gzip.compress(line(2, "abc gz")))
    folder.write("mail.log", line(3, "abc"))
    reading = folder.read("abc")
    assert texts(reading) == ["abc xz", "abc bz2", "abc gz", "abc"]
    assert only(reading).state == "read"
    folder.write("mail.log.1.zst", b"\x28\xb5\x2f\xfdabcdefgh")
    reading = folder.read("abc")
    assert len(reading.lines) == 4
    assert (only(reading).state, only(reading).code) == ("partial", "FILE_CORRUPT")
    assert "mail.log.1.zst is packed in a way" in (only(reading).reason or "")


def test_lf012_members_of_gzip_strung_together_are_all_read(folder: Folder) -> None:
    parts = [early(), line(0, "abc 1"), line(1, "abc 2")]
    folder.write("mail.log.1.gz", b"".join(map(gzip.compress, parts)) + b"\0" * 512)
    assert texts(folder.read("abc")) == ["abc 1", "abc 2"]


def test_lf013_a_file_that_is_gone_when_it_is_opened_is_told(folder: Folder) -> None:
    folder.write("mail.log", early() + line(0, "abc"))
    (folder.path / "mail.log.1").symlink_to(folder.path / "gone")
    reading = folder.read("abc")
    assert texts(reading) == ["abc"]
    assert (only(reading).state, only(reading).code) == ("partial", "FILE_NOT_FOUND")
    assert "mail.log.1 is not there" in (only(reading).reason or "")


@pytest.mark.skipif(not ROOT, reason="only root can become another user and back")
def test_lf014_a_file_that_may_not_be_read_is_told(folder: Folder) -> None:
    for parent in [folder.path, *folder.path.parents]:
        if parent != Path("/") and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o055)
    folder.write("mail.log.1", early()).chmod(0o600)
    folder.write("mail.log", line(0, "abc")).chmod(0o644)
    os.seteuid(65534)
    try:
        some, none = folder.read("abc"), folder.read("abc", patterns=["mail.log.1"])
        hidden = folder.read("abc", patterns=["shut/mail.log*"])
    finally:
        os.seteuid(0)
    assert texts(some) == ["abc"]
    assert (only(some).state, only(some).code) == ("partial", "FILE_DENIED")
    assert (only(none).state, only(none).code) == ("denied", "FILE_DENIED")
    assert "mail.log.1 may not be read" in (only(none).reason or "")
    assert only(hidden).code == "FILE_NOT_FOUND"


@pytest.mark.skipif(not ROOT, reason="only root can become another user and back")
def test_lf014_a_folder_that_may_not_be_looked_into_is_told(folder: Folder) -> None:
    folder.write("shut/mail.log", early())
    (folder.path / "shut").chmod(0o700)
    os.seteuid(65534)
    try:
        coverage = only(folder.read("abc", patterns=["shut/mail.log*"]))
    finally:
        os.seteuid(0)
    assert (coverage.state, coverage.code) == ("denied", "FILE_DENIED")


@pytest.mark.parametrize("kind", ["folder", "fifo", "socket", "device", "circle"])
def test_lf016_what_is_no_file_is_not_opened(folder: Folder, kind: str) -> None:
    odd = folder.path / "mail.log"
    listener = socket.socket(socket.AF_UNIX)
    if kind == "folder":
        odd.mkdir()
    elif kind == "fifo":
        os.mkfifo(odd)
    elif kind == "socket":
        os.chdir(folder.path)  # the path of a socket must be short
        listener.bind("mail.log")
    elif kind == "device":
        odd.symlink_to("/dev/zero")
    else:
        odd.symlink_to(odd)
    folder.write("mail.log.1", early() + line(0, "abc"))
    started = time.monotonic()
    reading = folder.read("abc", patterns=["mail.log", "mail.log.1"])
    listener.close()
    assert time.monotonic() - started < 5
    assert texts(reading) == ["abc"]
    assert (only(reading).state, only(reading).code) == ("partial", "FILE_DENIED")


def test_lf017_an_empty_file_is_no_error(folder: Folder) -> None:
    folder.write("mail.log.1", early())
    folder.write("mail.log", b"")
    assert (only(folder.read("abc")).state, only(folder.read("abc")).code) == ("read", None)


def test_lf017_a_log_that_is_all_empty_covers_nothing(folder: Folder) -> None:
    folder.write("mail.log", b"")
    coverage = only(folder.read("abc"))
    assert (coverage.state, coverage.code, coverage.lines) == ("partial", None, 0)


def test_lf018_a_large_log_is_read_around_the_window_only(folder: Folder) -> None:
    log = b"".join(line(n / 10, "x" * 1000) for n in range(4 * 24 * 600))  # four days, 60 MB
    folder.write("mail.log", log)
    window = Window(NOON + timedelta(days=2), NOON + timedelta(days=2, minutes=1))
    reading = folder.read("x", window=window)
    assert len(reading.lines) == 11
    assert (only(reading).oldest, only(reading).newest) == (window.start, window.end)
    assert only(reading).bytes_read < 8 << 20
    assert only(reading).state == "read"


def test_lf018_a_reading_ends_soon_after_it_is_cancelled(folder: Folder) -> None:
    folder.write("mail.log", early() + line(0, "y" * 60000) * 3000)  # 180 MB

    async def cancelled() -> float:
        terms = [Term("address", f"a{n}@b.example", DAY) for n in range(200)]
        with anyio.move_on_after(0.2):
            await folder.source().read(terms, DAY)
        return time.monotonic()

    started = time.monotonic()
    assert anyio.run(cancelled) - started < 2
    deadline = time.monotonic() + 5
    while _reading_threads() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _reading_threads()


def _reading_threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if "worker" in one.name.lower() and one.is_alive()]


def test_lf019_a_keyword_that_matches_every_line_is_cut_at_the_limit(folder: Folder) -> None:
    folder.write("mail.log", early() + line(0, "abc") * 5000)
    folder.limit = 100_000
    reading = folder.read("abc")
    assert sum(len(found.raw) for found in reading.lines) <= 100_000
    assert (only(reading).state, only(reading).code) == ("partial", "RANGE_TOO_WIDE")
    assert "More lines match than are given" in (only(reading).reason or "")


def test_lf020_two_formats_in_one_file_are_in_order_of_time(folder: Folder) -> None:
    old = b"Nov 21 11:59:5%d mx1 postfix/smtpd[7]: abc %d\n"
    new = b"<22>1 2026-11-21T12:00:0%dZ mx1 postfix/smtpd 7 - - abc %d\n"
    text = b"".join(old % (n, n) for n in range(5)) + b"".join(new % (n, n) for n in range(5))
    folder.write("mail.log", early() + text)
    reading = folder.read("abc")
    times = [frame(found.raw, found.clock).at for found in reading.lines]
    assert len(times) == 10
    assert None not in times
    assert times == sorted(time for time in times if time)


def test_lf021_lines_of_other_programs_are_lines_too(folder: Folder) -> None:
    other = b"2026-11-21T12:00:00+00:00 mx1 dovecot: imap-login: user=<bob@example.com>\n"
    folder.write("mail.log", early() + other + line(0, "<bob@example.com>"))
    assert len(folder.read("bob@example.com", "address").lines) == 2


def test_lf022_invalid_utf_8_hides_no_line(folder: Folder) -> None:
    odd = line(0, "abc").replace(b"abc", b"\xff\xfeabc")
    folder.write("mail.log", early() + line(0, "abc") * 500 + odd + line(0, "abc") * 499)
    assert len(folder.read("abc").lines) == 1000


def test_lf023_a_nul_byte_hides_no_line(folder: Folder) -> None:
    folder.write("mail.log", early() + line(0, "abc") * 10 + b"x\0abc\n" + line(0, "abc") * 10)
    assert len(folder.read("abc").lines) == 21


def test_lf027_where_the_clock_steps_back_the_order_is_that_of_the_file(folder: Folder) -> None:
    steps = [0, 10, 20, -40, -30, 0]
    folder.write("mail.log", early() + b"".join(line(at, f"abc {at}") for at in steps))
    reading = folder.read("abc")
    assert texts(reading) == [f"abc {at}" for at in steps]
    assert in_order(reading.lines)
    assert only(reading).newest == NOON + timedelta(minutes=20)


def test_lf030_files_from_before_the_window_are_not_opened(folder: Folder) -> None:
    week = timedelta(days=7).total_seconds() / 60
    for age in range(9):
        text = line(-week * (age + 1), f"begin {age}") + line(-week * (age + 0.5), f"abc {age}")
        name = "mail.log" if age == 0 else f"mail.log.{age}"
        folder.write(name, text)
    for old in range(5, 9):  # to open one would be told
        (folder.path / f"mail.log.{old}").write_bytes(b"\x28\xb5\x2f\xfd no log")
    at = NOON - timedelta(days=24)
    reading = folder.read("abc", window=Window(at - timedelta(days=1), at))
    assert texts(reading) == ["abc 3"]
    assert only(reading).files == ("mail.log.3",)
    assert (only(reading).state, only(reading).reason) == ("read", None)


def test_lf031_a_glob_without_a_file_is_told(folder: Folder) -> None:
    folder.write("mail.log", early() + line(0, "abc"))
    some = folder.read("abc", patterns=["mail.log*", "maillog*"])
    assert texts(some) == ["abc"]
    assert (only(some).state, only(some).code) == ("partial", "FILE_NOT_FOUND")
    assert "maillog* matches no file" in (only(some).reason or "")
    none = only(folder.read("abc", patterns=["maillog*"]))
    assert (none.state, none.code, none.files) == ("unreachable", "FILE_NOT_FOUND", ())


def test_lf032_crlf_ends_a_line_as_well(folder: Folder) -> None:
    folder.write("mail.log", (early() + line(0, "abc")).replace(b"\n", b"\r\n"))
    assert texts(folder.read("abc")) == ["abc"]


def test_lf033_what_is_appended_while_it_is_read_is_left_for_the_next_time(folder: Folder) -> None:
    log, stop = folder.write("mail.log", early() + line(0, "abc") * 20_000), threading.Event()

    def grow() -> None:
        with log.open("ab") as writer:
            while not stop.is_set() and writer.tell() < 1 << 30:
                writer.write(line(0, "abc") * 5000)

    growing = threading.Thread(target=grow)
    growing.start()
    try:
        started = time.monotonic()
        assert only(folder.read("no such thing")).code is None
        assert time.monotonic() - started < 20
    finally:
        stop.set()
        growing.join()
        log.unlink()


def test_tm030_months_are_compared_as_times(folder: Folder) -> None:
    stamped = b"%s  5 12:00:00 mx1 postfix/smtpd[7]: abc %s\n"
    folder.write("mail.log", b"".join(stamped % (m, m) for m in (b"Jan", b"Apr", b"Oct")))
    april = datetime(2026, 4, 5, 12, tzinfo=UTC)
    window = Window(april - timedelta(days=1), april + timedelta(days=1))
    assert texts(folder.read("abc", window=window)) == ["abc Apr"]


def test_tm032_a_zone_that_was_assumed_is_told(folder: Folder) -> None:
    folder.write("mail.log", b"Nov 20 12:00:00 mx1 x[1]: early\nNov 21 12:00:00 mx1 x[1]: abc\n")
    folder.members = [Member("mx1", ZoneInfo("UTC"), zone_assumed=True)]
    coverage = only(folder.read("abc"))
    assert coverage.state == "read"
    assumed = "No time zone is configured for it: its stamps were read as UTC."
    assert coverage.reason == assumed
    # Also where it makes a log begin after the window, so that nothing of it is read.
    folder.write("mail.log", b"Nov 21 20:00:00 mx1 x[1]: abc\n")
    hour = Window(NOON - timedelta(hours=1), NOON + timedelta(hours=1))
    coverage = only(folder.read("abc", window=hour))
    assert coverage.files == ()
    assert assumed in (coverage.reason or "")
    folder.write("mail.log", early() + line(0, "abc"))
    assert only(folder.read("abc")).reason is None
