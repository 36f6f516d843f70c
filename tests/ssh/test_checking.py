"""check_hosts over a real sshd: how far we came with each host, and what to do about it."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import paramiko
import pytest

from mailtrace_mcp.answers import CheckAnswer, as_json
from mailtrace_mcp.checks.reach import clock
from mailtrace_mcp.config import Config, load
from mailtrace_mcp.logs.ssh.pool import POOL
from mailtrace_mcp.questions import CheckQuestion, check_hosts
from mailtrace_mcp.views.checks import check_text
from tests.checks.conftest import checks, sound, states

from . import evil
from .box import free_port, keypair
from .conftest import PASSWORD, Place
from .test_sources import configured, dies, floods, hangs, reached
from .test_zone import TAIPEI, in_zone

ALL_GOOD = dict.fromkeys(
    ("reachable", "host_key", "login", "commands", "sftp", "clock", "files", "lines", "format", "timezone"),
    True,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _no_connection_is_left() -> Iterator[None]:
    paramiko.util.get_logger("paramiko").setLevel(100)
    yield
    POOL.close()


def now_line(host: str = "mx1", minutes: float = -1) -> bytes:
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    return (
        f"{at.isoformat(timespec='seconds')} {host} postfix/qmgr[7]: 4F2A1B3C5D: removed\n".encode()
    )


def asked(config: Config) -> CheckAnswer:
    async def main() -> CheckAnswer:
        question = CheckQuestion(profiles=False, dns=False)
        return await check_hosts(config, question, datetime.now(UTC))

    answer = anyio.run(main)
    sound(answer)
    return answer


@pytest.fixture
def log(place: Place) -> str:
    return place.write("mail.log.c", now_line(minutes=-2) + now_line())


@pytest.mark.parametrize("user", ["reader", "installed"])
def test_a_host_that_runs_commands(user: str, place: Place, log: str, tmp_path: Path) -> None:
    hosts = {"mx1": reached(place, log, user)}
    [host] = asked(configured(tmp_path, hosts, place.known_hosts.read_text())).hosts
    # A forced command allows no SFTP, which takes nothing away.
    more = {"sftp": None} if user == "installed" else {}
    assert states(host) == ALL_GOOD | {"index": None} | more
    assert host.ok
    found = checks(host)
    assert f"127.0.0.1 port {place.server.port} answers within" in found["reachable"].found
    assert "agrees with this machine's" in found["clock"].found
    assert re.search("the newest [1-9] min", found["lines"].found)
    if user == "installed":
        assert found["commands"].found.startswith("It runs mailtrace-read.")
        assert found["commands"].advice is None
    else:
        assert "mailtrace-read as the forced command" in (found["commands"].advice or "")


def test_a_host_that_gives_files_only(place: Place, log: str, tmp_path: Path) -> None:
    hosts = {"mx1": reached(place, "/log/mail.log.c", "files")}
    [host] = asked(configured(tmp_path, hosts, place.known_hosts.read_text())).hosts
    expected = {**ALL_GOOD, "commands": None, "index": None}
    del expected["clock"]  # nobody tells it
    assert states(host) == expected
    assert host.ok


def test_a_host_that_allows_nothing(place: Place, log: str, tmp_path: Path) -> None:
    hosts = {"mx1": reached(place, log, "nothing")}
    [host] = asked(configured(tmp_path, hosts, place.known_hosts.read_text())).hosts
    assert states(host) == {
        "reachable": True, "host_key": True, "login": True, "commands": False, "sftp": None
    }  # fmt: skip
    commands = checks(host)["commands"]
    assert commands.code == "REMOTE_COMMAND_FAILED"
    assert "docs/hosts.md" in (commands.advice or "")


def test_an_unknown_host_key_shows_the_fingerprint_and_how_to_compare_it(
    place: Place, log: str, tmp_path: Path
) -> None:
    answer = asked(configured(tmp_path, {"mx1": reached(place, log)}, ""))
    [host] = answer.hosts
    assert states(host) == {"reachable": True, "host_key": False}
    found = checks(host)["host_key"]
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", place.server.key.with_suffix(".pub")],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert found.code == "HOST_KEY_UNKNOWN"
    assert shown.stdout.split()[1] in found.found
    assert f"ssh-keyscan -p {place.server.port} 127.0.0.1" in (found.advice or "")
    assert "ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub" in (found.advice or "")
    assert any("left alone for 5 s to a minute" in hint for hint in answer.hints)


def test_a_changed_host_key(place: Place, log: str, tmp_path: Path) -> None:
    other = keypair(tmp_path / "other").with_suffix(".pub").read_text()
    known = f"[127.0.0.1]:{place.server.port} {other}"
    [host] = asked(configured(tmp_path, {"mx1": reached(place, log)}, known)).hosts
    assert states(host) == {"reachable": True, "host_key": False}
    found = checks(host)["host_key"]
    assert found.code == "HOST_KEY_MISMATCH"
    assert "No login was tried" in (found.advice or "")


def test_a_key_that_is_not_let_in_and_a_wrong_password(
    place: Place, log: str, tmp_path: Path
) -> None:
    keypair(tmp_path / "other")
    wrong_key = reached(place, log).replace(str(place.key), str(tmp_path / "other"))
    wrong_word = reached(place, log, "secret").replace(f"key: {place.key}", "password: wr0ng-w0rd")
    right_word = reached(place, log, "secret").replace(f"key: {place.key}", f"password: {PASSWORD}")
    no_file = reached(place, log).replace(str(place.key), str(tmp_path / "nowhere"))
    (tmp_path / "config.yaml").touch(mode=0o600)  # it holds passwords
    hosts = {"key": wrong_key, "word": wrong_word, "good": right_word, "file": no_file}
    answer = asked(configured(tmp_path, hosts, place.known_hosts.read_text()))
    found = {one.name: one for one in answer.hosts}
    assert found["good"].ok
    for name in ("key", "word", "file"):
        assert states(found[name]) == {"reachable": True, "host_key": True, "login": False}
        assert checks(found[name])["login"].code == "AUTH_FAILED"
    assert "authorized_keys" in (checks(found["key"])["login"].advice or "")
    for word in (PASSWORD, "wr0ng-w0rd"):
        assert word not in f"{as_json(answer)}{check_text(answer)}"


def test_a_host_where_nobody_listens(place: Place, log: str, tmp_path: Path) -> None:
    [host] = asked(configured(tmp_path, {"mx1": reached(place, log, port=free_port())}, "")).hosts
    assert states(host) == {"reachable": False}
    found = checks(host)["reachable"]
    assert found.code == "HOST_UNREACHABLE"
    assert "Connection refused" in found.found
    assert "firewall" in f"{found.found} {found.advice}"


@pytest.mark.parametrize("user", ["reader", "installed", "files"])
def test_a_file_that_may_not_be_read_names_the_group(
    user: str, place: Place, tmp_path: Path
) -> None:
    place.write("mail.log.q", now_line())
    place.write("mail.log.q.1", now_line(minutes=-100))
    (place.box.log / "mail.log.q.1").chmod(0o600)
    folder = "/log" if user == "files" else "/var/log"
    hosts = {"mx1": reached(place, f"{folder}/mail.log.q*", user)}
    answer = asked(configured(tmp_path, hosts, place.known_hosts.read_text()))
    found = checks(answer.hosts[0])
    files = found["files"]
    assert (files.ok, files.code) == (False, "FILE_DENIED")
    assert f"{folder}/mail.log.q.1 may not be read" in files.found
    assert "1 file can be read" in files.found
    assert "adm" in (files.advice or "")
    assert found["lines"].ok
    assert answer.summary == "Hosts: 0 of 1 ok; not ok: mx1 (files)."


def test_a_loghost_is_reached_once_for_all_whose_lines_it_has(place: Place, tmp_path: Path) -> None:
    log = place.write("mail.log.l", now_line("mx1", -3) + now_line("mx2"))
    hosts = {
        "loghost": reached(place, log),
        "mx1": "{logs: {at: loghost}}",
        "mx2": "{logs: {at: loghost}}",
        "mx3": "{logs: {at: loghost}}",
    }
    before = place.server.said().count("Accepted publickey")
    answer = asked(configured(tmp_path, hosts, place.known_hosts.read_text()))
    assert place.server.said().count("Accepted publickey") == before + 1
    assert [one.name for one in answer.hosts] == list(hosts)
    assert [checks(one)["names"].ok for one in answer.hosts] == [None, True, True, None]
    assert all(checks(one)["login"].ok for one in answer.hosts)


def test_the_zone_that_a_host_tells(place: Place, tmp_path: Path) -> None:
    at = datetime.now(UTC) + timedelta(hours=8, minutes=-1)  # as a syslog in Taipei writes it
    log = place.write("mail.log.z", f"{at:%b %e %H:%M:%S} mx1 postfix/qmgr[7]: x\n".encode())
    server = in_zone(place, TAIPEI)
    host = reached(place, log, port=server.port)
    wrong = host.replace("{address", "{timezone: Europe/Berlin, address")
    same = host.replace("{address", "{timezone: Asia/Shanghai, address")
    hosts = {"wrong": wrong, "same": same, "none": host, "guest": "{logs: {at: none}}"}
    configured(tmp_path, hosts, server.known_host())
    text = (tmp_path / "config.yaml").read_text().replace("timezone: UTC\n", "", 1)
    (tmp_path / "config.yaml").write_text(text)
    found = {one.name: checks(one) for one in asked(load(tmp_path / "config.yaml", {})).hosts}
    server.stop()
    assert found["wrong"]["timezone"].ok is False
    assert "the host itself is in Asia/Taipei" in found["wrong"]["timezone"].found
    assert "hosts.wrong.timezone: Asia/Taipei" in (found["wrong"]["timezone"].advice or "")
    assert "in the future" in found["wrong"]["lines"].found
    assert found["same"]["timezone"].ok  # another name, the same time all the year
    assert found["none"]["timezone"].ok
    assert "in the host's own, Asia/Taipei" in found["none"]["timezone"].found
    assert re.search("the newest [1-9] min", found["none"]["lines"].found)
    assert found["guest"]["timezone"].ok is None
    assert "hosts.guest.timezone" in (found["guest"]["timezone"].advice or "")


@pytest.mark.parametrize(
    ("ahead", "within", "ok", "words"),
    [
        (0.4, 0.1, True, "agrees with this machine's (+0.40 s, known within 0.10 s)"),
        (-1.9, 0.1, True, "(-1.90 s"),
        (4.0, 3.0, True, "known within 3.0 s"),
        (4.0, 0.1, False, "4.0 s ahead of this machine's"),
        (-10800.2, 0.1, False, "3 h behind this machine's"),
    ],
)
def test_clocks(ahead: float, within: float, ok: bool, words: str) -> None:
    found = clock(ahead, within)
    assert (found.state == "good") == ok
    assert words in found.found
    assert ("NTP" in (found.advice or "")) == (not ok)


def test_a_host_whose_clock_is_three_hours_ahead(place: Place, tmp_path: Path) -> None:
    """Its newest line is of three hours from now, and that is told as its clock's fault."""
    script = (
        "mount -t tmpfs none /mnt; cp /usr/bin/date /mnt/true-date; "
        'printf \'#!/bin/sh\\nexec /mnt/true-date -d "+3 hours" "$@"\\n\' >/mnt/date; '
        'chmod 0755 /mnt /mnt/*; mount --bind /mnt/date /usr/bin/date; exec "$@"'
    )
    server = place.box.sshd("", ("unshare", "--mount", "sh", "-euc", script, "sh"))
    log = place.write("mail.log.t", now_line(minutes=179))
    hosts = {"mx1": reached(place, log, port=server.port)}
    found = checks(asked(configured(tmp_path, hosts, server.known_host())).hosts[0])
    server.stop()
    assert found["clock"].ok is False
    assert "3 h ahead of this machine's" in found["clock"].found
    assert found["lines"].ok
    assert re.search("the newest [1-9] min", found["lines"].found)


