"""The journal: a real journalctl over a journal that systemd-journal-remote wrote, here and over SSH."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs import Reading, Term, TermKind
from mailtrace_mcp.logs.journal import JournalSource
from mailtrace_mcp.logs.local_journal import LocalJournal
from mailtrace_mcp.logs.scan import Member
from mailtrace_mcp.logs.ssh.pool import POOL, Pool
from mailtrace_mcp.logs.ssh.remote_journal import RemoteJournal
from mailtrace_mcp.logs.store import StoreError
from mailtrace_mcp.questions import CheckQuestion, check_hosts
from mailtrace_mcp.trace.coverage import HostCoverage, Window
from tests.checks.conftest import checks

from .conftest import MOST, Place, go_on
from .test_sources import configured, reached

WRITER = "/lib/systemd/systemd-journal-remote"
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOUR = Window(NOON - timedelta(minutes=30), NOON + timedelta(minutes=30))

# seconds after noon, identifier, message, other fields
ENTRIES: list[tuple[float, str, bytes, dict[str, str]]] = [
    (-7200, "postfix/smtpd", b"AAAA111: from yesterday's rest", {}),
    (0, "postfix/smtpd", b"AAAA111: client=a.example[192.0.2.1]", {}),
    (0.000001, "postfix/cleanup", b"AAAA111: message-id=<x\x1b[31m\x01\x7f@one.example>", {}),
    (1, "sshd", b"AAAA111 is not mail", {"SYSLOG_FACILITY": "10", "_SYSTEMD_UNIT": "ssh.service"}),
    (2, "postfix/smtp", b"AAAA111: of another facility", {"SYSLOG_FACILITY": "17"}),
    (3, "postfix/smtp", b"AAAA111: as RHEL calls it", {"SYSLOG_FACILITY": "17", "_SYSTEMD_UNIT": "postfix.service"}),
    (4, "postfix/smtp", b"AAAA111: of nobody", {"SYSLOG_FACILITY": "17", "_SYSTEMD_UNIT": "x.service"}),
    (5, "dovecot", b"AAAA111 first\n2026-11-21T12:00:00.0+0000 mx1 postfix/smtp[1]: AAAA111: forged", {}),
    (6, "postfix/postsuper", b"AAAA111: removed", {"_SYSTEMD_UNIT": "session-3.scope"}),
    (7, "postfix-out/smtp", b"AAAA111: another instance", {"_SYSTEMD_UNIT": "postfix@out.service"}),
    (3000, "postfix/qmgr", b"AAAA111: too late", {}),
]  # fmt: skip
FOUND = [1, 2, 4, 5, 7, 8, 9]  # which of them are mail, and inside HOUR


def _field(name: str, value: bytes) -> bytes:
    if all(31 < byte < 127 for byte in value):
        return b"%b=%b\n" % (name.encode(), value)
    return b"%b\n%b%b\n" % (name.encode(), struct.pack("<Q", len(value)), value)


def _export(host: str) -> bytes:
    """The Journal Export Format (systemd.io/JOURNAL_EXPORT_FORMATS)."""
    out = b""
    for seconds, identifier, message, others in ENTRIES:
        at = int(NOON.timestamp() * 1e6) + round(seconds * 1e6)
        usual = {
            "__REALTIME_TIMESTAMP": str(at),
            "__MONOTONIC_TIMESTAMP": str(at - 1_790_000_000_000_000),
            "_BOOT_ID": "0" * 31 + "1",
            "_MACHINE_ID": "a" * 32,
            "_HOSTNAME": host,
            "PRIORITY": "6",
            "SYSLOG_FACILITY": "2",
            "SYSLOG_IDENTIFIER": identifier,
            "SYSLOG_PID": "77",
            "_SYSTEMD_UNIT": "postfix@-.service",
        } | others
        out += b"".join(_field(name, value.encode()) for name, value in usual.items())
        out += _field("MESSAGE", message) + b"\n"
    return out


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a journal."""
    if not os.path.exists(WRITER) or shutil.which("journalctl") is None:
        pytest.skip("not installed: systemd-journal-remote, journalctl")
    folder = tmp_path_factory.mktemp("journal")
    (folder / "export").write_bytes(_export("mx1"))
    written = ["-o", str(folder / "system.journal"), str(folder / "export")]
    subprocess.run([WRITER, *written], check=True, capture_output=True)
    (folder / "system.journal").chmod(0o644)
    folder.chmod(0o755)
    return folder


