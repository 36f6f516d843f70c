"""Coverage as an answer tells it."""

from __future__ import annotations

from mailtrace_mcp.answers.manner import Manner
from mailtrace_mcp.answers.parts import CoverageReport, HostReport, WindowAsked
from mailtrace_mcp.answers.trust import clean
from mailtrace_mcp.trace.coverage import Coverage, HostCoverage


def coverage_report(coverage: Coverage, manner: Manner, files: bool = True) -> CoverageReport:
    """What was asked for and what each host gave; without the names of the files unless `files`."""
    window = WindowAsked(
        start=manner.moment(coverage.window.start),
        end=manner.moment(coverage.window.end),
        zone=manner.zone_name,
    )
    hosts = tuple(_host(one, manner, files) for one in coverage.hosts)
    return CoverageReport(complete=coverage.complete, window=window, hosts=hosts)


def _host(seen: HostCoverage, manner: Manner, files: bool) -> HostReport:
    return HostReport(
        host=seen.host,
        state=seen.state,
        code=seen.code,
        # The name of a file may be anything that a directory of logs holds.
        files=tuple(clean(name) for name in seen.files) if files else (),
        oldest=manner.local(seen.oldest),
        newest=manner.local(seen.newest),
        bytes_read=seen.bytes_read,
        lines=seen.lines,
        not_understood=seen.not_understood,
        reason=clean(seen.reason) if seen.reason else None,
    )
