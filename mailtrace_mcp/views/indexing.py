"""What `mailtrace-mcp index` says of one host's logs, in a line."""

from __future__ import annotations

from mailtrace_mcp.answers.index_types import IndexedLogs
from mailtrace_mcp.answers.words import counted, listed, size, spent


def index_line(one: IndexedLogs) -> str:
    """`mx1 (also mx2): 3 files, 1.2 GB in 14 s; index 24.1 MB`, and what is wrong."""
    also = f" (also {listed(one.also)})" if one.also else ""
    parts = []
    if one.files or one.bytes:
        files = f"{counted(one.files, 'file')}, " if one.files else ""
        parts.append(f"{files}{size(one.bytes)} in {spent(one.seconds)}")
    if one.state == "current":
        parts.append("nothing new")
    if one.state == "stopped":
        parts.append("stopped, and goes on from here the next time")
    if one.size:
        parts.append(f"index {size(one.size)}")
    if one.reason is not None:
        parts.append(f"{one.code}: {one.reason}" if one.code else one.reason)
    return f"{one.host}{also}: {'; '.join(parts)}"
