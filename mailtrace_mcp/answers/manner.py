"""What the builders of answers are given: what was found, and how it is to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Literal

from mailtrace_mcp.trace.endings import Ending
from mailtrace_mcp.trace.graph import Trail
from mailtrace_mcp.trace.links import Link
from mailtrace_mcp.trace.transactions import Transaction

Detail = Literal["concise", "full"]
Drawing = Literal["none", "text", "mermaid", "dot"]


@dataclass(frozen=True)
class Manner:
    """How to show what was found.

    `zone` is that of all times, `zone_name` what it is called. `named` are the addresses that the
    question itself named: they are shown as they were asked. `answer_chars` is the longest answer, as
    JSON.
    """

    zone: tzinfo
    zone_name: str
    detail: Detail = "concise"
    drawing: Drawing = "text"
    named: tuple[str, ...] = ()
    answer_chars: int = 40_000

    def local(self, at: datetime | None) -> datetime | None:
        """A moment in the zone of the answer, or none."""
        return None if at is None else self.moment(at)

    def moment(self, at: datetime) -> datetime:
        """A moment in the zone of the answer."""
        try:
            return at.astimezone(self.zone)
        except OverflowError:  # a stamp of the year 1 or 9999, as a stranger's line may have
            return at.astimezone(UTC)


@dataclass(frozen=True)
class TracedMail:
    """One mail of a trace.

    `endings` are outcomes.endings(trail, …); `notices` each notice link of the trail with its
    outcomes.notice_endings(trail, link, …); `complete` whether all that could hold a part was read;
    `gaps` what is open otherwise, in sentences of ours.
    """

    trail: Trail
    endings: tuple[Ending, ...]
    complete: bool
    notices: tuple[tuple[Link, tuple[Ending, ...]], ...] = ()
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True)
class FoundMail:
    """One mail on one host, and how it stands there with each recipient."""

    life: Transaction
    endings: tuple[Ending, ...]
