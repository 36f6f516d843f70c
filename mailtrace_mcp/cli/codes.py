"""The exit codes (TOOLS.md, "Command line")."""

from __future__ import annotations

from mailtrace_mcp.answers.parts import CoverageReport

FOUND, NOTHING, USAGE, INCOMPLETE = 0, 1, 2, 3
INTERRUPTED = 130  # 128 + SIGINT, as shells say it
BUG = 70  # EX_SOFTWARE of sysexits.h


def of_coverage(found: bool, coverage: CoverageReport, whole: bool) -> int:
    """`whole`: what was found leaves nothing open, so that a log which only begins late costs nothing."""
    unread = [host for host in coverage.hosts if host.state != "read"]
    if any(host.state != "partial" or host.code for host in unread) or (unread and not whole):
        return INCOMPLETE
    return FOUND if found else NOTHING
