"""A window is found in few reads, wherever it lies, and nothing of it is left out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailtrace_mcp.logs.bisect import SLACK, Bounds, bounds
from mailtrace_mcp.logs.logfile import stamp
from mailtrace_mcp.logs.match import lines
from mailtrace_mcp.trace.coverage import Window
from mailtrace_parsers.entry import Clock

START = datetime(2026, 11, 20, tzinfo=UTC)
CLOCK = Clock(UTC, datetime(2026, 12, 1, tzinfo=UTC))
WIDTH = 200  # bytes of a line


def line_at(number: int, second: float, bsd: bool = False) -> bytes:
    at = START + timedelta(seconds=second)
    text = f"{at:%b %e %H:%M:%S}" if bsd else at.isoformat(timespec="microseconds")
    return f"{text} mx1 postfix/smtpd[7]: {number} ".encode().ljust(WIDTH - 1, b"x") + b"\n"


class Huge:
    """A log that is never written down: `count` lines, a hundred a second."""

    def __init__(self, count: int, bsd: bool) -> None:
        self.count, self.bsd, self.reads, self.bytes = count, bsd, 0, 0

    def read(self, spans: Sequence[tuple[int, int]]) -> list[bytes]:
        self.reads += 1
        return [self._span(offset, length) for offset, length in spans]

    def _span(self, offset: int, length: int) -> bytes:
        first = offset // WIDTH
        last = min(self.count, (offset + length) // WIDTH + 1)
        data = b"".join(line_at(n, n / 100, self.bsd) for n in range(first, last))
        found = data[offset - first * WIDTH :][:length]
        self.bytes += len(found)
        return found


@pytest.mark.parametrize("bsd", [False, True])
@pytest.mark.parametrize("minutes", [0, 1, 700, 833])
def test_both_ends_of_a_window_in_1_gb_take_4_round_trips(bsd: bool, minutes: int) -> None:
    log = Huge(5_000_000, bsd)
    middle = START + timedelta(minutes=minutes)
    window = Window(middle - timedelta(minutes=2), middle + timedelta(minutes=2))
    found = bounds(log.read, 0, log.count * WIDTH, window, CLOCK)
    assert log.reads <= 4
    assert log.bytes < 3 << 20
    seconds = (window.end - window.start + 2 * SLACK).total_seconds()
    assert found.end - found.start < seconds * 100 * WIDTH + (512 << 10)
    assert found.in_order
    assert found.first == max(START, window.start)
    end = START + timedelta(seconds=49_999 if bsd else 49_999.99)
    assert found.last == min(end, window.end)


def bounds_of(data: bytes, window: Window, slack: timedelta, grain: int = 512) -> Bounds:
    def read(spans: Sequence[tuple[int, int]]) -> list[bytes]:
        return [data[offset : offset + length] for offset, length in spans]

    return bounds(read, 0, len(data), window, CLOCK, slack, grain)


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4000), st.booleans(), st.integers(0, 1200))
def test_lines_out_of_order_within_the_slack_are_inside(
    seed: int, count: int, bsd: bool, wobble: int
) -> None:
    """Each line is up to `wobble` seconds late; a line in seven has no stamp."""
    chosen = random.Random(seed)
    data = b"".join(
        line_at(n, 3 * n - chosen.random() * wobble, bsd) if n % 7 else b"no stamp here\n"
        for n in range(count)
    )
    middle = START + timedelta(seconds=chosen.random() * 3 * count)
    window = Window(middle - timedelta(seconds=90), middle + timedelta(seconds=90))
    found = bounds_of(data, window, timedelta(seconds=wobble + 1))
    assert found.in_order
    for start, end in lines(data):
        at = stamp(data[start:end], CLOCK)
        if at is not None and window.holds(at):
            assert found.start <= start < found.end
    assert found.start == 0 or data[found.start - 1 : found.start] == b"\n"


def test_a_log_out_of_order_is_noticed_and_all_of_it_is_to_be_read() -> None:
    hours = [5, 6, 7, 1, 2, 3]
    data = b"".join(line_at(n, 3600 * hour + n) for hour in hours for n in range(500))
    window = Window(START + timedelta(hours=6), START + timedelta(hours=6, minutes=5))
    found = bounds_of(data, window, SLACK)
    assert not found.in_order
    assert (found.start, found.end) == (0, len(data))


def test_a_clock_that_steps_back_ten_minutes_hides_nothing() -> None:
    """Before the step and after it the same minutes are written, and a window among them is asked for."""
    before = [line_at(n, n) for n in range(3600)]
    after = [line_at(n, 3000 + n) for n in range(3600)]
    data = b"".join(before + after)
    window = Window(START + timedelta(seconds=3100), START + timedelta(seconds=3200))
    found = bounds_of(data, window, SLACK)
    assert found.start <= 3100 * WIDTH
    assert found.end >= (3600 + 200) * WIDTH


def test_the_hour_that_autumn_repeats_needs_an_hour_of_slack() -> None:
    zone = ZoneInfo("Europe/Berlin")
    clock = Clock(zone, datetime(2026, 10, 26, tzinfo=UTC))
    start = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    data = b"".join(
        f"{(start + timedelta(minutes=n)).astimezone(zone):%b %e %H:%M:%S} mx1 x[7]: {n}\n".encode()
        for n in range(180)
    )

    def read(spans: Sequence[tuple[int, int]]) -> list[bytes]:
        return [data[offset : offset + length] for offset, length in spans]

    window = Window(start + timedelta(minutes=10), start + timedelta(minutes=12))
    found = bounds(read, 0, len(data), window, clock, timedelta(hours=1, minutes=5), 64)
    assert data.find(b": 70\n") < found.end
    assert data.find(b"Oct 25 02:10:00") >= found.start


@pytest.mark.parametrize("data", [b"", b"\n", b"no stamps\n" * 100, b"x" * 100_000])
def test_what_has_no_stamps_is_read_whole(data: bytes) -> None:
    window = Window(START, START)
    found = bounds_of(data, window, SLACK)
    assert (found.start, found.end, found.first, found.last) == (0, len(data), None, None)
