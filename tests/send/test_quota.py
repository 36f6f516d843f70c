"""The quota: exact between tasks and processes, durable, and honest about when."""

from __future__ import annotations

import multiprocessing
import os
import stat
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailtrace_mcp.config.smtp import Policy
from mailtrace_mcp.errors import MailtraceError
from mailtrace_mcp.send.policy.quota import Quota, RateLimitedError, fits

NOW = datetime(2026, 11, 21, 15, 0, 0, tzinfo=UTC)


def policy(per_minute: int = 6, per_day: int = 200) -> Policy:
    return Policy(recipients=("a@lab.example",), per_minute=per_minute, per_day=per_day)


def one(quota: Quota, at: datetime = NOW, recipients: int = 1, **caps: int) -> bool:
    """Whether so many recipients are allowed at this moment."""
    try:
        quota.reserve(policy(**caps), [(0, recipients)], at)
    except RateLimitedError:
        return False
    return True


@pytest.fixture
def quota(tmp_path: Path) -> Quota:
    return Quota(tmp_path / "quota.sqlite")


def try_one(path: str) -> bool:
    return one(Quota(Path(path)))


def test_50_processes_get_exactly_the_cap_and_after_a_restart_none(quota: Quota) -> None:
    # Each opens the file for itself, as another server would; fork, because 50 new interpreters take
    # ten seconds, and newer ones warn of it for programs with threads.
    context = multiprocessing.get_context("fork")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with ProcessPoolExecutor(50, mp_context=context) as pool:
            allowed = list(pool.map(try_one, [str(quota.path)] * 50))
    assert sum(allowed) == 6
    assert not one(Quota(quota.path), NOW + timedelta(seconds=59))
    assert quota.left(policy(), NOW) == (0, 194)


def test_50_threads_get_exactly_the_cap(quota: Quota) -> None:
    with ThreadPoolExecutor(50) as pool:
        assert sum(pool.map(lambda _: one(quota), range(50))) == 6


def test_a_minute_later_there_is_room_again_and_a_day_later_all(quota: Quota) -> None:
    for minute in range(3):
        assert one(quota, NOW + timedelta(minutes=minute), 6, per_day=18)
    assert not one(quota, NOW + timedelta(minutes=3), per_day=18)
    assert quota.left(policy(per_day=18), NOW + timedelta(minutes=3)) == (6, 0)
    assert one(quota, NOW + timedelta(days=1), 6, per_day=18)


def test_it_tells_when(quota: Quota) -> None:
    assert one(quota, NOW, 4)
    assert one(quota, NOW + timedelta(seconds=20), 2)
    with pytest.raises(RateLimitedError, match="Try again at 2026-11-21 15:01:0") as caught:
        quota.reserve(policy(), [(0, 3)], NOW + timedelta(seconds=30))
    assert caught.value.code == "RATE_LIMITED"
    assert caught.value.retry_after == pytest.approx(30, abs=1)
    again = NOW + timedelta(seconds=30 + (caught.value.retry_after or 0))
    assert one(quota, again, 3)


def test_what_is_too_much_at_any_time_is_told_as_such(quota: Quota) -> None:
    with pytest.raises(RateLimitedError, match="too many") as caught:
        quota.reserve(policy(), [(0, 7)], NOW)
    assert caught.value.retry_after is None
    assert quota.left(policy(), NOW) == (6, 200)
    assert not one(quota, per_minute=0)  # CF031: 0 is none, and not unlimited
    assert not one(quota, per_day=0)


def test_a_run_is_counted_when_its_mails_are_due(quota: Quota) -> None:
    six_a_minute = [(second, 1) for second in range(0, 180, 10)]
    quota.reserve(policy(), six_a_minute, NOW)
    assert not one(quota, NOW + timedelta(seconds=30))
    assert not one(quota, NOW + timedelta(seconds=170))
    assert one(quota, NOW + timedelta(seconds=231))
    with pytest.raises(RateLimitedError):
        quota.reserve(policy(), [(second, 1) for second in range(0, 60, 5)], NOW + timedelta(1))


def test_what_was_not_used_is_given_back_the_latest_first(quota: Quota) -> None:
    kept = quota.reserve(policy(), [(0, 2), (50, 2)], NOW)
    quota.give_back(kept, 3)
    assert quota.left(policy(), NOW) == (5, 199)
    assert one(quota, NOW + timedelta(seconds=30), 5)
    quota.give_back(kept, 99)
    assert quota.left(policy(), NOW + timedelta(seconds=30)) == (1, 195)


def test_a_clock_that_was_set_back_opens_no_second_day(quota: Quota) -> None:
    assert one(quota, NOW, 6, per_day=6)
    assert not one(quota, NOW - timedelta(hours=1), per_day=6)


def test_a_lower_cap_holds_at_once_and_looks_only_at_new_mails(quota: Quota) -> None:
    assert one(quota, NOW, 6)
    assert not one(quota, NOW + timedelta(seconds=1), per_minute=3)
    assert one(quota, NOW + timedelta(seconds=61), 3, per_minute=3)


def test_the_file_is_the_users_own(quota: Quota) -> None:
    one(quota)
    assert stat.S_IMODE(os.stat(quota.path).st_mode) == 0o600


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"\0" * 200])
def test_what_cannot_be_counted_is_not_sent(quota: Quota, content: bytes) -> None:
    quota.path.write_bytes(content)
    with pytest.raises(MailtraceError, match="nothing is sent") as caught:
        quota.reserve(policy(), [(0, 1)], NOW)
    assert caught.value.code == "NOT_ALLOWED"


def test_a_folder_in_its_place_is_no_quota(tmp_path: Path) -> None:
    with pytest.raises(MailtraceError, match="nothing is sent"):
        Quota(tmp_path).reserve(policy(), [(0, 1)], NOW)


def test_windows_are_sixty_seconds_wide_wherever_they_begin() -> None:
    known = [(0.0, 3), (59.0, 3)]
    assert not fits(known, [(59.5, 1)], policy())
    assert fits(known, [(60.0, 1)], policy())
    assert not fits([(100.0, 6)], [(50.0, 1)], policy())  # what is yet to come counts too