def source(journal: LocalJournal | RemoteJournal, limit: int = MOST) -> JournalSource:
    return JournalSource(journal, [Member("mx1", UTC)], lambda name: None, limit)


def read(
    made: JournalSource, text: str = "AAAA111", kind: TermKind = "queue_id", window: Window = HOUR
) -> Reading:
    return anyio.run(made.read, [Term(kind, text, window)], window)


def only(reading: Reading) -> HostCoverage:
    (coverage,) = reading.coverage
    return coverage


def check(reading: Reading) -> None:
    """It is the mail of the window, whole."""
    entries = [found.raw for found in reading.lines if not found.raw.startswith(b" ")]
    first_lines = [ENTRIES[number][2].split(b"\n")[0] for number in FOUND]
    assert [entry.split(b"]: ", 1)[1] for entry in entries] == first_lines
    # Control bytes are there, and what follows a line break in a message is no line of its own.
    assert b"\x1b[31m\x01\x7f" in entries[1]
    assert len(reading.lines) == len(entries) + 1
    orders = [found.order for found in reading.lines]
    assert len(set(orders)) == len(orders)
    coverage = only(reading)
    assert (coverage.state, coverage.code, coverage.files) == ("read", None, ("journal",))
    assert coverage.oldest == NOON and coverage.newest == NOON + timedelta(seconds=7)


def test_the_mail_of_a_window(journal: Path) -> None:
    check(read(source(LocalJournal([f"--directory={journal}"]))))


def test_without_a_a_sender_can_hide(journal: Path) -> None:
    """Why `-a` is there."""
    command = ["journalctl", f"--directory={journal}", "-q", "-o", "short-iso-precise"]
    said = subprocess.run(command, check=True, capture_output=True).stdout
    assert b"blob data" in said and b"message-id=<x" not in said


def test_a_line_is_the_same_at_every_reading(journal: Path) -> None:
    made = source(LocalJournal([f"--directory={journal}"]))
    every = read(made, "", "everything")
    orders = {found.raw: found.order for found in every.lines}
    short = Window(NOON, NOON + timedelta(seconds=6))
    for reading in (read(made), read(made, window=short), read(made, "example", "literal")):
        assert reading.lines
        assert all(orders[found.raw] == found.order for found in reading.lines)


def test_a_journal_that_begins_in_the_window(journal: Path) -> None:
    wide = Window(NOON - timedelta(hours=5), NOON + timedelta(hours=5))
    coverage = only(read(source(LocalJournal([f"--directory={journal}"])), window=wide))
    assert (coverage.state, coverage.code) == ("partial", None)
    assert "begins at 2026-11-21 10:00:00" in (coverage.reason or "")


def test_nothing_in_the_window(journal: Path) -> None:
    later = Window(NOON + timedelta(hours=2), NOON + timedelta(hours=3))
    reading = read(source(LocalJournal([f"--directory={journal}"])), window=later)
    assert not reading.lines and only(reading).state == "read"


def test_more_than_the_limit(journal: Path) -> None:
    coverage = only(read(source(LocalJournal([f"--directory={journal}"]), limit=300)))
    assert (coverage.state, coverage.code) == ("partial", Code.RANGE_TOO_WIDE)


def test_no_journal(tmp_path: Path) -> None:
    coverage = only(read(source(LocalJournal([f"--directory={tmp_path}"]))))
    assert (coverage.state, coverage.code) == ("unreachable", Code.FILE_NOT_FOUND)


def test_no_journalctl(monkeypatch: pytest.MonkeyPatch) -> None:
    from mailtrace_mcp.logs import local_journal

    monkeypatch.setattr(local_journal, "_PLACES", "/nowhere")
    assert only(read(source(LocalJournal()))).code == Code.FILE_NOT_FOUND


