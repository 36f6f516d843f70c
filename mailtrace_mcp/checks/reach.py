"""A host over SSH: is it there, is it the one that is known, does it let us in, and what may we do there?"""

from __future__ import annotations

from datetime import timedelta

from mailtrace_mcp.answers.words import spent
from mailtrace_mcp.checks.failing import failure
from mailtrace_mcp.checks.finding import CheckName, Finding, Notes, aside, bad, good
from mailtrace_mcp.config import Host
from mailtrace_mcp.errors import Code, visible
from mailtrace_mcp.logs.ssh.login import Login, login
from mailtrace_mcp.logs.ssh.machine import Facts, Machine
from mailtrace_mcp.logs.ssh.pool import POOL
from mailtrace_mcp.logs.store import Stopped, StoreError
from mailtrace_mcp.trace.clocks import UNTOLD_SKEW

_NEEDED = {"files": ("grep", "head", "tail", "stat"), "journald": ("journalctl",)}
_FOR_PACKED = ("gzip", "bzip2", "xz")
_FIRST: tuple[CheckName, ...] = ("reachable", "host_key", "login")
# How far a failure shows that we came; any other code says that it was not reached at all.
_CAME_TO: dict[str, int] = {
    Code.HOST_KEY_UNKNOWN: 1,
    Code.HOST_KEY_MISMATCH: 1,
    Code.AUTH_FAILED: 2,
    Code.SECRET_MISSING: 2,
    Code.REMOTE_COMMAND_FAILED: 3,
}


def reach(notes: Notes, host: Host, stopped: Stopped) -> Facts | None:
    """Writes what is found of a host that is reached by SSH; what it says of itself, None where it runs
    no commands. Raises StoreError where nothing can be read of it: then that is written, too."""
    notes.begin(*_FIRST[:1])
    try:
        there = login(host)
    except StoreError as error:
        notes.add(failure("reachable", error))
        raise
    machine = POOL.machine(there)
    try:
        machine.facts(stopped)
        facts = machine.facts(stopped, anew=True)
    except StoreError as error:
        _refused(notes, there, error)
        raise
    _let_in(notes, there, facts)
    notes.begin("sftp")
    sftp = _allows_sftp(notes, machine, stopped)
    _ways(notes, facts, sftp, host.logs.kind)
    if facts is not None and facts.ahead is not None:
        notes.add(clock(facts.ahead, facts.within))
    return facts


def clock(ahead: float, within: float) -> Finding:
    """How far its clock is ahead of this machine's (seconds), which is known within so many."""
    off = timedelta(seconds=max(0.0, abs(ahead) - within))
    known = f"known within {_rounded(within)}"
    if off <= UNTOLD_SKEW:
        return good("clock", f"It agrees with this machine's ({ahead:+.2f} s, {known}).")
    side = "ahead of" if ahead > 0 else "behind"
    return bad(
        "clock",
        f"It is {spent(abs(ahead))} {side} this machine's ({known}).",
        "Keep both clocks by NTP (chrony, systemd-timesyncd). Until then choose windows that are as much "
        "wider.",
    )


def _rounded(seconds: float) -> str:
    """A time, told in hundredths of a second at the finest."""
    return spent(max(0.01, seconds))


def _refused(notes: Notes, there: Login, error: StoreError) -> None:
    came_to = _CAME_TO.get(error.code, 0)
    for finding in _passed(there)[:came_to]:
        notes.add(finding)
    finding = failure((*_FIRST, "commands")[came_to], error)
    if there.jump is not None:
        through = f"{finding.found} (It is reached through {visible(there.jump.address)}.)"
        finding = bad(finding.check, through, finding.advice or "", error.code)
    notes.add(finding)


def _let_in(notes: Notes, there: Login, facts: Facts | None) -> None:
    for finding in _passed(there, facts):
        notes.add(finding)


def _passed(there: Login, facts: Facts | None = None) -> list[Finding]:
    where = f"{visible(there.address)} port {there.port}"
    quick = f" within {_rounded(2 * facts.within)}" if facts is not None else ""
    return [
        good("reachable", f"{where} answers{quick}."),
        good("host_key", f"Its key is the one in {visible(there.known_hosts, 200)}."),
        good("login", "It lets the configured user in."),
    ]


def _allows_sftp(notes: Notes, machine: Machine, stopped: Stopped) -> bool:
    try:
        return machine.allows_sftp(stopped)
    except StoreError as error:
        notes.add(failure("sftp", error))
        raise


def _ways(notes: Notes, facts: Facts | None, sftp: bool, kind: str) -> None:
    """What it allows. Raises StoreError where that is nothing its logs can be read by."""
    notes.begin("commands")
    if facts is not None:
        notes.add(_commands(facts, kind))
    elif kind == "journald":
        notes.add(_no_way("Its journal is read by a command, and it allows none."))
    elif not sftp:
        notes.add(_no_way("It allows neither commands nor SFTP."))
    else:
        notes.add(aside("commands", "It allows none: files are read by SFTP and searched here."))
    if sftp:
        notes.add(good("sftp", "It allows SFTP."))
    else:
        notes.add(aside("sftp", "It allows none."))
    if facts is None and (kind == "journald" or not sftp):
        raise StoreError(Code.REMOTE_COMMAND_FAILED, "Nothing can be read of it.")


def _no_way(words: str) -> Finding:
    advice = "Install mailtrace-read there as the forced command of the key (docs/hosts.md)."
    return bad("commands", words, advice, Code.REMOTE_COMMAND_FAILED)


def _commands(facts: Facts, kind: str) -> Finding:
    how = {
        "installed": "It runs mailtrace-read.",
        "inline": "It runs any command of this user.",
    }[facts.form]
    missing = [one for one in _NEEDED[kind] if one not in facts.programs]
    if missing:
        return bad(
            "commands", f"{how} It lacks {', '.join(missing)}.", "Install them there.",
            Code.REMOTE_COMMAND_FAILED,
        )  # fmt: skip
    packed = [one for one in _FOR_PACKED if one not in facts.programs]
    if packed and kind == "files":
        how += f" It lacks {', '.join(packed)}: logs that are packed so cannot be searched there."
    narrow = "mailtrace-read as the forced command of the key allows no more than is needed "
    return good("commands", how, None if facts.form == "installed" else f"{narrow}(docs/hosts.md).")
