"""docs/hosts.md is run as it stands: its commands, its sshd_config, its authorized_keys, its config.yaml."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from mailtrace_mcp.config import load
from mailtrace_mcp.config.schema import HostLoginSection, SshSection
from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs import Reading, Term
from mailtrace_mcp.logs.plan import PlannedSource
from mailtrace_mcp.logs.scan import Member
from mailtrace_mcp.logs.ssh.login import Login
from mailtrace_mcp.logs.ssh.pool import Pool
from mailtrace_mcp.logs.ssh.remote_store import RemoteStore
from mailtrace_mcp.trace.coverage import Window

from .box import SBIN, Box, NoBoxError, Sshd, keypair, missing
from .conftest import MOST, SCRIPT, go_on

PAGE = (Path(__file__).parents[2] / "docs" / "hosts.md").read_text()
BLOCKS = dict(re.findall(r"<!-- ([a-z_. ]+) -->\n```[a-z]*\n(.*?)```", PAGE, re.DOTALL))
NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
DAY = Window(NOON - timedelta(hours=12), NOON + timedelta(hours=12))


def line(hour: int, text: str) -> bytes:
    at = NOON + timedelta(hours=hour)
    return f"{at.isoformat()} mx1 postfix/smtpd[7]: {text}\n".encode()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """A host as it was before anybody read the page."""
    try:
        made = Box.made(tmp_path)
    except NoBoxError as error:
        pytest.skip(str(error))
    for name, data in (
        ("mail.log", line(0, "AAAA111: client=x")),
        ("mail.log.1", line(-13, "AAAA111: before")),
        ("auth.log", b"secret\n"),
    ):
        (made.log / name).write_bytes(data)
        (made.log / name).chmod(0o600)
    shutil.copy(SCRIPT, tmp_path / "mailtrace-read")
    keypair(tmp_path / "mailtrace")
    made.run(BLOCKS["user"])
    yield made
    made.stop()


def there(box: Box, server: Sshd) -> Login:
    known = box.folder / "known_hosts"
    known.write_text(server.known_host())
    return Login(
        host="mx1",
        address="127.0.0.1",
        port=server.port,
        user="mailtrace",
        known_as=("127.0.0.1",),
        known_hosts=str(known),
        keys=(str(box.folder / "mailtrace"),),
        keys_needed=True,
    )


def ask(pool: Pool, login: Login, pattern: str) -> Reading:
    store = RemoteStore(lambda: pool.machine(login), MOST)
    source = PlannedSource(store, [pattern], [Member("mx1", UTC)], lambda name: None, MOST)
    return anyio.run(source.read, [Term("queue_id", "AAAA111", DAY)], DAY)


def check(reading: Reading) -> None:
    assert [found.raw for found in reading.lines] == [line(0, "AAAA111: client=x")[:-1]]
    assert [one.state for one in reading.coverage] == ["read"]


def test_the_forced_command(box: Box, pool: Pool) -> None:
    box.run(BLOCKS["forced command"])
    login = there(box, box.sshd())
    check(ask(pool, login, "/var/log/mail.log*"))
    facts = pool.machine(login).facts(go_on)
    assert facts is not None and facts.form == "installed"
    assert not pool.machine(login).allows_sftp(go_on)
    (denied,) = ask(pool, login, "/var/log/auth.log").coverage
    assert (denied.state, denied.code) == ("denied", Code.FILE_DENIED)


@pytest.mark.parametrize(
    "command",
    [
        "id",
        "",
        "cat /var/log/mail.log",
        "mailtrace-read 1 read /etc/passwd 0 10",
        "mailtrace-read 1 read /var/log/mail.log/../../../etc/passwd 0 10",
        "mailtrace-read 1 read /var/log/mail.logs 0 10",
        "mailtrace-read 1 read ./x 0 10",
        "mailtrace-read 1 read -n 0 10",
        "mailtrace-read 1 list /etc/*",
        "mailtrace-read 1 list /var/log/*.log",
        "mailtrace-read 1 journal 1 2",
        "mailtrace-read 1 hello; id",
        "mailtrace-read 1 hello $(id)",
        "mailtrace-read 1 hello\nid",
        "mailtrace-read 1 hello --timed",
        "mailtrace-read 2 hello",
        "mailtrace-read 1 read /var/log/mail.log 0 99999999999999999999",
        "mailtrace-read 1 read /var/log/mail.log -1 10",
        "mailtrace-read 1 grep /etc/passwd 0 1000 exact",
        "mailtrace-read 1 sift /etc/shadow gzip exact",
        "mailtrace-read 1 exec id",
        "/usr/local/bin/mailtrace-read '/etc/*'",
    ],
)
def test_the_forced_command_lets_nothing_else_be_done(command: str, closed: Box) -> None:
    """Nor does it tell anything of other files."""
    searches = " grep " in command or " sift " in command
    sent = b"N 6\nroot:\n" if searches else b"N 0\n"
    with subprocess.Popen(
        [
            *closed._inside(), "setpriv", "--reuid", "mailtrace", "--regid", "mailtrace", "--init-groups",
            "env", "-i", f"SSH_ORIGINAL_COMMAND={command}", "setsid", "--wait",
            "sh", "-c", "/usr/local/bin/mailtrace-read '/var/log/mail.log*'",
        ],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
    ) as process:  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        with suppress(BrokenPipeError):  # it may have gone without listening
            process.stdin.write(sent)
        said = process.stdout.read()
        process.stdin.close()
        status = process.wait(5)
    assert b"root" not in said and b"uid=" not in said and b"secret" not in said
    assert b"auth.log" not in said and b"client=" not in said
    if command.endswith("*.log"):
        assert said.count(b"/var/log/") == said.count(b"/var/log/mail.log\n") == 1
    else:
        assert status in (64, 77) or b"part 77" in said


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A host with the forced command, kept for many tests."""
    for made in box.__wrapped__(tmp_path_factory.mktemp("closed")):  # type: ignore[attr-defined]
        made.run(BLOCKS["forced command"])
        yield made


