"""The quota: exact between tasks and processes, durable, and honest about when."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
import warnings
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailtrace_mcp.config.smtp import Policy
from mailtrace_mcp.errors import MailtraceError
from mailtrace_mcp.send.policy.quota import Quota, RateLimitedError, Reservation, fits

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
        assert one(quota, NOW + timedelta(seconds=minute * 61), 6, per_day=18)
    assert not one(quota, NOW + timedelta(minutes=4), per_day=18)
    assert quota.left(policy(per_day=18), NOW + timedelta(minutes=4)) == (6, 0)
    assert one(quota, NOW + timedelta(days=1, minutes=1), 6, per_day=18)


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


def through(
    quota: Quota,
    kept: Reservation,
    mails: int,
    after: float = 0,
    ended: Sequence[float] = (),
    **caps: int,
) -> tuple[int, float]:
    """How many mails to one recipient each go so many seconds later, and how long to wait if none."""
    over = [(NOW.timestamp() + at, 1) for at in ended]
    moment = NOW + timedelta(seconds=after)
    many, seconds = quota.let_through(kept, policy(**caps), mails, 1, over, moment)
    return many, round(seconds)


def test_what_was_not_used_is_given_back(quota: Quota) -> None:
    kept = quota.reserve(policy(), [(0, 2), (50, 2)], NOW)
    assert through(quota, kept, 1) == (1, 0)
    assert quota.left(policy(), NOW) == (2, 196)
    quota.settle(kept, [(NOW.timestamp(), 1)], NOW)
    assert quota.left(policy(), NOW) == (5, 199)
    assert one(quota, NOW + timedelta(seconds=30), 5)
    quota.settle(kept, [], NOW)
    assert quota.left(policy(), NOW + timedelta(seconds=30)) == (0, 194)


def test_mails_that_are_late_go_no_faster_than_the_minute_allows(quota: Quota) -> None:
    kept = quota.reserve(policy(), [(second, 1) for second in range(0, 120, 10)], NOW)
    assert through(quota, kept, 1) == (1, 0)
    # The first mail took 54 s. Five of the backlog may go with it, and no more for a minute.
    assert through(quota, kept, 9, 54, ended=[54]) == (5, 0)
    assert through(quota, kept, 9, 55, ended=[54] * 5)[0] == 0
    assert through(quota, kept, 9, 100) == (0, 14)
    assert through(quota, kept, 9, 114.1) == (6, 0)


def test_mails_on_their_way_count_until_they_are_over(quota: Quota) -> None:
    kept = quota.reserve(policy(), [(second, 1) for second in range(0, 120, 10)], NOW)
    assert through(quota, kept, 6) == (6, 0)
    for beat in range(15, 90, 15):
        quota.keep(kept, NOW + timedelta(seconds=beat))
    assert through(quota, kept, 6, 89) == (0, 60)
    assert through(quota, kept, 6, 90, ended=[89] * 6) == (0, 59)
    assert not one(quota, NOW + timedelta(seconds=148))
    assert through(quota, kept, 6, 149.1) == (6, 0)


def test_those_of_a_program_that_was_killed_do_not_count_for_ever(quota: Quota) -> None:
    kept = quota.reserve(policy(), [(0, 6)], NOW)
    assert through(quota, kept, 6) == (6, 0)
    assert not one(quota, NOW + timedelta(seconds=60))
    assert one(quota, NOW + timedelta(seconds=91), 6)


def test_a_mail_that_is_late_leaves_others_what_they_have_reserved_by_now(quota: Quota) -> None:
    late = quota.reserve(policy(), [(0, 3)], NOW)
    other = quota.reserve(policy(), [(0, 3)], NOW + timedelta(seconds=61))
    assert through(quota, late, 3, 61.5) == (3, 0)
    assert through(quota, other, 3, 62, ended=[]) == (3, 0)


def test_what_others_reserve_for_later_stops_nobody_now(quota: Quota) -> None:
    late = quota.reserve(policy(), [(0, 6)], NOW)
    later = quota.reserve(policy(), [(70, 6)], NOW)
    assert through(quota, late, 6, 30) == (6, 0)
    quota.settle(late, [(NOW.timestamp() + 30, 6)], NOW + timedelta(seconds=30))
    assert through(quota, later, 6, 70) == (0, 20)
    assert through(quota, later, 6, 90.1) == (6, 0)


def test_a_reservation_that_was_taken_away_lets_nothing_through(quota: Quota) -> None:
    kept = quota.reserve(policy(), [(0, 1)], NOW)
    quota.path.unlink()
    with pytest.raises(MailtraceError, match="no more is sent"):
        through(quota, kept, 1)


def test_a_clock_that_was_set_back_opens_no_second_day_and_no_second_minute(quota: Quota) -> None:
    assert one(quota, NOW, 6, per_day=6)
    for back in (59, 61, 7200, 90_000, 900_000):
        earlier = NOW - timedelta(seconds=back)
        assert not one(quota, earlier, per_day=6)
        assert not one(quota, earlier)
        assert quota.left(policy(per_day=6), earlier) == (0, 0)


def test_a_wrong_clock_makes_nothing_forgotten(quota: Quota) -> None:
    assert one(quota, NOW, 4, per_day=6)
    wrong = NOW + timedelta(days=400)
    assert one(quota, wrong, 2, per_day=6)
    assert one(quota, wrong + timedelta(minutes=2), 2, per_day=6)
    # Right again: the four of before are there, and those of the wrong time too.
    assert not one(quota, NOW + timedelta(minutes=3), per_day=6)
    assert quota.left(policy(per_day=10), NOW + timedelta(minutes=3)) == (2, 2)


def test_what_was_old_twice_is_forgotten(quota: Quota) -> None:
    for day in range(0, 12, 2):
        assert one(quota, NOW + timedelta(days=day), 6)
    with closing(sqlite3.connect(quota.path)) as base:
        assert base.execute("SELECT count(*) FROM spent").fetchone() == (2,)


def test_what_was_sent_while_the_clock_was_set_back_counts(quota: Quota) -> None:
    kept = quota.reserve(policy(), [(0, 6)], NOW)
    assert through(quota, kept, 6) == (6, 0)
    back = NOW - timedelta(hours=2)
    quota.settle(kept, [(NOW.timestamp(), 6)], back)
    assert not one(quota, back + timedelta(seconds=30))
    assert one(quota, back + timedelta(seconds=61))


def test_asking_what_would_be_changes_nothing(quota: Quota) -> None:
    assert quota.refusal(policy(), [(0, 7)], NOW) is not None
    assert quota.refusal(policy(), [(0, 6)], NOW) is None
    assert quota.left(policy(), NOW) == (6, 200)
    assert not quota.path.exists()
    assert one(quota, NOW, 4)
    before = quota.path.read_bytes()
    no = quota.refusal(policy(), [(0, 3)], NOW)
    assert no is not None
    assert "Try again at" in no.message
    assert quota.path.read_bytes() == before
    quota.path.write_bytes(b"")
    assert quota.left(policy(), NOW) == (6, 200)


@dataclass
class Slow:
    """A run of mails to one recipient each, over one connection to a slow server. Seconds after NOW."""

    kept: Reservation
    due: list[int]
    free: float = 0
    ended: list[float] = field(default_factory=list)

    @property
    def next(self) -> float:
        return max(self.free, self.due[0])


@given(
    runs=st.lists(st.lists(st.integers(0, 200), min_size=1, max_size=12), min_size=1, max_size=3),
    takes=st.lists(st.floats(0, 30), min_size=36, max_size=36),
)
@settings(max_examples=30, deadline=None)
def test_no_minute_of_real_time_holds_more_however_slow_the_server(
    runs: list[list[int]], takes: list[float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    quota = Quota(tmp_path_factory.mktemp("q") / "quota.sqlite")
    going: list[Slow] = []
    for due in map(sorted, runs):
        with suppress(RateLimitedError):
            wanted = sorted(Counter(due).items())
            going.append(Slow(quota.reserve(policy(), wanted, NOW), due))
    over: list[float] = []
    while open_ones := [one for one in going if one.due]:
        turn = min(open_ones, key=lambda one: one.next)
        now = turn.next
        many, seconds = through(quota, turn.kept, 1, now, turn.ended)
        turn.ended = []
        if many:
            turn.due.pop(0)
            turn.free = now + takes[len(over)]
            turn.ended = [turn.free]
            over.append(turn.free)
        else:
            turn.free = now + max(seconds, 1)
    for first in over:
        assert sum(first <= at < first + 59.9 for at in over) <= 6  # calls take milliseconds


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
