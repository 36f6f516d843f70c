"""A host's log folder, written by hand, and what is read of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import anyio
import pytest

from mailtrace_mcp.logs import FoundLine, Reading, Term, TermKind
from mailtrace_mcp.logs.local import LocalStore
from mailtrace_mcp.logs.plan import PlannedSource
from mailtrace_mcp.logs.scan import Member
from mailtrace_mcp.trace.coverage import HostCoverage, Window

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAY = Window(NOON - timedelta(hours=12), NOON + timedelta(hours=12))


def line(minute: float, text: str = "hello", host: str = "mx1") -> bytes:
    """A line written `minute` minutes after noon, RFC 3339 with microseconds."""
    at = NOON + timedelta(minutes=minute)
    return f"{at.isoformat(timespec='microseconds')} {host} postfix/smtpd[7]: {text}\n".encode()


def early() -> bytes:
    """A line from before DAY, so that the log covers it."""
    return line(-60 * 24, "early")


@dataclass
class Folder:
    path: Path
    zone: tzinfo = UTC
    members: Sequence[Member] = ()
    owner_of: Callable[[str], str | None] = field(default=lambda name: None)
    limit: int = 64 << 20

    def write(self, name: str, data: bytes, written: datetime = NOON) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        os.utime(file, (written.timestamp(), written.timestamp()))
        return file

    def source(self, *patterns: str) -> PlannedSource:
        globs = [str(self.path / pattern) for pattern in patterns or ("mail.log*",)]
        members = self.members or [Member("mx1", self.zone)]
        return PlannedSource(
            LocalStore(), globs, members, self.owner_of, self.limit, str(self.path)
        )

    def read(
        self,
        text: str = "",
        kind: TermKind = "literal",
        window: Window = DAY,
        patterns: Sequence[str] = (),
    ) -> Reading:
        term = Term("everything" if not text else kind, text, window)
        return anyio.run(self.source(*patterns).read, [term], window)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def texts(reading: Reading) -> list[str]:
    """What stands after the tag in each line found."""
    return [found.raw.decode("utf-8", "replace").rpartition("]: ")[2] for found in reading.lines]


def only(reading: Reading) -> HostCoverage:
    (coverage,) = reading.coverage
    return coverage


def in_order(lines: Sequence[FoundLine]) -> bool:
    orders = [found.order for found in lines]
    return orders == sorted(set(orders))
