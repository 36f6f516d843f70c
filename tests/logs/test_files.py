"""What is read of log files: rotation, order, copies, the window, many hosts in one file."""

from __future__ import annotations

import gzip
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailtrace_mcp.config import load
from mailtrace_mcp.logs import Term
from mailtrace_mcp.logs.blocks import LONGEST_LINE, blocks
from mailtrace_mcp.logs.open import sources
from mailtrace_mcp.logs.rotation import date_in_name, listed
from mailtrace_mcp.logs.scan import Member
from mailtrace_mcp.trace.coverage import Window
from mailtrace_parsers.syslog import frame

from .conftest import DAY, NOON, Folder, early, in_order, line, only, texts


@pytest.mark.parametrize(
    "names",
    [
        ["mail.log.10.gz", "mail.log.2.gz", "mail.log.1", "mail.log"],
        ["mail.log-20261119.gz", "mail.log-20261120.xz", "mail.log-20261121", "mail.log"],
        ["mail.log-2026112005", "mail.log-2026112106", "mail.log"],
        ["mail-2026-11-20.log", "mail-2026-11-21.log"],
        ["mail.log.1.gz", "mail.log-20261121", "mail.log"],
    ],
)
def test_rotated_files_are_listed_oldest_first(folder: Folder, names: list[str]) -> None:
    shuffled = list(names)
    random.Random(3).shuffle(shuffled)
    for name in shuffled:
        folder.write(name, name.encode())
    found, troubles = listed([str(folder.path / "mail*")])
    assert [Path(one.path).name for one in found] == names
    assert not troubles


def test_a_day_in_a_name_is_known() -> None:
    assert str(date_in_name("/var/log/20250101/mail.log-20261121.gz")) == "2026-11-21"
    assert date_in_name("/var/log/20250101/mail.log") is None
    assert date_in_name("mail.log-20261399") is None
    assert date_in_name("mail.log-1700000000") is None


def test_lines_of_rotated_files_are_in_order_over_all_files(folder: Folder) -> None:
    folder.write("mail.log.2.gz", gzip.compress(early() + line(0, "abc 1") + line(1, "abc 2")))
    folder.write("mail.log.1", line(1, "abc 3") + line(2, "abc 4"))
    folder.write("mail.log", line(2, "abc 5"))
    reading = folder.read("abc")
    assert texts(reading) == [f"abc {n}" for n in range(1, 6)]
    assert in_order(reading.lines)
    assert [found.source for found in reading.lines][::4] == ["mail.log.2.gz", "mail.log"]


def test_a_line_keeps_its_order_when_its_file_is_rotated_and_packed(folder: Folder) -> None:
    old = early() + line(0, "abc 1")
    folder.write("mail.log", old)
    before = {found.raw: found.order for found in folder.read("abc").lines}
    (folder.path / "mail.log").unlink()
    folder.write("mail.log.1.gz", gzip.compress(old))
    folder.write("mail.log", line(5, "abc 2"))
    after = {found.raw: found.order for found in folder.read("abc").lines}
    assert before.items() <= after.items()
    assert len(after) == 2


@pytest.mark.parametrize("how", ["hard link", "symbolic link", "copy", "packed", "begun copy"])
def test_the_same_content_under_two_names_counts_once(folder: Folder, how: str) -> None:
    text = early() + line(0, "abc 1") + line(1, "abc 2")
    log, twin = folder.write("mail.log", text), folder.path / "mail.log.old"
    if how == "hard link":
        os.link(log, twin)
    elif how == "symbolic link":
        twin.symlink_to(log)
    elif how == "packed":
        folder.write("mail.log.gz", gzip.compress(text))
    else:
        folder.write(twin.name, text if how == "copy" else text[:-30])
    reading = folder.read("abc")
    assert texts(reading) == ["abc 1", "abc 2"]
    assert len(only(reading).files) == 1
    assert only(reading).state == "read"


def test_two_logs_that_begin_alike_and_differ_are_both_read(folder: Folder) -> None:
    folder.write("mail.log", early() + line(0, "abc 1"))
    folder.write("mail.log.old", early() + line(0, "abc 2"))
    assert sorted(texts(folder.read("abc"))) == ["abc 1", "abc 2"]
    assert in_order(folder.read("abc").lines)


def test_two_logs_that_differ_in_one_line_only_are_both_read(folder: Folder) -> None:
    filler = b"".join(line(n / 100) for n in range(5000))
    folder.write("mail.log", early() + line(0) * 70 + line(0, "abc 1") + filler)
    folder.write("mail.log.old", early() + line(0) * 70 + line(0, "abc 2") + filler)
    assert sorted(texts(folder.read("abc"))) == ["abc 1", "abc 2"]


def test_the_window_holds_both_its_ends_and_nothing_else(folder: Folder) -> None:
    folder.write("mail.log", early() + b"".join(line(at, f"abc {at}") for at in range(5)))
    window = Window(NOON + timedelta(minutes=1), NOON + timedelta(minutes=3))
    reading = folder.read("abc", window=window)
    assert texts(reading) == ["abc 1", "abc 2", "abc 3"]
    assert (only(reading).oldest, only(reading).newest) == (window.start, window.end)


