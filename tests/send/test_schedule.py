"""When each mail is due."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtrace_mcp.errors import MailtraceError
from mailtrace_mcp.send.schedule import load


@pytest.mark.parametrize(
    ("rate", "duration", "count"),
    [(1, 1, 1), (2, 3, 6), (0.5, 10, 5), (0.1, 1, 1), ("5", 2, 10), ("1-10", 10, 55), ("10-1", 10, 55),
     (0.1, 30, 3), (3, 0.1, 1), ("1-1", 1, 1)],
)  # fmt: skip
def test_how_many(rate: float | str, duration: float, count: int) -> None:
    asked = load(rate, duration)
    moments = list(asked.due())
    assert asked.count == len(moments) == count
    assert moments[0] == 0
    assert moments == sorted(moments)
    assert all(moment < duration for moment in moments)


def test_one_and_one_is_exactly_one_mail_at_once() -> None:
    assert list(load(1, 1).due()) == [0]
    assert load(1, 1).per_second() == [(0, 1)]


def test_a_ramp_grows() -> None:
    counts = [many for _, many in load("1-10", 10).per_second()]
    assert counts[0] < 3 < 8 < counts[-1]
    assert sum(counts) == 55
    assert counts == sorted(counts)


@pytest.mark.parametrize(
    ("rate", "duration"),
    [(0, 1), (-1, 1), (1, 0), (1, -5), (float("nan"), 1), (float("inf"), 1), (1, float("nan")),
     (1, float("inf")), ("fast", 1), ("1-", 1), ("1-2-3", 1), ("0-1", 1), (1000, 1), (1, 1e9),
     ("-1", 1), ("1e999", 1), ("", 1), ("nan", 1), (100, 80_000)],
)  # fmt: skip
def test_what_is_no_load(rate: float | str, duration: float) -> None:
    with pytest.raises(MailtraceError) as caught:
        load(rate, duration)
    assert caught.value.code == "INVALID_ARGUMENT"


@given(st.floats(0.01, 100), st.floats(0.01, 100), st.floats(0.1, 100))
def test_the_moments_lie_inside_the_duration(first: float, last: float, duration: float) -> None:
    asked = load(f"{first:.4f}-{last:.4f}", duration)
    moments = list(asked.due())
    assert len(moments) == asked.count == sum(many for _, many in asked.per_second())
    assert all(0 <= moment <= duration + 1e-6 for moment in moments)
