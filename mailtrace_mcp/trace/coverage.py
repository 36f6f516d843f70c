"""Which window was asked for, and what each host gave of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

State = Literal["read", "partial", "unreachable", "denied", "timeout"]


@dataclass(frozen=True)
class Window:
    """A span of time, both ends included; aware datetimes."""

    start: datetime
    end: datetime

    def holds(self, at: datetime | None) -> bool:
        """Whether a stamp lies inside; a line without a readable stamp is never left out for its time."""
        return at is None or self.start <= at <= self.end

    def covers(self, other: Window) -> bool:
        return self.start <= other.start and other.end <= self.end

    def widened(self, by: timedelta) -> Window:
        return Window(self.start - by, self.end + by)

    def hull(self, other: Window) -> Window:
        return Window(min(self.start, other.start), max(self.end, other.end))


@dataclass(frozen=True)
class HostCoverage:
    """What one configured host gave for one question.

    `oldest` and `newest` are the times of the oldest and newest line inside the window, whether they
    matched or not; `bytes_read` counts uncompressed bytes; `lines` the lines that matched,
    `not_understood` those of them that no pattern knows. `reason` is a sentence of ours, `code` one of
    TOOLS.md's (HOST_UNREACHABLE, FILE_DENIED, …). `state` is `read` only if the whole window was read;
    `partial` without a code means that all there is was read, but the log begins inside the window.
    """

    host: str
    state: State
    files: tuple[str, ...] = ()
    oldest: datetime | None = None
    newest: datetime | None = None
    bytes_read: int = 0
    lines: int = 0
    not_understood: int = 0
    code: str | None = None
    reason: str | None = None

    @property
    def read_to_end(self) -> bool:
        """Whether everything up to the end of the window was read, if not all from its start."""
        return self.state == "read" or (self.state == "partial" and self.code is None)

    def merged(self, later: HostCoverage) -> HostCoverage:
        """Two rounds' readings of one host as one: the worse state, the wider span, the sums."""
        worse = max(self, later, key=lambda one: _BADNESS.index(one.state))
        return replace(
            worse,
            files=tuple(dict.fromkeys(self.files + later.files)),
            oldest=min((t for t in (self.oldest, later.oldest) if t), default=None),
            newest=max((t for t in (self.newest, later.newest) if t), default=None),
            bytes_read=self.bytes_read + later.bytes_read,
            lines=self.lines + later.lines,
            not_understood=self.not_understood + later.not_understood,
        )


_BADNESS: tuple[State, ...] = ("read", "partial", "denied", "timeout", "unreachable")


@dataclass(frozen=True)
class Coverage:
    """The window as asked, and every host that was asked."""

    window: Window
    hosts: tuple[HostCoverage, ...]

    @property
    def complete(self) -> bool:
        return all(host.state == "read" for host in self.hosts)