def test_the_span_seen_is_told_though_no_line_matches(folder: Folder) -> None:
    folder.write("mail.log", early() + b"".join(line(at) for at in range(0, 60 * 24, 7)))
    window = Window(NOON + timedelta(minutes=10), NOON + timedelta(minutes=40))
    coverage = only(folder.read("no such thing", window=window))
    assert coverage.lines == 0
    assert coverage.oldest == NOON + timedelta(minutes=14)
    assert coverage.newest == NOON + timedelta(minutes=35)


def test_each_term_has_its_own_window(folder: Folder) -> None:
    folder.write("mail.log", early() + line(0, "abc") + line(60, "abc") + line(60, "xyz"))
    wide = Window(NOON, NOON + timedelta(hours=2))
    narrow = Window(NOON, NOON + timedelta(minutes=1))
    terms = [Term("literal", "abc", narrow), Term("literal", "xyz", wide)]
    reading = anyio.run(folder.source().read, terms, wide)
    assert texts(reading) == ["abc", "xyz"]


def test_a_line_without_a_stamp_is_not_left_out(folder: Folder) -> None:
    folder.write("mail.log", early() + b"this abc is no syslog record\n" + line(0, "xyz"))
    assert [found.raw for found in folder.read("abc").lines] == [b"this abc is no syslog record"]


def test_everything_is_each_line_in_the_window(folder: Folder) -> None:
    folder.write(
        "mail.log", early() + line(0, "abc") + b"\n" + line(1, "xyz") + line(60 * 24, "late")
    )
    assert texts(folder.read()) == ["abc", "xyz"]


def test_a_log_that_begins_inside_the_window_is_partial_without_a_code(folder: Folder) -> None:
    folder.write("mail.log", line(0, "abc"))
    coverage = only(folder.read("abc"))
    assert (coverage.state, coverage.code) == ("partial", None)
    assert coverage.reason == (
        "Its log begins at 2026-11-21 12:00:00 (UTC); what was written before is not there: "
        "rotated away or never written."
    )
    after = Window(NOON - timedelta(seconds=59), NOON)
    assert only(folder.read("abc", window=after)).state == "read"


def test_a_long_line_is_cut_and_counted_and_the_next_one_is_whole(folder: Folder) -> None:
    for size in (100_000, 2_000_000):
        folder.write("mail.log", early() + line(0, "abc " + "x" * size) + line(1, "abc"))
        reading = folder.read("abc")
        assert [len(found.raw) for found in reading.lines] == [
            LONGEST_LINE,
            len(line(1, "abc")) - 1,
        ]
        assert only(reading).reason == "1 lines over 64 KB were cut."


@pytest.mark.parametrize("noise", [bytes(range(256)) * 400, "mail ä\n".encode("utf-16") * 999])
def test_a_file_that_is_no_text_is_told_and_not_searched(folder: Folder, noise: bytes) -> None:
    folder.write("mail.log.1", noise)
    folder.write("mail.log", early() + line(0, "abc"))
    reading = folder.read()
    assert texts(reading) == ["abc"]
    folder.write("mail.log", line(0, "abc"))
    reading = folder.read()
    assert texts(reading) == ["abc"]
    assert (only(reading).state, only(reading).code) == ("partial", "FILE_CORRUPT")
    assert "mail.log.1 is no text log" in (only(reading).reason or "")


@pytest.mark.parametrize(
    ("name", "written", "year"),
    [
        ("mail.log", datetime(2026, 1, 2, tzinfo=UTC), 2025),
        ("mail.log", datetime(2026, 12, 31, tzinfo=UTC), 2026),
        ("mail.log-20260101", datetime(2026, 1, 1, tzinfo=UTC), 2025),
        ("mail.log-20260101", datetime(2029, 6, 1, tzinfo=UTC), 2025),
        ("mail.log-20270103", datetime(2020, 6, 1, tzinfo=UTC), 2026),
        ("mail.log-20261228", datetime(2027, 1, 3, tzinfo=UTC), 2026),
    ],
)
def test_stamps_without_a_year_take_it_from_the_file(
    folder: Folder, name: str, written: datetime, year: int
) -> None:
    folder.write(name, b"Dec 30 12:00:00 mx1 postfix/smtpd[7]: abc\n", written)
    ages = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    (found,) = folder.read("abc", window=ages).lines
    at = frame(found.raw, found.clock).at
    assert at == datetime(year, 12, 30, 12, tzinfo=UTC)


