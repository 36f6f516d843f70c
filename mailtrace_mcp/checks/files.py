"""A host whose log is in files: can they be read, from when to when do they reach, are they Postfix's?"""

from __future__ import annotations

import grp
import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from mailtrace_mcp.answers.words import counted, moment, size, spent
from mailtrace_mcp.checks.finding import Finding, Said, aside, bad, good, unknown
from mailtrace_mcp.checks.looking import MOST_OPENED, Files
from mailtrace_mcp.config import Config, Host
from mailtrace_mcp.errors import Code, visible
from mailtrace_mcp.logs.logfile import stamp
from mailtrace_mcp.logs.rotation import Trouble
from mailtrace_parsers.entry import Clock
from mailtrace_parsers.events import Unrecognised
from mailtrace_parsers.read import read

# Clocks and syslog's own buffers; what is later than this is in another time zone.
_FUTURE = timedelta(minutes=5)
_QUIET = timedelta(days=1)
_MOST_TOLD = 3
_MOST_LINES, _MOST_NAMED = 50, 1000  # of each log: whose form, and whose names are looked at
_ELSEWHERE = timezone(timedelta(hours=1))

Shown = Callable[[str], str]


def readable(files: Files, host: Host, shown: Shown) -> Finding:
    """Whether the files that the configuration names are there and can be read."""
    told = f"{counted(len(files.opened), 'file')} can be read, {size(files.size)} in all"
    if len(files.listing) > MOST_OPENED:
        told += f" ({len(files.listing)} are there, {MOST_OPENED} were looked at)"
    if not files.troubles:
        return good("files", f"{told}.")
    troubles = files.troubles[:_MOST_TOLD]
    wrong = "; ".join(f"{visible(shown(one.path), 200)} {one.words}" for one in troubles)
    more = len(files.troubles) - _MOST_TOLD
    wrong += f"; and {more} more" if more > 0 else ""
    first = files.troubles[0]
    advice = _ADVICE.get(first.code, "")
    if first.code == Code.FILE_DENIED:
        named = "Name log files in logs.files of this host."
        advice = _denied(first, host) if first.words.startswith("may not") else named
    return bad("files", f"{wrong}. {told}.", advice, first.code)


_ADVICE = {
    Code.FILE_NOT_FOUND: "Check logs.files of this host: where does Postfix log there (maillog_file, or "
    "syslog's facility mail)? If into the journal only, say kind: journald.",
    Code.FILE_CORRUPT: "Look at that file there: is it a log, and packed whole? Name the others in "
    "logs.files if it is none.",
}


def _denied(one: Trouble, host: Host) -> str:
    group = _group_of(one.path) if host.logs.place == "local" else None
    whose = f"the group {group}" if group else "its group (on Debian and Ubuntu adm)"
    return (
        f"Add the user that reads to {whose}; or better give the mail log a group of its own, which reads "
        "nothing else (docs/hosts.md)."
    )


def _group_of(path: str) -> str | None:
    """The group of a file of this machine, or of the folder it would be in."""
    while path not in ("", "/"):
        try:
            return visible(grp.getgrgid(os.stat(path).st_gid).gr_name)
        except FileNotFoundError:
            path = os.path.dirname(path)
        except (OSError, KeyError):
            return None
    return None


def span(files: Files, zone: tzinfo, shown: tzinfo, ahead: float, now: datetime) -> Finding:
    """From when to when the log reaches, its stamps read in `zone`, times shown in `shown`. `ahead`: the
    seconds that the host's clock is ahead of ours."""
    newest, oldest = files.newest, files.oldest(zone)
    if newest is None:
        return _no_end(files, oldest, shown)
    begins = f"from {moment(oldest.astimezone(shown))} " if oldest is not None else ""
    return newest_line(newest, shown, ahead, now, begins)


