"""What a check found: one sentence of ours, whether all is well, and what to do if not."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, get_args

from mailtrace_mcp.errors import Code

# In the order in which they are shown.
CheckName = Literal[
    "reachable", "host_key", "login", "commands", "sftp", "clock", "files", "lines", "format", "names",
    "timezone", "index",
    "connect", "banner", "ehlo", "tls", "auth", "noop",
    "mx", "spf", "dkim", "dmarc",
]  # fmt: skip
_ORDER = {name: place for place, name in enumerate(get_args(CheckName))}

# good; bad: something is to be done; unknown: it could not be told; aside: there is nothing to judge.
State = Literal["good", "bad", "unknown", "aside"]


class Said(NamedTuple):
    """A stranger's text as it came, and what it is, in our words."""

    what: str
    text: str


@dataclass(frozen=True)
class Finding:
    """One check. `found` and `advice` are ours: numbers, codes and names of the configuration."""

    check: CheckName
    state: State
    found: str
    advice: str | None = None
    code: str | None = None
    said: Said | None = None


def good(
    check: CheckName, found: str, advice: str | None = None, said: Said | None = None
) -> Finding:
    return Finding(check, "good", found, advice, None, said)


def bad(
    check: CheckName, found: str, advice: str, code: str | None = None, said: Said | None = None
) -> Finding:
    return Finding(check, "bad", found, advice, code, said)


def unknown(
    check: CheckName, found: str, advice: str, code: str | None = None, said: Said | None = None
) -> Finding:
    return Finding(check, "unknown", found, advice, code, said)


def aside(
    check: CheckName, found: str, advice: str | None = None, said: Said | None = None
) -> Finding:
    return Finding(check, "aside", found, advice, None, said)


@dataclass(frozen=True)
class Examined:
    """A host, a profile or a domain with its findings, in order."""

    name: str
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool | None:
        """False if anything is bad; None if something could not be told."""
        states = {one.state for one in self.findings}
        if "bad" in states:
            return False
        return None if "unknown" in states or not states else True


class Notes(Protocol):
    """Where a check writes what it finds."""

    def begin(self, *checks: CheckName) -> None:
        """These are looked at now; none: it is over."""

    def add(self, finding: Finding) -> None: ...


class Sheet:
    """The findings about one thing so far. One thread writes, and it may be left behind: what it writes
    after `closed` is lost."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._findings: list[Finding] = []
        self._doing: list[CheckName] = []

    def begin(self, *checks: CheckName) -> None:
        with self._lock:
            self._doing = list(checks)

    def add(self, finding: Finding) -> None:
        with self._lock:
            self._findings.append(finding)
            if finding.check in self._doing:
                self._doing.remove(finding.check)

    def closed(self, late: str, code: str | None = None) -> Examined:
        """What was found; what is being looked at still is told as `late` (a sentence)."""
        with self._lock:
            advice = "Ask again for this one alone, or raise limits.deadline."
            open_ones = [bad(check, late, advice, code) for check in self._doing]
            found = sorted([*self._findings, *open_ones], key=lambda one: _ORDER[one.check])
            return Examined(self.name, tuple(found))


class Several:
    """Several sheets with the same findings: hosts whose lines lie on one machine."""

    def __init__(self, sheets: Sequence[Sheet]) -> None:
        self._sheets = sheets

    def begin(self, *checks: CheckName) -> None:
        for sheet in self._sheets:
            sheet.begin(*checks)

    def add(self, finding: Finding) -> None:
        for sheet in self._sheets:
            sheet.add(finding)


def timed_out(seconds: float) -> tuple[str, str]:
    """The words and the code for what did not end before the deadline of the call."""
    return f"It was not over after {seconds:g} s, the deadline of one call.", Code.HOST_TIMEOUT
