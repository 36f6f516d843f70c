"""A host's mail log in journald: read by journalctl between two times, here or over SSH.

What is mail is told by the facility, which is how syslog would have made /var/log/mail.log of it: so
postsuper of an administrator's session, amavis and dovecot are there too. Beside it stand the units of
Postfix itself (RHEL postfix.service, Debian postfix@-.service) for who logs under another facility.
`-a`: without it a message with a control byte, which a sender can bring about, is shown as
`[26B blob data]`, and hides.
"""

from __future__ import annotations

import math
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import anyio.to_thread

from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs import FoundLine, Reading, Term
from mailtrace_mcp.logs.blocks import LONGEST_LINE, blocks
from mailtrace_mcp.logs.logfile import first_stamp, last_stamp, stamp
from mailtrace_mcp.logs.match import Hit
from mailtrace_mcp.logs.scan import MOST_LINES, HostLines, Member, Scan
from mailtrace_mcp.logs.store import Stopped, StoreError
from mailtrace_mcp.logs.telling import Seen, coverage
from mailtrace_mcp.trace.coverage import HostCoverage, State, Window
from mailtrace_parsers.entry import Clock

OPTIONS = ("-a", "-o", "short-iso-precise", "--no-pager")
MATCHES = (
    "SYSLOG_FACILITY=2",
    "+",
    "_SYSTEMD_UNIT=postfix.service",
    "+",
    "_SYSTEMD_UNIT=postfix@-.service",
)
_NAME = "journal"  # where files have their path
_EPOCH = datetime.fromtimestamp(0, UTC)
_MICROSECOND = timedelta(microseconds=1)
_CLOCK = Clock(UTC, _EPOCH)  # every stamp has its zone and its year


class Journal(Protocol):
    """The journal of one machine. Errors: StoreError; FILE_DENIED where the user may not read it."""

    def entries(self, since: int, until: int, stopped: Stopped) -> Iterator[bytes]:
        """What journalctl prints in the format short-iso-precise. The first item is the last entry
        before `since` (UNIX time, seconds), empty if there is none; then come those up to `until`."""


class JournalSource:
    """The mail lines of one machine's journal, which are those of `members`; see PlannedSource for the
    other arguments. There is no index: journald has its own."""

    def __init__(
        self,
        journal: Journal,
        members: Sequence[Member],
        owner_of: Callable[[str], str | None],
        limit: int,
    ) -> None:
        self._journal = journal
        self._members = tuple(members)
        self._owner_of = owner_of
        self._limit = limit

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(member.name for member in self._members)

    async def read(self, terms: Sequence[Term], window: Window) -> Reading:
        """See LogSource. Works in a thread; when cancelled, journalctl is ended, too."""
        if not any(_concerns(member, terms) for member in self._members):
            return Reading((), ())
        stop = threading.Event()
        try:
            return await anyio.to_thread.run_sync(
                self._read, tuple(terms), window, stop.is_set, abandon_on_cancel=True
            )
        finally:
            stop.set()

    def _read(self, terms: Sequence[Term], window: Window, stopped: Stopped) -> Reading:
        scan = _JournalScan(self._members, self._owner_of, terms, window, self._limit, stopped)
        since = math.floor(scan.reach.start.timestamp())
        until = math.ceil(scan.reach.end.timestamp())
        begins: datetime | None = None
        broken: StoreError | None = None
        try:
            pieces = self._journal.entries(since, until, stopped)
            begins = first_stamp(next(pieces, b""), _CLOCK)
            scan.take(pieces)
        except StoreError as error:
            broken = error
        seen = Seen((_NAME,) if broken is None else (), (), begins or scan.begins)
        hosts = [host for host in scan.hosts.values() if _concerns(host.member, terms)]
        told = [coverage(host, scan, seen) for host in hosts]
        if broken is not None:
            told = [_broken(one, broken) for one in told]
        return Reading([line for host in hosts for line in host.lines], told)


class _JournalScan(Scan):
    """Takes lines by their stamps: a journal has no offsets that another reading would find again."""

    begins: datetime | None = None
    _before: datetime | None = None

    def take(self, chunks: Iterable[bytes]) -> None:
        for block in blocks(chunks):
            if self.stopped() or all(host.cut for host in self.hosts.values()):
                return
            self.bytes_read += len(block.data)
            self.cut_lines += block.cut
            self._see(block.data, _CLOCK)
            self.begins = self.begins or first_stamp(block.data, _CLOCK)
            for hit in self._matcher.hits(block.data):
                self._take(block.data, hit)
            self._before = last_stamp(block.data, _CLOCK) or self._before

    def _take(self, data: bytes, hit: Hit) -> None:
        line = data[hit.start : hit.end][:LONGEST_LINE]
        host = self.host_of(line, _CLOCK) if line else None
        at = stamp(line, _CLOCK)
        if host is None or not any(_asks(term, host, at) for term in hit.terms):
            return
        host.size += len(line)
        if host.size > self.limit or len(host.lines) >= MOST_LINES:
            host.cut = True
            return
        # The further lines of an entry have no stamp of their own.
        entry = at or last_stamp(data[: hit.start], _CLOCK) or self._before or _EPOCH
        order = _order(entry, line)
        host.lines.append(FoundLine(host.member.name, order, line, _CLOCK, _NAME))


def _order(at: datetime, line: bytes) -> int:
    """The same at every reading, whatever else was asked for: the time in microseconds, which journald
    gives to one entry only, and something of the line should it have happened."""
    return ((at - _EPOCH) // _MICROSECOND << 32) | zlib.crc32(line)


def _asks(term: Term, host: HostLines, at: datetime | None) -> bool:
    named = term.hosts is None or host.member.name in term.hosts
    return named and term.window.holds(at)


def _concerns(member: Member, terms: Iterable[Term]) -> bool:
    return any(term.hosts is None or member.name in term.hosts for term in terms)


def _broken(one: HostCoverage, error: StoreError) -> HostCoverage:
    """What is told of a host whose journal could not be read, or not to its end."""
    state: State = "partial" if one.bytes_read else "unreachable"
    if error.code == Code.HOST_TIMEOUT:
        state = "timeout"
    elif error.code == Code.FILE_DENIED:
        state = "denied"
    return replace(one, state=state, code=error.code, reason=str(error))


def why_not(status: int, said: bytes) -> StoreError | None:
    """What journalctl's exit status and error stream mean; None where all is well. Run it with LC_ALL=C
    and, for its hints, once without -q."""
    if b"insufficient permissions" in said or b"not seeing messages" in said:
        words = "Its journal may not be read by this user: add it to the group systemd-journal."
        return StoreError(Code.FILE_DENIED, words)
    if b"No journal files were found" in said:
        return StoreError(Code.FILE_NOT_FOUND, "There is no journal on it.")
    if status:
        return StoreError(Code.REMOTE_COMMAND_FAILED, "Its journalctl failed.")
    return None
