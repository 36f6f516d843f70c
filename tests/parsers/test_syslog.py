"""Frames: fixtures/lines/frames.yaml, the year of BSD stamps, and what every line keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailtrace_parsers import syslog as module
from mailtrace_parsers.entry import Clock
from mailtrace_parsers.syslog import frame
from tests.parsers.samples import CLOCK, load

SAMPLES = load("frames")


def _clock(sample: dict[str, Any]) -> Clock:
    zone = ZoneInfo(sample["zone"]) if "zone" in sample else CLOCK.zone
    reference = sample.get("reference")
    return Clock(zone, datetime.fromisoformat(reference) if reference else CLOCK.reference)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: str(sample["name"]))
def test_frame(sample: dict[str, Any]) -> None:
    read = frame(sample["line"].encode(), _clock(sample))

    for field, wanted in sample["frame"].items():
        if field == "at" and wanted is not None:
            wanted = datetime.fromisoformat(wanted)
            assert read.at is not None
            assert read.at.utcoffset() == wanted.utcoffset()
        value = getattr(read, field)
        assert value == (pytest.approx(wanted) if field == "resolution" else wanted), field


@given(
    second=st.integers(157_766_400, 7_258_118_400),  # 1975 to 2200
    behind=st.timedeltas(timedelta(hours=-23), timedelta(days=363)),
)
def test_a_bsd_stamp_gets_its_year(second: int, behind: timedelta) -> None:
    """The reference may lie up to a year after the line, and a day before it (a clock ahead)."""
    at = datetime.fromtimestamp(second, UTC)
    if (at.month, at.day) == (2, 29):
        at -= timedelta(days=1)
    line = at.strftime("%b %e %H:%M:%S mx1 postfix/qmgr[1]: x").encode()

    assert frame(line, Clock(UTC, at + behind)).at == at


@given(st.integers(1972, 2400))
def test_29_february_is_never_lost(year: int) -> None:
    reference = datetime(year, 3, 15, tzinfo=UTC)
    read = frame(b"Feb 29 12:00:00 mx1 postfix/qmgr[1]: x", Clock(UTC, reference))

    assert read.at is not None
    assert timedelta(0) <= reference - read.at < timedelta(days=366 * 8)


def test_stamps_of_two_clocks_do_not_mix() -> None:
    """The cache is shared; zones and references are not."""
    line = b"Nov 21 04:14:42 mx1 postfix/qmgr[1]: x"
    east = timezone(timedelta(hours=8))
    reads = [
        frame(line, Clock(zone, reference)).at
        for zone in (UTC, east)
        for reference in (datetime(2026, 12, 1, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC))
        for _ in range(2)
    ]

    assert reads == [
        datetime(year, 11, 21, 4, 14, 42, tzinfo=zone)
        for zone in (UTC, east)
        for year in (2026, 2026, 2025, 2025)
    ]


class _Unhashable(tzinfo):
    """A zone as dateutil makes them: equal by value, so that it has no hash."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Unhashable)

    def utcoffset(self, at: datetime | None) -> timedelta:
        return timedelta(hours=1)

    def dst(self, at: datetime | None) -> timedelta:
        return timedelta(0)

    def tzname(self, at: datetime | None) -> str:
        return "X"


def test_zones_that_cannot_be_hashed() -> None:
    clock = Clock(_Unhashable(), datetime(2026, 12, 1, tzinfo=UTC))

    read = frame(b"Nov 21 04:14:42 mx1 postfix/qmgr[1]: x", clock)

    assert read.at == datetime(2026, 11, 21, 3, 14, 42, tzinfo=UTC)


@given(st.binary())
@example(b"<22>1 2026-11-21T04:14:42Z mx1 postfix/smtp 1 - [a")
@example(b'<22>1 2026-11-21T04:14:42Z mx1 postfix/smtp 1 - [a b="\\')
@example(b"<999999>1 ")
@example(b"Nov 21 04:14:42 mx1 /[]: x")
def test_any_bytes_have_a_frame(raw: bytes) -> None:
    read = frame(raw, CLOCK)

    assert read.repeated >= 1
    assert raw.endswith(read.text.encode("utf-8", "surrogateescape")) or read.repeated > 1
    assert read.at is None or read.at.tzinfo is not None


@given(
    st.sampled_from(
        [
            "Nov 21 04:14:42 mx1 postfix/smtpd[1]: ",
            "2026-11-21T04:14:42.5+08:00 mx1 postfix/smtpd[1]: ",
            "<22>1 2026-11-21T04:14:42.5+08:00 mx1 postfix/smtpd 1 - - ",
        ]
    ),
    st.text(st.characters(exclude_characters="\n\ufeff", exclude_categories=["Cs"])),
)
def test_the_text_is_what_stands_behind_the_frame(head: str, text: str) -> None:
    """Whatever a stranger puts there: it moves no field of the frame."""
    read = frame((head + text).encode(), CLOCK)

    assert (read.host, read.instance, read.daemon, read.pid) == ("mx1", "postfix", "smtpd", 1)
    assert read.text == text or read.repeated > 1


STAMPS = st.sampled_from(
    [
        "2026-11-21T04:14:42.123456+08:00",
        "2026-11-21T04:14:42.123456-08:00",
        "2026-11-21T04:14:60.123456+00:00",
        "2026-13-21T04:14:42.123456+00:00",
        "0001-11-21T04:14:42.123456+00:00",
        "2026-11-21T04:14:42.1234567+0800",
        "2026-W47-6T04:14:42.123456+08:00",
        "2026-11-21T041442.12345+08:00:00",
        "2026-11-21T04:14:42.123+08:00:00",
        "2026-11-21 04:14:42.123456+08:00",
        "2026-11-21T04:14:42Z",
        "Nov 21 04:14:42",
        "Nov  1 04:14:42",
        "Feb 30 04:14:42",
        "Nov 21 4:14:420",
        "Nov 21 04:14:4²",
    ]
)
PARTS = st.sampled_from(
    [" ", "  ", "mx1", "postfix/qmgr[1]", ":", ": ", "\t", "x", "a: b", "<22>", ""]
)


@given(STAMPS, st.lists(PARTS, max_size=9).map("".join))
@example("2026-11-21T04:14:42.123456+08:00", " mx1 postfix/qmgr[1]")
@example("2026-11-21T04:14:42.123456+08:00", " mx1 postfix/qmgr[1]: a: b")
@example("Nov 21 04:14:42", " mx1 postfix/qmgr[1]:")
def test_lines_of_a_known_origin_are_read_as_any_other(stamp: str, rest: str) -> None:
    """`_usual` reads nothing that `_any` would read otherwise."""
    for known in ("2026-11-21T04:14:42Z", "Nov 21 04:14:42", "Nov  1 04:14:42", "Feb 30 04:14:42"):
        frame(f"{known} mx1 postfix/qmgr[1]: x".encode(), CLOCK)
        frame(f"{known} x postfix/qmgr[1]:: x".encode(), CLOCK)
    line = stamp + rest

    usual = module._usual(line.encode(), line, CLOCK)

    assert usual is None or usual == module._any(line, CLOCK)


def test_most_lines_are_of_a_known_origin() -> None:
    for stamp in ("2026-11-21T04:14:42.123456+08:00", "Nov 21 04:14:42"):
        lines = [f"{stamp} mx9 postfix/qmgr[{pid}]: x" for pid in (1, 2, 1, 2)]
        read = [frame(line.encode(), CLOCK) for line in lines]
        usual = [module._usual(line.encode(), line, CLOCK) for line in lines]

        assert usual == read
