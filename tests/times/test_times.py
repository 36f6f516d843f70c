"""What people type, as a window: the grammar of TOOLS.md and the cases of data/bad_inputs.jsonl.

TM030 and TM032 (the year and the zone of log lines) are in tests/logs; TM033 is about sending.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtrace_mcp.errors import MailtraceError
from mailtrace_mcp.times import Asked, asked, moment, window

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
TAIPEI = ZoneInfo("Asia/Taipei")
BERLIN = ZoneInfo("Europe/Berlin")


def ask(time: str | None = None, time_range: str | None = None, zone: ZoneInfo = TAIPEI) -> Asked:
    return asked(time, time_range, zone, NOW, WEEK)


def refused(time: str | None, time_range: str | None = "1h") -> MailtraceError:
    with pytest.raises(MailtraceError) as caught:
        ask(time, time_range)
    return caught.value


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("now", "2026-11-21 12:00:00"),
        (" NOW ", "2026-11-21 12:00:00"),
        ("1 minute ago", "2026-11-21 11:59:00"),
        ("90 minutes ago", "2026-11-21 10:30:00"),
        ("2 hours ago", "2026-11-21 10:00:00"),
        ("3 days ago", "2026-11-18 12:00:00"),
        ("today 14:30", "2026-11-21 06:30:00"),
        ("yesterday 4:30", "2026-11-19 20:30:00"),
        ("2026-01-27 15:00", "2026-01-27 07:00:00"),
        ("2026-01-27 15:00:59", "2026-01-27 07:00:59"),
        ("2026-01-27T15:00:00", "2026-01-27 07:00:00"),
        ("2026-01-27T15:00:00Z", "2026-01-27 15:00:00"),
        ("2026-01-27T15:00:00+08:00", "2026-01-27 07:00:00"),
        ("2026-01-27 15:00:00.250 -0330", "2026-01-27 18:30:00"),
        ("Jan 27 2026 15:00", "2026-01-27 07:00:00"),
        ("27 Jan 2026 15:00:00 UTC", "2026-01-27 15:00:00"),
        ("Tue, 27 Jan 2026 15:00:00 +0100 (CET)", "2026-01-27 14:00:00"),
        ("2026/01/02 3pm", "2026-01-02 07:00:00"),
        ("27/01/2026 15:00", "2026-01-27 07:00:00"),
    ],
)
def test_a_time_is_read(text: str, utc: str) -> None:
    assert f"{moment(text, TAIPEI, NOW):%Y-%m-%d %H:%M:%S}" == utc


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("TM002", "2026-01-27"),
        ("TM003", "2026-13-01 00:00:00"),
        ("TM005", "2026-01-27 24:00:00"),
        ("TM008", "\u0662\u0660\u0662\u0666-01-27 15:00:00"),
        ("TM009", "2026-01-27 15:00:00; id"),
        ("TM012", "2026-01-27T15:00:00+99:00"),
        ("TM013", "1769526000"),
        ("TM017", "9999-12-31 23:59:59"),
        ("a leap day that was none", "2026-02-29 10:00"),
        ("an hour alone", "10:00"),
        ("no year", "27 Jan 15:00"),
        ("two digits of year", "27 Jan 26 15:00"),
        ("no day", "Jan 2026 15:00"),
        ("day or month", "01/02/2026 15:00"),
        ("several zones", "27 Jan 2026 15:00 CST"),
        ("the sign of two readings", "27 Jan 2026 15:00 GMT+3"),
        ("words around it", "on 27 Jan 2026 at about 15:00"),
        ("a line break", "2026-01-27\n15:00:00"),
        ("nothing", ""),
        ("far away", "99999 days ago"),
        ("no such unit", "2 weeks ago"),
        ("none", "0 minutes ago"),
        ("the year one", "0001-01-01 00:00"),
        ("long", "1" * 100_000),
    ],
)
def test_a_time_is_refused_and_told_what_is_accepted(case: str, text: str) -> None:
    error = refused(text)
    assert error.code == "TIME_INVALID", case
    assert "'yesterday 14:30'" in error.message
    assert "Asia/Taipei" in error.message
    assert error.message.isascii() or "…" in error.message
    assert len(error.message) < 500


def test_tm010_tm011_an_offset_is_honoured() -> None:
    utc = ask("2026-01-27T15:00:00Z", "1h").window
    assert utc.start == datetime(2026, 1, 27, 14, tzinfo=UTC)
    assert utc.end == datetime(2026, 1, 27, 16, tzinfo=UTC)
    assert ask("2026-01-27T23:00:00+08:00", "1h").window == utc


def test_tm014_a_time_in_the_gap_of_spring_is_shifted_and_said() -> None:
    found = ask("2026-03-29 02:30:00", "1h", BERLIN)
    assert found.window.start == datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert found.window.end == datetime(2026, 3, 29, 2, 30, tzinfo=UTC)
    assert re.search(r"did not exist in Europe/Berlin .* 03:30 was taken", found.notes[0])


def test_tm015_a_time_that_autumn_repeats_spans_both() -> None:
    found = ask("2026-10-25 02:30:00", "10m", BERLIN)
    assert found.window.start == datetime(2026, 10, 25, 0, 20, tzinfo=UTC)
    assert found.window.end == datetime(2026, 10, 25, 1, 40, tzinfo=UTC)
    assert "happened twice in Europe/Berlin" in found.notes[0]


def test_a_window_over_the_gap_is_as_long_as_asked() -> None:
    found = ask("2026-03-29 03:10:00", "1h", BERLIN).window
    assert found.end - found.start == timedelta(hours=2)


def test_days_ago_keep_the_time_of_day_over_the_change_of_clocks() -> None:
    now = datetime(2026, 10, 25, 12, 0, tzinfo=BERLIN)
    assert moment("1 day ago", BERLIN, now) == datetime(2026, 10, 24, 12, 0, tzinfo=BERLIN)
    assert moment("24 hours ago", BERLIN, now) == datetime(2026, 10, 24, 13, 0, tzinfo=BERLIN)


def test_tm017_the_end_of_time_does_not_overflow() -> None:
    assert refused("9999-12-31 23:59:59", "1d").code == "TIME_INVALID"
    assert ask("8999-12-31 23:59:59", "1d").notes


def test_tm018_the_future_is_empty_and_said() -> None:
    found = ask("2099-01-01 00:00:00", "1h")
    assert found.window.start == found.window.end
    assert "lies in the future" in found.notes[0]


@pytest.mark.parametrize(
    ("case", "text", "code"),
    [
        ("TM019", "0", "TIME_INVALID"),
        ("TM020", "0h", "TIME_INVALID"),
        ("TM021", "-1h", "TIME_INVALID"),
        ("TM022", "999999d", "RANGE_TOO_WIDE"),
        ("over the limit", "8d", "RANGE_TOO_WIDE"),
        ("over the limit", "169h", "RANGE_TOO_WIDE"),
        ("TM024", "1.5h", "TIME_INVALID"),
        ("TM025", "1H", "TIME_INVALID"),
        ("TM026", "1h30m", "TIME_INVALID"),
        ("nothing", "", "TIME_INVALID"),
        ("other digits", "\u0661h", "TIME_INVALID"),
        ("a line break", "1h\n", "TIME_INVALID"),
        ("long", "9" * 100_000 + "d", "TIME_INVALID"),
    ],
)
def test_a_range_is_refused(case: str, text: str, code: str) -> None:
    assert refused("2026-01-27 15:00:00", text).code == code, case


def test_tm027_tm029_what_is_absent_has_its_default() -> None:
    assert ask().window == ask("now", "1h").window
    assert ask("2026-01-27 15:00:00", None).window == ask("2026-01-27 15:00:00", "1h").window


def test_the_window_is_cut_at_now() -> None:
    found = window("30 minutes ago", "1h", TAIPEI, NOW, WEEK)
    assert (found.start, found.end) == (NOW - timedelta(minutes=90), NOW)


def test_the_widest_range_is_the_limit_itself() -> None:
    assert ask("now", "7d").window.start == NOW - WEEK


PIECES = st.sampled_from(
    [
        "2026",
        "26",
        "01",
        "1",
        "13",
        "jan",
        "nov",
        "T",
        ":",
        "-",
        "/",
        ".",
        ",",
        "+",
        "am",
        "pm",
        "Z",
        "UTC",
        "CST",
        "GMT",
        "mon",
        "noon",
        "now",
        "ago",
        "days",
        "today",
        " ",
        " ",
        " ",
        "15:00",
        "2026-01-27",
        "٢",
        "\n",
        "(",
        ")",
        "9999",
        "99999999999",
    ]
)


@given(st.one_of(st.text(max_size=80), st.lists(PIECES, max_size=12).map("".join)))
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        found = ask(text, "1h")
    except MailtraceError as error:
        assert error.code == "TIME_INVALID"
    else:
        assert found.window.start <= found.window.end
