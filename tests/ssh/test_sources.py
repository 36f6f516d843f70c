"""Questions over SSH hosts: good ones, and ones that hang, die, flood or deny, all at once."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import paramiko
import pytest

from mailtrace_mcp.config import Config, load
from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs import Reading, Term
from mailtrace_mcp.logs.open import sources
from mailtrace_mcp.logs.ssh.pool import POOL
from mailtrace_mcp.questions import LogQuestion, query_logs
from mailtrace_mcp.trace.coverage import HostCoverage, Window
from tests.soak import rounds

from . import evil
from .conftest import Place
from .test_connection import gone, started

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DEADLINE = rounds(5, 10)  # seconds
TIMEOUTS = (
    rounds(2, 10),
    rounds(2, 30),
)  # in the long run so long that only the deadline ends a call
HOUR = Window(NOON - timedelta(hours=1), NOON + timedelta(hours=1))


@pytest.fixture(autouse=True)
def _no_connection_is_left() -> Iterator[None]:
    paramiko.util.get_logger("paramiko").setLevel(100)
    yield
    POOL.close()


def line(minutes: float, text: str, host: str = "mx1") -> bytes:
    at = NOON + timedelta(minutes=minutes)
    return f"{at.isoformat(timespec='seconds')} {host} postfix/smtpd[7]: {text}\n".encode()


def configured(
    folder: Path,
    hosts: dict[str, str],
    known: str,
    more: str = "",
    timeouts: tuple[int, int] = (2, 2),
) -> Config:
    """`timeouts`, in seconds, are those of connecting and of a command."""
    file = folder / "config.yaml"
    (folder / "known").write_text(known)
    written = "\n".join(f"  {name}: {text}" for name, text in hosts.items())
    file.write_text(
        f"timezone: UTC\nhosts:\n{written}\nssh: {{known_hosts: {folder}/known,"
        f" connect_timeout: {timeouts[0]}, command_timeout: {timeouts[1]}}}\n{more}"
    )
    return load(file, {})


def reached(place: Place, files: str, user: str = "reader", port: int = 0) -> str:
    return (
        f"{{address: 127.0.0.1, logs: {{at: ssh, files: ['{files}']}},"
        f" ssh: {{user: {user}, port: {port or place.server.port}, key: {place.key}}}}}"
    )


def read(config: Config, text: str = "AAAA111") -> dict[str, tuple[HostCoverage, list[bytes]]]:
    async def ask() -> list[Reading]:
        return [await one.read([Term("queue_id", text, HOUR)], HOUR) for one in sources(config)]

    return {
        one.host: (one, [found.raw for found in reading.lines if found.host == one.host])
        for reading in anyio.run(ask)
        for one in reading.coverage
    }


@pytest.mark.parametrize("user", ["reader", "installed", "files"])
def test_rotated_and_packed_files_of_a_host(user: str, place: Place, tmp_path: Path) -> None:
    place.write("mail.log.r.2.gz", line(-90, "AAAA111: too old") + line(-50, "AAAA111: packed"))
    place.write("mail.log.r.1", line(-40, "BBBB222: other") + line(-30, "AAAA111: rotated"))
    place.write("mail.log.r", line(0, "AAAA111: current") + line(70, "AAAA111: too new"))
    folder = "/log" if user == "files" else "/var/log"
    host = reached(place, f"{folder}/mail.log.r*", user)
    found = read(configured(tmp_path, {"mx1": host}, place.known_hosts.read_text()))
    coverage, lines = found["mx1"]
    said = [one.rpartition(b": ")[2] for one in lines]
    assert said == [b"packed", b"rotated", b"current"]
    assert (coverage.state, coverage.code) == ("read", None)
    assert coverage.files == tuple(f"{folder}/mail.log.r{end}" for end in (".2.gz", ".1", ""))


def test_sh023_one_of_two_files_may_not_be_read(place: Place, tmp_path: Path) -> None:
    place.write("mail.log.d", line(-70, "first") + line(0, "AAAA111: here"))
    place.write("mail.log.d.1", b"hidden\n")
    (place.box.log / "mail.log.d.1").chmod(0o600)
    host = reached(place, "/var/log/mail.log.d*")
    config = configured(tmp_path, {"mx1": host}, place.known_hosts.read_text())
    coverage, lines = read(config)["mx1"]
    assert [one[-4:] for one in lines] == [b"here"]
    assert (coverage.state, coverage.code) == ("partial", Code.FILE_DENIED)
    assert coverage.files == ("/var/log/mail.log.d",)
    assert coverage.reason == "/var/log/mail.log.d.1 may not be read."
    place.write("mail.log.d", line(-180, "first") + line(0, "AAAA111: here"))
    coverage, lines = read(config)["mx1"]  # of what was written before, nothing is asked for
    assert (coverage.state, coverage.code, len(lines)) == ("read", None, 1)
    (place.box.log / "mail.log.d").chmod(0o600)
    coverage, lines = read(config)["mx1"]
    assert (coverage.state, coverage.code, lines) == ("denied", Code.FILE_DENIED, [])


def test_a_loghost_over_ssh(place: Place, tmp_path: Path) -> None:
    text = line(-70, "first") + line(0, "AAAA111: a", "mx1") + line(1, "AAAA111: b", "mx2")
    place.write("mail.log.many", text)
    hosts = {
        "loghost": reached(place, "/var/log/mail.log.many"),
        "mx1": "{logs: {at: loghost}}",
        "mx2": "{logs: {at: loghost}}",
    }
    found = read(configured(tmp_path, hosts, place.known_hosts.read_text()))
    assert [one[-1:] for one in found["mx1"][1]] == [b"a"]
    assert [one[-1:] for one in found["mx2"][1]] == [b"b"]
    assert found["loghost"][1] == []


def test_an_unknown_host_key_is_told_in_the_coverage(place: Place, tmp_path: Path) -> None:
    host = reached(place, "/var/log/mail.log")
    coverage, _ = read(configured(tmp_path, {"mx1": host}, ""))["mx1"]
    assert (coverage.state, coverage.code) == ("unreachable", Code.HOST_KEY_UNKNOWN)
    assert "SHA256:" in (coverage.reason or "")


def dies(channel: paramiko.Channel, line: str, nonce: bytes) -> None:
    channel.sendall(b"\n%b begin\n81a4 1 2 100" % nonce)
    channel.get_transport().sock.close()


def floods(channel: paramiko.Channel, line: str, nonce: bytes) -> None:
    channel.sendall(b"\n%b begin\n" % nonce)
    while True:
        channel.sendall_stderr(b"e" * (1 << 18))
        channel.sendall(b"x" * (1 << 18))


def hangs(connection: socket.socket, record: evil.Record) -> None:
    time.sleep(20)


@pytest.mark.soak
def test_twenty_calls_while_hosts_misbehave(place: Place, tmp_path: Path) -> None:
    """Each is answered in time, with the lines of the good hosts, and names the bad ones."""
    place.write("mail.log.good", line(-70, "first") + line(0, "AAAA111: client=x[192.0.2.1]"))
    place.write("mail.log.mine", b"x\n")
    (place.box.log / "mail.log.mine").chmod(0o600)
    with (
        evil.raw(hangs) as hanging,
        evil.ssh(evil.polite(dies)) as dying,
        evil.ssh(evil.polite(floods)) as flooding,
    ):
        hosts = {
            "good": reached(place, "/var/log/mail.log.good"),
            "denied": reached(place, "/var/log/mail.log.mine"),
            "hangs": reached(place, "/var/log/mail.log", port=hanging.port),
            "dies": reached(place, "/var/log/mail.log", port=dying.port),
            "floods": reached(place, "/var/log/mail.log", port=flooding.port),
        }
        known = place.known_hosts.read_text() + dying.known_host() + flooding.known_host()
        limits = f"limits: {{deadline: {DEADLINE}}}\n"
        config = configured(tmp_path, hosts, known, limits, TIMEOUTS)
        taken: list[float] = []

        async def ask() -> None:
            begun = time.monotonic()
            asked = LogQuestion(keywords=("AAAA111",), time="2026-11-21 12:00", time_range="1h")
            answer = await query_logs(config, asked, now=NOON + timedelta(days=1))
            taken.append(time.monotonic() - begun)
            states = {one.host: (one.state, one.code) for one in answer.coverage.hosts}
            assert states["good"] == ("read", None)
            assert states["denied"] == ("denied", Code.FILE_DENIED)
            assert states["hangs"] == ("timeout", Code.HOST_TIMEOUT)
            assert states["dies"][0] == "unreachable"
            assert states["floods"][0] in ("unreachable", "timeout", "partial")
            assert list(answer.queue_ids) == ["AAAA111"]

        async def all_of_them() -> None:
            async with anyio.create_task_group() as group:
                for _ in range(20):
                    group.start_soon(ask)

        anyio.run(all_of_them)
    assert len(taken) == 20
    assert max(taken) < DEADLINE + 1
    assert hanging.record.connections <= 2


@pytest.mark.soak
def test_a_cancelled_call_ends_its_search_on_the_host(place: Place, tmp_path: Path) -> None:
    """A log of 200 GB, nearly all of it a hole in which no line ends: to search it takes minutes."""
    path = place.write("mail.log.call", line(-70, "first") * 2000)
    place.box.run('truncate -s 200G "$LOG"', LOG=path)
    known = place.known_hosts.read_text()
    config = configured(tmp_path, {"mx1": reached(place, path)}, known, timeouts=(2, 60))
    asked = LogQuestion(keywords=("AAAA111",), time="2026-11-21 12:00", time_range="1h")

    async def call() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(query_logs, config, asked, NOON + timedelta(days=1))
            assert await anyio.to_thread.run_sync(started)
            group.cancel_scope.cancel()

    for _ in range(rounds(3, 50)):
        anyio.run(call)
        assert gone(5.0)
    (place.box.log / "mail.log.call").unlink()
