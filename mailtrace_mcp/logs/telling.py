"""What a reading of files says of a host: its coverage, with the reason for whatever is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailtrace_mcp.errors import Code, visible
from mailtrace_mcp.logs.blocks import LONGEST_LINE
from mailtrace_mcp.logs.rotation import Trouble
from mailtrace_mcp.logs.scan import HostLines, Scan
from mailtrace_mcp.trace.coverage import HostCoverage, State

_GRACE = timedelta(minutes=1)  # a log that begins this little after the window covers it
_MOST_TOLD = 3


@dataclass(frozen=True)
class Seen:
    """What one try saw: files read, troubles, when the oldest line was written (all files), files with
    holes of NUL bytes, and whether stamps without a zone were among them."""

    files: tuple[str, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    begins: datetime | None = None
    holes: tuple[str, ...] = ()
    floating: bool = False


def coverage(host: HostLines, scan: Scan, seen: Seen) -> HostCoverage:
    """The coverage of one host. `partial` without a code: all there is was read, and it is less;
    `unreachable`: none of its files could be read at all."""
    code = _code(host, seen)
    begins_late = seen.begins is None or seen.begins > scan.window.start + _GRACE
    state: State = "read"
    if seen.troubles and not seen.files:
        state = "denied" if code == Code.FILE_DENIED else "unreachable"
    elif code is not None or begins_late:
        state = "partial"
    return HostCoverage(
        host=host.member.name,
        state=state,
        files=seen.files,
        oldest=scan.oldest,
        newest=scan.newest,
        bytes_read=scan.bytes_read,
        lines=len(host.lines),
        code=code,
        reason=" ".join(_reasons(host, scan, seen, begins_late)) or None,
    )


def _code(host: HostLines, seen: Seen) -> Code | None:
    if seen.troubles:
        return seen.troubles[0].code
    return Code.RANGE_TOO_WIDE if host.cut else None


def _reasons(host: HostLines, scan: Scan, seen: Seen, begins_late: bool) -> Iterator[str]:
    """Sentences of ours, what matters most first."""
    for trouble in seen.troubles[:_MOST_TOLD]:
        yield f"{visible(trouble.path, 200)} {trouble.words}."
    if len(seen.troubles) > _MOST_TOLD:
        yield f"{len(seen.troubles) - _MOST_TOLD} more files could not be read."
    if host.cut:
        yield "More lines match than are given for one host: ask for a shorter time or more keywords."
    if begins_late and seen.begins is not None:
        begins = (
            f"{seen.begins.astimezone(host.member.zone):%Y-%m-%d %H:%M:%S} ({host.member.zone})"
        )
        yield (
            f"Its log begins at {begins}; what was written before is not there: "
            "rotated away or never written."
        )
    elif begins_late and seen.files:
        yield "Its log is empty, or no line in it has a readable time."
    if scan.strangers:
        yield (
            f"{scan.strangers} matching lines bear a host name that no host here goes by "
            "(add it to the aliases of the host that it is)."
        )
    if seen.floating and host.member.zone_assumed:
        yield f"No time zone is configured for it: its stamps were read as {host.member.zone}."
    if scan.cut_lines:
        yield f"{scan.cut_lines} lines over {LONGEST_LINE >> 10} KB were cut."
    for path in seen.holes[:_MOST_TOLD]:
        yield f"{visible(path, 200)} begins with a hole of NUL bytes, which was skipped."
