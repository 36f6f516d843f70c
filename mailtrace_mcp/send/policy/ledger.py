"""The file of the quota. Only here (and in logs/index) is SQLite known."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic

from mailtrace_mcp.errors import Code, MailtraceError, visible
from mailtrace_mcp.send.policy.windows import DAY, Row, Spent, Standing

_BUSY_SECONDS = 20.0
_TABLE = """CREATE TABLE IF NOT EXISTS spent (
    at REAL NOT NULL, recipients INTEGER NOT NULL, run TEXT NOT NULL,
    standing INTEGER NOT NULL, made REAL NOT NULL, old REAL)"""
_WRITE = "INSERT INTO spent (at, recipients, run, standing, made) VALUES (?, ?, ?, ?, ?)"
_READ = "SELECT at, recipients, run, standing, made FROM spent ORDER BY at"


@dataclass(frozen=True)
class Page:
    """The file in one transaction, nobody else in it; `now` is the moment when it was opened."""

    base: sqlite3.Connection
    now: float

    def rows(self) -> list[Row]:
        """All that is written down."""
        return _rows(self.base)

    def write(self, new: Sequence[Spent], run: str, standing: Standing) -> None:
        """Write down recipients of a run, each at its moment."""
        told = [(at, count, run, int(standing), self.now) for at, count in new]
        self.base.executemany(_WRITE, told)

    def take_off(self, recipients: int, run: str, standing: Standing) -> None:
        """So many recipients of a run less of this standing, the earliest first."""
        query = "SELECT rowid, recipients FROM spent WHERE run = ? AND standing = ? ORDER BY at"
        for rowid, count in self.base.execute(query, (run, int(standing))).fetchall():
            taken = min(recipients, count)
            recipients -= taken
            change = "UPDATE spent SET recipients = recipients - ? WHERE rowid = ?"
            self.base.execute(change, (taken, rowid))
            if not recipients:
                break
        self.base.execute("DELETE FROM spent WHERE recipients <= 0")

    def move_on(self, run: str, at: float) -> None:
        """Those of a run that are on their way count at this moment."""
        change = "UPDATE spent SET at = ?, made = ? WHERE run = ? AND standing = ?"
        self.base.execute(change, (at, self.now, run, int(Standing.ON_THEIR_WAY)))

    def close_run(self, run: str) -> None:
        """What of a run was not handed over does not count."""
        over = int(Standing.HANDED_OVER)
        self.base.execute("DELETE FROM spent WHERE run = ? AND standing != ?", (run, over))

    def tidy(self) -> None:
        """Forget what was older than a day at two readings of the clock a day apart: one reading may be
        wrong, and what was forgotten would be spent once more."""
        day_ago = self.now - DAY
        self.base.execute(
            "UPDATE spent SET old = ? WHERE old IS NULL AND at <= ?", (self.now, day_ago)
        )
        self.base.execute(
            "UPDATE spent SET old = NULL WHERE old IS NOT NULL AND at > ?", (day_ago,)
        )
        self.base.execute("DELETE FROM spent WHERE old <= ?", (day_ago,))


@dataclass(frozen=True)
class Ledger:
    """The file. Every method blocks for some milliseconds (a lock, an fsync).

    Raises NOT_ALLOWED where the file cannot be used: what cannot be counted is not sent.
    """

    path: Path

    @contextmanager
    def page(self, now: datetime) -> Iterator[Page]:
        """Alone with the file, which is made; committed at the end, undone by an exception. `now` is the
        moment of the call: the time that others had the file comes on top."""
        began = monotonic()
        with self._trouble():
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            base = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)
            with closing(base):
                base.execute("PRAGMA synchronous = FULL")
                base.execute("BEGIN IMMEDIATE")
                try:
                    base.execute(_TABLE)
                    yield Page(base, now.timestamp() + monotonic() - began)
                except BaseException:
                    with suppress(sqlite3.Error):
                        base.execute("ROLLBACK")
                    raise
                base.execute("COMMIT")

    def look(self) -> list[Row]:
        """All that is written down; nothing is made or changed."""
        if not self.path.exists():
            return []
        with self._trouble():
            base = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode=rw",
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                uri=True,
            )
            with closing(base):
                known = "SELECT 1 FROM sqlite_master WHERE name = 'spent'"
                return _rows(base) if base.execute(known).fetchone() else []

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError):
            words = (
                f"the quota in {visible(str(self.path), 200)} cannot be kept (locked, damaged or not "
                "writable), so nothing is sent: look at that file."
            )
            raise MailtraceError(Code.NOT_ALLOWED, words) from None


def _rows(base: sqlite3.Connection) -> list[Row]:
    found = base.execute(_READ)
    return [Row(at, count, run, Standing(stands), made) for at, count, run, stands, made in found]
