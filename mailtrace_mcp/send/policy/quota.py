"""How much was sent: recipients per minute and per day, kept on disk, exact between processes.

A reservation is made before the first mail, at the moments the mails are due, in one transaction; it
survives whatever happens to the process. Only here (and in logs/index) is SQLite known.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from mailtrace_mcp.config.smtp import Policy
from mailtrace_mcp.errors import Code, MailtraceError, visible

MINUTE, DAY = 60.0, 86_400.0
_BUSY_SECONDS = 20.0
_TABLE = "CREATE TABLE IF NOT EXISTS spent (at REAL NOT NULL, recipients INTEGER NOT NULL, run TEXT NOT NULL)"

# (moment in seconds since 1970, recipients)
Spent = tuple[float, int]


class RateLimitedError(MailtraceError):
    """The quota does not allow it now; in `retry_after` seconds it will, None: never as it was asked."""

    def __init__(self, message: str, retry_after: float | None) -> None:
        super().__init__(Code.RATE_LIMITED, message)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Reservation:
    """What may now be sent."""

    run: str
    recipients: int


@dataclass(frozen=True)
class Quota:
    """The quota file. Every method blocks for some milliseconds (a lock, an fsync)."""

    path: Path

    def reserve(
        self, policy: Policy, wanted: Sequence[tuple[int, int]], now: datetime
    ) -> Reservation:
        """Count `wanted` ((seconds from now, recipients) …), or raise RateLimitedError and count nothing.

        No 60 seconds and no 24 hours may hold more than the policy says. Raises NOT_ALLOWED where the
        file cannot be used: what cannot be counted is not sent.
        """
        start = now.timestamp()
        new = [(start + after, recipients) for after, recipients in wanted]
        total = sum(recipients for _, recipients in new)
        run = secrets.token_hex(8)
        with self._transaction() as base:
            base.execute("DELETE FROM spent WHERE at <= ?", (start - DAY,))
            known = _rows(base)
            if not fits(known, new, policy):
                raise _limited(known, new, policy, now)
            base.executemany("INSERT INTO spent VALUES (?, ?, ?)", [(*one, run) for one in new])
        return Reservation(run, total)

    def give_back(self, reservation: Reservation, unused: int) -> None:
        """Uncount recipients that no server was asked to take, the latest first."""
        with self._transaction() as base:
            rows = base.execute(
                "SELECT rowid, recipients FROM spent WHERE run = ? ORDER BY at DESC",
                (reservation.run,),
            ).fetchall()
            for rowid, recipients in rows:
                taken = min(unused, recipients)
                unused -= taken
                base.execute(
                    "UPDATE spent SET recipients = recipients - ? WHERE rowid = ?", (taken, rowid)
                )
            base.execute("DELETE FROM spent WHERE recipients <= 0")

    def left(self, policy: Policy, now: datetime) -> tuple[int, int]:
        """Recipients that may be sent to now: in this minute, in this day."""
        start = now.timestamp()
        if not self.path.exists():
            return policy.per_minute, policy.per_day
        with self._transaction() as base:
            known = _rows(base)
        minute = sum(count for at, count in known if at > start - MINUTE)
        day = sum(count for at, count in known if at > start - DAY)
        return max(0, policy.per_minute - minute), max(0, policy.per_day - day)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Alone with the file; committed at the end, undone by an exception."""
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            base = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
            with closing(base):
                base.execute("PRAGMA synchronous = FULL")
                base.execute("BEGIN IMMEDIATE")
                base.execute(_TABLE)
                try:
                    yield base
                except BaseException:
                    base.execute("ROLLBACK")
                    raise
                base.execute("COMMIT")
        except (sqlite3.Error, OSError):
            words = (
                f"the quota in {visible(str(self.path), 200)} cannot be kept (locked, damaged or not "
                "writable), so nothing is sent: look at that file."
            )
            raise MailtraceError(Code.NOT_ALLOWED, words) from None


def _rows(base: sqlite3.Connection) -> list[Spent]:
    return base.execute("SELECT at, recipients FROM spent ORDER BY at").fetchall()


def fits(known: Sequence[Spent], new: Sequence[Spent], policy: Policy) -> bool:
    """Whether no minute and no day that holds something new would hold too much. Pure."""
    events = sorted([(*one, False) for one in known] + [(*one, True) for one in new])
    return _holds(events, MINUTE, policy.per_minute) and _holds(events, DAY, policy.per_day)


def _holds(events: Sequence[tuple[float, int, bool]], span: float, most: int) -> bool:
    window: deque[tuple[float, int, bool]] = deque()
    total = new = 0
    for event in events:
        window.append(event)
        total += event[1]
        new += event[2]
        while window[0][0] <= event[0] - span:
            gone = window.popleft()
            total -= gone[1]
            new -= gone[2]
        if new and total > most:
            return False
    return True


def _limited(
    known: Sequence[Spent], new: Sequence[Spent], policy: Policy, now: datetime
) -> RateLimitedError:
    """When it would fit: as soon as enough of what was sent is a minute or a day old."""
    wanted = sum(recipients for _, recipients in new)
    caps = (
        f"smtp.policy allows {policy.per_minute} recipients per minute and {policy.per_day} per day"
    )
    if not fits((), new, policy):
        words = (
            f"{wanted} recipients in one run are too many: {caps}. Ask for fewer, or a lower rate."
        )
        return RateLimitedError(words, None)
    start = now.timestamp()
    moments = sorted(at + span for at, _ in known for span in (MINUTE, DAY) if at + span > start)

    def late_enough(moment: float) -> bool:
        return fits(known, [(at - start + moment, count) for at, count in new], policy)

    first = bisect_left(moments, True, key=late_enough)
    seconds = (moments[first] if first < len(moments) else start + DAY) - start
    at = now + timedelta(seconds=seconds + 1)
    words = f"{caps}, and {wanted} more are too many now. Try again at {at:%Y-%m-%d %H:%M:%S %Z}."
    return RateLimitedError(words, round(seconds + 0.5, 1))