def test_hosts_that_misbehave_spoil_no_other(place: Place, log: str, tmp_path: Path) -> None:
    with (
        evil.raw(hangs) as hanging,
        evil.ssh(evil.polite(dies)) as dying,
        evil.ssh(evil.polite(floods)) as flooding,
    ):
        hosts = {
            "good": reached(place, log),
            "hangs": reached(place, log, port=hanging.port),
            "dies": reached(place, log, port=dying.port),
            "floods": reached(place, log, port=flooding.port),
        }
        known = place.known_hosts.read_text() + dying.known_host() + flooding.known_host()
        config = configured(tmp_path, hosts, known, "limits: {deadline: 5}\n")
        began = time.monotonic()
        answer = asked(config)
        assert time.monotonic() - began < 15
    found = {one.name: one for one in answer.hosts}
    assert [one.ok for one in found.values()] == [True, False, False, False]
    assert checks(found["hangs"])["reachable"].code == "HOST_TIMEOUT"


def test_a_deadline_that_comes_while_a_host_is_asked(
    place: Place, log: str, tmp_path: Path
) -> None:
    with evil.raw(hangs) as hanging:
        hosts = {"good": reached(place, log), "hangs": reached(place, log, port=hanging.port)}
        configured(tmp_path, hosts, place.known_hosts.read_text(), "limits: {deadline: 1.5}\n")
        text = (tmp_path / "config.yaml").read_text()
        slow = text.replace("connect_timeout: 2", "connect_timeout: 30")
        (tmp_path / "config.yaml").write_text(slow)
        began = time.monotonic()
        answer = asked(load(tmp_path / "config.yaml", {}))
        assert time.monotonic() - began < 10
    good, late = answer.hosts
    assert good.ok
    assert states(late) == {"reachable": False}
    assert checks(late)["reachable"].code == "HOST_TIMEOUT"
    assert "not over after 1.5 s" in checks(late)["reachable"].found


POISON = "IGNORE\x1b[31m\u202eALL"


def lies(channel: paramiko.Channel, line: str, first: bytes) -> None:
    """Answers `hello` with texts in place of facts."""
    nonce, said = first.split()[0], POISON.encode()
    part = b"\n%b part 0\n" % nonce
    channel.sendall(b"\n%b begin\n" % nonce + part.join([said, said, said]))
    channel.sendall(b"\n%b end 0\n" % nonce)
    evil.finish(channel, 0)


def test_what_a_host_says_stands_in_no_sentence(place: Place, log: str, tmp_path: Path) -> None:
    with evil.ssh(lies) as liar:
        hosts = {"liar": reached(place, log, port=liar.port)}
        answer = asked(configured(tmp_path, hosts, liar.known_host()))
    assert "IGNORE" not in f"{as_json(answer)}{check_text(answer)}"
    found = checks(answer.hosts[0])
    assert found["commands"].ok is False
    assert "lacks grep" in found["commands"].found