def test_journalctl_does_not_outlive_the_call(journal: Path) -> None:
    stop = threading.Event()
    endless = LocalJournal([f"--directory={journal}", "-f"])._run(("-q",), stop.is_set)
    worker = threading.Thread(target=lambda: list(endless))
    worker.start()
    time.sleep(0.2)
    assert _children() == ["journalctl"]
    stop.set()
    worker.join(2)
    assert not worker.is_alive()
    assert _children() == []


def _children() -> list[str]:
    found: list[str] = []
    for task in Path("/proc/self/task").iterdir():
        found += [
            Path(f"/proc/{child}/comm").read_text()
            for child in (task / "children").read_text().split()
        ]
    return [name.strip() for name in found if name.startswith("journalctl")]


@pytest.fixture(scope="module")
def over_there(place: Place, journal: Path) -> Iterator[Place]:
    """A server in whose /var/log the journal lies, under the machine's own id."""
    identity = Path("/etc/machine-id")
    if not identity.exists() or not identity.read_text().strip():
        pytest.skip("this machine has no /etc/machine-id, by which journalctl finds its journal")
    there = place.box.log / "journal" / identity.read_text().strip()
    there.mkdir(parents=True)
    shutil.copy(journal / "system.journal", there / "system.journal")
    (there / "system.journal").chmod(0o644)
    yield place
    shutil.rmtree(place.box.log / "journal")


@pytest.mark.parametrize("user", ["reader", "installed"])
def test_over_ssh(user: str, over_there: Place, warm: Pool) -> None:
    remote = RemoteJournal(lambda: warm.machine(over_there.login(user)), MOST)
    check(read(source(remote)))


@pytest.mark.parametrize("user", ["reader", "installed"])
def test_over_ssh_by_a_user_who_may_not(user: str, over_there: Place, warm: Pool) -> None:
    (file,) = (over_there.box.log / "journal").glob("*/system.journal")
    file.chmod(0o600)
    remote = RemoteJournal(lambda: warm.machine(over_there.login(user)), MOST)
    coverage = only(read(source(remote)))
    file.chmod(0o644)
    assert (coverage.state, coverage.code) == ("denied", Code.FILE_DENIED)
    assert "systemd-journal" in (coverage.reason or "")


def test_what_a_check_says_of_it(over_there: Place, tmp_path: Path) -> None:
    def journal_of(user: str) -> str:
        return reached(over_there, "/x", user).replace("files: ['/x']", "kind: journald")

    users = ("reader", "installed", "narrow", "files")
    hosts = {user: journal_of(user) for user in users}
    config = configured(tmp_path, hosts, over_there.known_hosts.read_text())
    asked = CheckQuestion(profiles=False, dns=False)
    answer = anyio.run(check_hosts, config, asked, NOON + timedelta(hours=1))
    POOL.close()
    found = {one.name: checks(one) for one in answer.hosts}
    for user in ("reader", "installed"):
        assert found[user]["files"].found == "The journal can be read."
        assert "to 2026-11-21 12:50:00 (UTC), the newest 10 min old" in found[user]["lines"].found
    denied = found["narrow"]["files"]
    assert (denied.ok, denied.code) == (False, Code.FILE_DENIED)
    assert "systemd-journal" in (denied.advice or "")
    assert found["files"]["commands"].ok is False
    assert "allows none" in found["files"]["commands"].found


def test_over_ssh_where_only_files_are_allowed(place: Place, warm: Pool) -> None:
    remote = RemoteJournal(lambda: warm.machine(place.login("files")), MOST)
    with pytest.raises(StoreError, match="allows none"):
        next(remote.entries(1, 2, go_on))


def test_over_ssh_where_the_journal_is_not_named(place: Place, warm: Pool) -> None:
    remote = RemoteJournal(lambda: warm.machine(place.login("narrow")), MOST)
    coverage = only(read(source(remote)))
    assert (coverage.state, coverage.code) == ("denied", Code.FILE_DENIED)
    assert "does not allow the journal" in (coverage.reason or "")
