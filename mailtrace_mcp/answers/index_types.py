"""What `mailtrace-mcp index` answers; it is no tool."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mailtrace_mcp.answers.parts import Part, Unsaid, unsaid

IndexOutcome = Literal["indexed", "current", "partial", "failed", "stopped", "none"]


class IndexedLogs(Part):
    """The logs of one host, and the index of them."""

    host: str = Field(description="Configured host.")
    also: tuple[str, ...] = Field(description="Other hosts whose lines lie in the same logs.")
    state: IndexOutcome = Field(
        description="indexed: what was new is in the index; current: nothing was new; partial: not all of "
        "the logs could be read; failed: none; stopped: somebody ended it; none: no index is kept."
    )
    code: str | Unsaid = unsaid("Why not, as an error code: HOST_UNREACHABLE, FILE_DENIED, …")
    reason: str | Unsaid = unsaid("Why not, in one or two sentences.")
    files: int = Field(description="Files that had something new.")
    bytes: int = Field(description="Uncompressed bytes that were read from them.")
    seconds: float = Field(description="How long it took.")
    size: int = Field(description="Bytes of the index on disk.")


class IndexAnswer(Part):
    """What was indexed, host by host."""

    summary: str = Field(description="How many indexes are up to date, and which are not.")
    hosts: tuple[IndexedLogs, ...] = Field(description="One entry for hosts with the same logs.")
