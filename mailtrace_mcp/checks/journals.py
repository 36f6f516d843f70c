"""A host whose log is in journald: may its journal be read, and how old is its newest mail line?"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol, cast

from mailtrace_mcp.checks.failing import failure
from mailtrace_mcp.checks.files import newest_line
from mailtrace_mcp.checks.finding import Finding, Notes, bad, good, unknown
from mailtrace_mcp.logs.journal import Journal
from mailtrace_mcp.logs.logfile import last_stamp
from mailtrace_mcp.logs.store import Stopped, StoreError
from mailtrace_parsers.entry import Clock

# The last entry before this much later is the newest, also where its clock is ahead of ours.
_AHEAD = timedelta(days=1)


class _Closable(Protocol):
    def close(self) -> None: ...


def look(
    notes: Notes, journal: Journal, shown: tzinfo, ahead: float, now: datetime, stopped: Stopped
) -> None:
    """Writes what is found. Times are shown in `shown`; `ahead`: seconds its clock is ahead of ours."""
    notes.begin("files")
    since = math.ceil((now + _AHEAD).timestamp())
    try:
        last = _newest(journal.entries(since, since + 1, stopped))
    except StoreError as error:
        notes.add(failure("files", error))
        return
    notes.add(good("files", "The journal can be read."))
    notes.add(_told(last, shown, ahead, now))
    notes.add(good("timezone", "The journal keeps its times in UTC."))


def _newest(entries: Iterator[bytes]) -> bytes:
    """The first item; only at the end it is told whether the journal may be read."""
    with closing(cast(_Closable, entries)):
        first = next(entries, b"")
        for _ in entries:
            pass
    return first


def _told(entry: bytes, shown: tzinfo, ahead: float, now: datetime) -> Finding:
    if not entry.strip():
        return bad(
            "lines", "There is no mail line in it.",
            "Does Postfix log to syslog there (maillog_file is empty), and is the journal kept?",
        )  # fmt: skip
    newest = last_stamp(entry, Clock(UTC, now))
    if newest is None:
        words = "Ask again; if it stays, look at journalctl there."
        return unknown("lines", "The newest line has no readable time.", words)
    return newest_line(newest, shown, ahead, now)