def newest_line(
    newest: datetime, shown: tzinfo, ahead: float, now: datetime, begins: str = ""
) -> Finding:
    """How old the newest line is, and whether that can be."""
    age = now + timedelta(seconds=ahead) - newest
    until = f"{begins}to {moment(newest.astimezone(shown))} ({shown})"
    if age < -_FUTURE:
        return bad(
            "lines",
            f"Lines {until}: the newest is {spent(-age.total_seconds())} in the future.",
            "Its stamps are read in another time zone than they are written in: set timezone of this host; "
            "or its clock is wrong.",
        )
    told = f"Lines {until}, the newest {spent(max(0.0, age.total_seconds()))} old."
    if age > _QUIET:
        advice = (
            "A mail server is seldom so quiet: is Postfix running there, syslog writing, and are these the "
            "files that it writes to?"
        )
        return unknown("lines", told, advice)
    return good("lines", told)


def _no_end(files: Files, oldest: datetime | None, shown: tzinfo) -> Finding:
    if not files.opened:
        words = "See what is wrong with its files."
        return unknown("lines", "None could be looked at.", words)
    if oldest is None:
        advice = "Does Postfix log into these files, and is its syslog running?"
        return bad("lines", "There is no line with a readable time.", advice)
    begins = moment(oldest.astimezone(shown))
    if not any(file.plain for file in files.opened):
        return unknown(
            "lines", f"Lines from {begins} ({shown}); all files are packed.",
            "Add the log that is written now to logs.files.",
        )  # fmt: skip
    return unknown(
        "lines", f"Lines from {begins} ({shown}); the newest file has none.",
        "Is its syslog running?",
    )  # fmt: skip


def form(files: Files) -> Finding | None:
    """How the last lines are written, and whether Postfix wrote them."""
    last = files.lines(_MOST_LINES)
    entries = [(line, read(line, clock), clock) for line, clock in last if line.strip()]
    if not entries:
        return None
    kinds = Counter(_kind(line, clock) for line, _, clock in entries)
    stamps = " and ".join(kind for kind, _ in kinds.most_common(2))
    postfix = [
        one.event
        for _, one, _ in entries
        if one.frame.daemon is not None and one.frame.instance is not None
    ]
    odd = sum(isinstance(one, Unrecognised) for one in postfix)
    told = f"Stamps: {stamps}. Of the last {len(entries)} lines {len(postfix)} are Postfix's"
    if not postfix:
        programs = {one.frame.daemon or "" for _, one, _ in entries}
        said = Said("programs that wrote the last lines", ", ".join(sorted(programs - {""})))
        advice = "Check logs.files: are these the files that Postfix logs to?"
        return bad("format", f"{told}.", advice, None, said)
    return good("format", told + (f", {odd} of them not understood." if odd else "."))


def _kind(line: bytes, clock: Clock) -> str:
    """How the stamp of a line is written."""
    frame_kind = "RFC 5424" if line.startswith(b"<") else "ISO 8601"
    at = stamp(line, clock)
    if at is None:
        return "none that can be read"
    floating = stamp(line, Clock(UTC, clock.reference)) != stamp(
        line, Clock(_ELSEWHERE, clock.reference)
    )
    if not floating:
        return f"{frame_kind} with a zone"
    return f"{frame_kind} without a zone" if line[:1].isdigit() else "BSD, without year and zone"


def names(files: Files, host: Host, config: Config) -> Finding | None:
    """Whether lines bear its name, for a host whose lines stand among others'."""
    found: Counter[str] = Counter()
    strangers: Counter[str] = Counter()
    for line, clock in files.lines(_MOST_NAMED):
        name = read(line, clock).frame.host
        owner = config.owner_of(name) if name else None
        if owner is not None:
            found[owner] += 1
        elif name:
            strangers[name] += 1
    every = found.total() + strangers.total()
    if not every:
        return None
    said = (
        Said("host names in its lines", ", ".join(_most_common(strangers))) if strangers else None
    )
    told = f"Of the last {every} lines {found[host.name]} bear its name."
    if strangers:
        told += f" {strangers.total()} bear names that no host here goes by."
        advice = "Add those names to the aliases of the hosts that they are."
        return unknown("names", told, advice, None, said)
    if not found[host.name]:
        advice = "If it did log meanwhile, add the name that its lines bear to its aliases."
        return aside("names", told, advice)
    return good("names", told)


def _most_common(strangers: Counter[str]) -> Iterator[str]:
    return (name for name, _ in strangers.most_common(_MOST_TOLD))