def test_sftp_in_a_chroot(box: Box, pool: Pool) -> None:
    box.run(BLOCKS["forced command"])  # the key; its command does not matter then
    box.run("sed -i 's/.*ssh-ed/ssh-ed/' /home/mailtrace/.ssh/authorized_keys")
    box.run(BLOCKS["chroot"])
    login = there(box, box.sshd(BLOCKS["sshd_config"]))
    check(ask(pool, login, "/log/mail.log*"))
    assert pool.machine(login).facts(go_on) is None
    (denied,) = ask(pool, login, "/log/auth.log").coverage
    assert (denied.state, denied.code) == ("denied", Code.FILE_DENIED)
    (gone,) = ask(pool, login, "/etc/passwd").coverage
    assert (gone.state, gone.code) == ("unreachable", Code.FILE_NOT_FOUND)


def test_the_journal_is_added(box: Box) -> None:
    box.run(BLOCKS["forced command"])
    if missing("journalctl"):
        pytest.skip("no journalctl, nor its group")
    box.run(BLOCKS["journal"])
    line = box.run("cat /home/mailtrace/.ssh/authorized_keys")
    assert "mailtrace-read journal '/var/log/mail.log*'\"" in line
    assert "systemd-journal" in box.run("id -Gn mailtrace")


def test_the_fingerprints_agree(box: Box, tmp_path: Path) -> None:
    server = box.sshd()
    environment = {**os.environ, "PORT": str(server.port), "HOST": "127.0.0.1"}
    scanned = subprocess.run(
        ["sh", "-euc", BLOCKS["keyscan"]],
        cwd=tmp_path, env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    on_the_host = BLOCKS["fingerprint"].replace("/etc/ssh/ssh_host_ed25519_key", str(server.key))
    assert scanned.stdout.split()[1] == box.run(on_the_host).split()[1]
    assert (tmp_path / "new_host").read_text().split()[1:] == server.known_host().split()[1:]


def test_rsyslog_takes_its_lines(tmp_path: Path) -> None:
    program = shutil.which("rsyslogd", path=SBIN)
    if program is None:
        pytest.skip("no rsyslogd")
    file = tmp_path / "mail.conf"
    file.write_text(BLOCKS["rsyslog"].replace("maillog", "root"))  # a group that is here, too
    done = subprocess.run([program, "-N1", "-f", file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_configuration_loads(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(BLOCKS["config.yaml"])
    host = load(file, {}).hosts["mx1"]
    assert host.logs.place == "mx1"
    assert host.ssh.user == "mailtrace"


def test_every_key_and_code_is_told() -> None:
    for key in {*HostLoginSection.model_fields, *SshSection.model_fields}:
        assert f"`{key}`" in PAGE or f"`{key}: " in PAGE, key


def test_the_script_lies_where_the_page_says(tmp_path: Path) -> None:
    command = BLOCKS["key"].replace("~/.ssh/mailtrace", str(tmp_path / "key"))
    python = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{python}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-euc", command], env=environment, check=True, capture_output=True, text=True
    )
    assert Path(done.stdout.split()[-1]).read_bytes() == SCRIPT.read_bytes()
    assert os.access(done.stdout.split()[-1], os.X_OK)