def test_a_packed_file_remembers_when_it_was_written(folder: Folder) -> None:
    packed = gzip.compress(
        b"Dec 30 12:00:00 mx1 x[7]: abc\n", mtime=datetime(2021, 1, 1, tzinfo=UTC).timestamp()
    )
    folder.write("mail.log.1.gz", packed, datetime(2026, 6, 1, tzinfo=UTC))
    ages = Window(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    (found,) = folder.read("abc", window=ages).lines
    at = frame(found.raw, found.clock).at
    assert at is not None
    assert at.year == 2020


def test_stamps_without_a_zone_are_in_the_hosts(folder: Folder) -> None:
    folder.zone = ZoneInfo("Asia/Taipei")
    folder.write("mail.log", b"Nov 19 12:00:00 mx1 x[1]: early\nNov 21 20:00:00 mx1 x[7]: abc\n")
    window = Window(NOON, NOON)
    assert texts(folder.read("abc", window=window)) == ["abc"]


def test_hosts_that_are_not_asked_are_not_told(folder: Folder) -> None:
    folder.write("mail.log", early() + line(0, "abc"))
    other = [Term("literal", "abc", DAY, frozenset(["mx2"]))]
    reading = anyio.run(folder.source().read, other, DAY)
    assert (list(reading.lines), list(reading.coverage)) == ([], [])


LOGHOST = """
hosts:
  loghost: {{address: 192.0.2.1, logs: {{files: [srv/mail.log*]}}}}
  mx1: {{aliases: [mx1.example.com], timezone: {zone}, logs: {{at: loghost}}}}
  mx2: {{address: 192.0.2.2, logs: {{at: loghost, files: [srv/mail.log*]}}}}
  own: {{logs: {{files: [own/mail.log]}}}}
  far: {{address: 127.0.0.1, logs: {{at: ssh, files: [/var/log/mail.log]}}, ssh: {{user: x, port: 1}}}}
"""


@pytest.mark.parametrize("zone", ["UTC", "Asia/Taipei"])
def test_a_loghost_holds_the_lines_of_many_hosts(folder: Folder, zone: str) -> None:
    config_file = folder.write("config.yaml", LOGHOST.format(zone=zone).encode())
    names = ["mx1", "MX1.example.com", "192.0.2.2", "loghost", "mx1.other.example", "mx3", "own"]
    text = b"".join(line(at, f"abc {name}", name) for at, name in enumerate(names))
    folder.write("srv/mail.log", early() + text)
    folder.write("own/mail.log", early() + line(0, "abc any name", "whatever"))

    async def read() -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for source in sources(load(config_file, {})):
            reading = await source.read([Term("literal", "abc", DAY)], DAY)
            for one in reading.coverage:
                mine = [
                    x.raw.decode().rpartition("abc ")[2]
                    for x in reading.lines
                    if x.host == one.host
                ]
                found[one.host] = mine
                if one.host == "far":
                    assert (one.state, one.code) == ("unreachable", "HOST_UNREACHABLE")
                    assert "cannot be reached" in (one.reason or "")
                elif one.host != "own":
                    assert one.state == "read"
                    assert "2 matching lines bear a host name" in (one.reason or "")
        return found

    assert anyio.run(read) == {
        "loghost": ["loghost"],
        "mx1": ["mx1", "MX1.example.com"],
        "mx2": ["192.0.2.2"],
        "own": ["any name"],
        "far": [],
    }


def test_terms_for_one_host_of_a_loghost_give_no_lines_of_another(folder: Folder) -> None:
    folder.members = [Member("mx1", UTC, by_name=True), Member("mx2", UTC, by_name=True)]
    folder.owner_of = lambda name: name if name in ("mx1", "mx2") else None
    folder.write("mail.log", early() + line(0, "abc", "mx1") + line(1, "abc", "mx2"))
    terms = [Term("literal", "abc", DAY, frozenset(["mx2"]))]
    reading = anyio.run(folder.source().read, terms, DAY)
    assert [found.host for found in reading.lines] == ["mx2"]
    assert [one.host for one in reading.coverage] == ["mx2"]


PIECES = st.lists(st.sampled_from([b"a", b"bc\n", b"\n", b"x" * 40, b"y" * 70, b"\0"]))


@given(PIECES, st.integers(1, 90))
def test_blocks_are_whole_lines_and_lose_only_the_rest_of_long_ones(
    pieces: list[bytes], size: int
) -> None:
    data = b"".join(pieces)
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    found = list(blocks(chunks, longest=64))
    for block in found:
        text = block.data[:-1] if block.cut else block.data
        assert data[block.offset : block.offset + len(text)] == text
        assert block.offset == 0 or data[block.offset - 1 : block.offset] == b"\n"
    cut = [part for block in found for part in block.data.removesuffix(b"\n").split(b"\n")]
    whole = data.removesuffix(b"\n").split(b"\n") if data else []
    assert [one[:64] for one in cut] == [one[:64] for one in whole]


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=2000), st.sampled_from(["mail.log", "mail.log.1.gz", "mail.log.2.xz"]))
def test_no_bytes_whatever_make_a_reading_fail(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str
) -> None:
    folder = Folder(tmp_path_factory.mktemp("any"))
    magic = {"gz": b"\x1f\x8b\x08", "xz": b"\xfd7zXZ\0", "og": b""}[name[-2:]]
    folder.write(name, magic + data)
    reading = folder.read()
    assert only(reading).host == "mx1"
