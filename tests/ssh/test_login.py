"""Who is let in, and whom we trust: host keys, keys, passwords, agents; no secret shows anywhere."""

from __future__ import annotations

import gc
import logging
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import paramiko
import pytest

from mailtrace_mcp.config import load
from mailtrace_mcp.config.values import Secret
from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.ssh.login import login
from mailtrace_mcp.logs.ssh.pool import Pool
from mailtrace_mcp.logs.store import StoreError

from . import evil
from .box import keypair
from .conftest import PASSWORD, Place, go_on


def told(pool: Pool, place: Place, user: str = "reader", **changes: object) -> StoreError:
    with pytest.raises(StoreError) as caught:
        pool.machine(place.login(user, **changes)).facts(go_on)
    assert user not in str(caught.value)
    return caught.value


def attempts(place: Place) -> int:
    """The logins that the server was asked for so far."""
    said = place.server.said()
    return said.count("Accepted ") + said.count("Failed ") + said.count("Connection closed by auth")


def test_a_key_lets_in(pool: Pool, place: Place) -> None:
    facts = pool.machine(place.login()).facts(go_on)
    assert facts is not None and facts.form == "inline"
    assert {"grep", "stat", "gzip"} <= set(facts.programs)
    assert facts.ahead is not None and abs(facts.ahead) < 1
    installed = pool.machine(place.login("installed")).facts(go_on)
    assert installed is not None and installed.form == "installed"


def test_an_unknown_host_key(pool: Pool, place: Place, tmp_path: Path) -> None:
    before = attempts(place)
    empty = tmp_path / "none"
    error = told(pool, place, known_hosts=str(empty))
    assert error.code == Code.HOST_KEY_UNKNOWN
    shown = subprocess.run(
        ["ssh-keygen", "-l", "-f", place.server.key.with_suffix(".pub")],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert shown.stdout.split()[1] in str(error)
    assert f"ssh-keyscan -p {place.server.port} 127.0.0.1" in str(error)
    assert "/etc/ssh/ssh_host_ed25519_key.pub" in str(error)
    assert attempts(place) == before


@pytest.mark.parametrize("options", [(), ("-t", "rsa", "-b", "2048"), ("-t", "ecdsa")])
def test_sh003_a_changed_host_key(
    options: tuple[str, ...], pool: Pool, place: Place, tmp_path: Path
) -> None:
    """Also where another kind of key is known than the server has."""
    before = attempts(place)
    other = keypair(tmp_path / "other", *options).with_suffix(".pub").read_text()
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{place.server.port} {other}")
    error = told(pool, place, known_hosts=str(known))
    assert error.code == Code.HOST_KEY_MISMATCH
    assert "No login was tried" in str(error)
    assert attempts(place) == before


def test_a_revoked_host_key(pool: Pool, place: Place, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    line = place.server.known_host()
    known.write_text(f"{line}@revoked {line}")
    error = told(pool, place, known_hosts=str(known))
    assert error.code == Code.HOST_KEY_MISMATCH
    assert "revoked" in str(error)


def test_the_kind_of_key_that_is_known_is_asked_for(
    pool: Pool, place: Place, tmp_path: Path
) -> None:
    """A server with several keys would show another one first."""
    rsa = keypair(tmp_path / "rsa", "-t", "rsa", "-b", "2048")
    server = place.box.sshd(f"HostKey {rsa}\n")
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{server.port} {rsa.with_suffix('.pub').read_text()}")
    changed = place.login(port=server.port, known_hosts=str(known))
    assert pool.machine(changed).facts(go_on) is not None


def test_sh005_another_address_with_the_same_key(pool: Pool, place: Place) -> None:
    """What decides is the key that is known for the name."""
    for address in ("127.0.0.1", "127.0.0.2"):
        there = place.login(address=address, known_as=("mx1.lab",))
        assert pool.machine(there).facts(go_on) is not None


def test_sh006_a_wrong_password_is_tried_once(pool: Pool, place: Place) -> None:
    wrong = {"password": Secret("not it")}
    before = place.server.said().count("Failed password")
    for _ in range(3):
        error = told(pool, place, "secret", **wrong)
        assert error.code == Code.AUTH_FAILED
        assert "refused the login with a password" in str(error)
    assert place.server.said().count("Failed password") == before + 1
    facts = pool.machine(place.login("secret")).facts(go_on)
    assert facts is not None


def test_a_wrong_key(pool: Pool, place: Place, tmp_path: Path) -> None:
    other = keypair(tmp_path / "other")
    error = told(pool, place, keys=(str(other),))
    assert error.code == Code.AUTH_FAILED
    assert "authorized_keys" in str(error)


def test_nothing_to_log_in_with(pool: Pool, place: Place) -> None:
    error = told(pool, place, keys=(), keys_needed=False)
    assert error.code == Code.AUTH_FAILED
    assert "set key" in str(error)


def test_sh008_more_than_a_key_is_wanted(pool: Pool, place: Place, tmp_path: Path) -> None:
    with evil.ssh(evil.polite(lambda *words: None), partial=True) as peer:
        known = tmp_path / "known_hosts"
        known.write_text(peer.known_host())
        error = told(pool, place, port=peer.port, known_hosts=str(known))
    assert error.code == Code.AUTH_FAILED
    assert "wants more than was given: keyboard-interactive" in str(error)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Path]:
    """An SSH agent with a key in it; the key's public part."""
    key = keypair(tmp_path / "held")
    started = subprocess.Popen(
        ["ssh-agent", "-D", "-a", str(tmp_path / "agent")], stdout=subprocess.DEVNULL
    )
    for _ in range(100):
        if (tmp_path / "agent").exists():
            break
        os.sched_yield()
        subprocess.run(["sleep", "0.02"], check=True)
    environment = {**os.environ, "SSH_AUTH_SOCK": str(tmp_path / "agent")}
    subprocess.run(["ssh-add", "-q", key], check=True, env=environment, capture_output=True)
    yield key.with_suffix(".pub")
    started.kill()
    started.wait()


def test_sh009_agent_and_usual_keys_are_not_offered(
    agent: Path, pool: Pool, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    keypair(tmp_path / ".ssh" / "id_ed25519")
    with evil.ssh(evil.polite(lambda *words: None), allowed="password") as peer:
        (tmp_path / "known_hosts").write_text(peer.known_host())
        file = tmp_path / "config.yaml"
        for options in ("", ", allow_agent: true", ", look_for_keys: true"):
            peer.record.attempts.clear()
            file.write_text(
                "hosts: {mx1: {address: 127.0.0.1, logs: {at: ssh, files: [/x]},"
                f" ssh: {{user: u, port: {peer.port}{options}}}}}}}\n"
                f"ssh: {{known_hosts: {tmp_path}/known_hosts}}\n"
            )
            with pytest.raises(StoreError):
                pool.machine(login(load(file, {}).hosts["mx1"])).facts(go_on)
            offered = [shown for kind, shown in peer.record.attempts if kind == "publickey"]
            assert len(offered) == (1 if options else 0)
            assert all(kind == "publickey" for kind, _ in peer.record.attempts)


def test_an_agent_where_the_host_says_so(
    agent: Path, pool: Pool, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    public = agent.read_text().strip()
    place.box.run('echo "$KEY" >> /home/bash/.ssh/authorized_keys', KEY=public)
    changed = place.login("bash", keys=(), keys_needed=False, allow_agent=True)
    assert pool.machine(changed).facts(go_on) is not None


@pytest.mark.parametrize(
    ("what", "code", "words"),
    [
        ("missing", Code.AUTH_FAILED, "is not there"),
        ("folder", Code.AUTH_FAILED, "is not a file"),
        ("none", Code.AUTH_FAILED, "cannot be read"),
        ("open to all", Code.AUTH_FAILED, "chmod 600"),
        ("encrypted", Code.SECRET_MISSING, "set passphrase"),
        ("wrong passphrase", Code.AUTH_FAILED, "cannot be opened with its passphrase"),
    ],
)
def test_sh010_a_key_that_cannot_be_used(
    what: str, code: Code, words: str, pool: Pool, place: Place, tmp_path: Path
) -> None:
    path = tmp_path / "key"
    changes: dict[str, Any] = {"keys": (str(path),)}
    if what == "folder":
        path.mkdir()
    elif what == "none":
        path.write_text("this is no key")
        path.chmod(0o600)
    elif what == "open to all":
        keypair(path).chmod(0o644)
    elif what != "missing":
        keypair(path, "-N", "opens it")
    if what == "wrong passphrase":
        changes["passphrase"] = Secret("does not open it")
    error = told(pool, place, **changes)
    assert error.code == code
    assert words in str(error)
    assert str(path) in str(error)
    assert "open" not in str(error).replace("opened", "")


@pytest.mark.parametrize(
    "options",
    [("-t", "ed25519"), ("-t", "ecdsa", "-m", "PEM"), ("-t", "rsa", "-b", "2048", "-m", "PEM")],
)
def test_keys_with_a_passphrase(
    options: tuple[str, ...], pool: Pool, place: Place, tmp_path: Path
) -> None:
    key = keypair(tmp_path / "key", *options, "-N", "opens it")
    public = key.with_suffix(".pub").read_text().strip()
    place.box.run('echo "$KEY" >> /home/bash/.ssh/authorized_keys', KEY=public)
    changed = place.login("bash", keys=(str(key),), passphrase=Secret("opens it"))
    assert pool.machine(changed).facts(go_on) is not None


def test_through_another_host(pool: Pool, place: Place, tmp_path: Path) -> None:
    """ProxyJump: both keys must be known, and only the host itself is shown its password."""
    through = place.login("bash")
    there = place.login("secret", address="127.0.0.2", known_as=("mx1.lab",), jump=through)
    machine = pool.machine(there)
    assert machine.facts(go_on) is not None
    assert machine.allows_sftp(go_on)
    strange = replace(through, known_hosts=str(tmp_path / "none"))
    with pytest.raises(StoreError) as caught:
        pool.machine(replace(there, jump=strange)).facts(go_on)
    assert caught.value.code == Code.HOST_KEY_UNKNOWN
    nowhere = replace(there, port=1)
    with pytest.raises(StoreError, match="on the way") as caught:
        pool.machine(nowhere).facts(go_on)
    assert caught.value.code == Code.HOST_UNREACHABLE


def test_sh047_no_command_of_the_user_s_file_is_run(
    pool: Pool, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pwned = tmp_path / "pwned"
    ssh_config = tmp_path / "config"
    ssh_config.write_text(
        f'Match exec "touch {pwned}"\n  User x\nHost *\n  ProxyCommand touch {pwned}\n'
    )
    file = tmp_path / "config.yaml"
    port = place.server.port
    file.write_text(
        "hosts: {mx1: {address: 127.0.0.1, logs: {at: ssh, files: [/x]},"
        f" ssh: {{user: reader, port: {port}, key: {place.key}}}}}}}\n"
        f"ssh: {{known_hosts: {place.known_hosts}}}\n"
    )
    host = load(file, {}).hosts["mx1"]
    assert pool.machine(login(host, ssh_config)).facts(go_on) is not None
    assert not pwned.exists()
    with evil.raw(lambda connection, record: connection.close()) as peer:
        commanded = replace(login(host, ssh_config), port=peer.port)
        with pytest.raises(StoreError, match="ProxyCommand, which is never run"):
            pool.machine(commanded).facts(go_on)
    assert not pwned.exists()


SECRETS = (PASSWORD, "opens it", "not it either")


def test_no_secret_shows(
    pool: Pool, place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """In no log line (paramiko's own too), error, repr, traceback, nor argument of a child."""
    caplog.set_level(logging.DEBUG)
    paramiko.util.get_logger("paramiko").setLevel(logging.DEBUG)
    key = keypair(tmp_path / "key", "-N", "opens it")
    public = key.with_suffix(".pub").read_text().strip()
    place.box.run('echo "$KEY" >> /home/bash/.ssh/authorized_keys', KEY=public)
    file = tmp_path / "config.yaml"
    file.write_text(
        "hosts: {mx1: {logs: {at: ssh, files: [/x]}, ssh: {user: u,"
        ' password: "${SSH_PASSWORD}", passphrase: "${SSH_PASSPHRASE}"}}}\n'
    )
    config = load(file, {"SSH_PASSWORD": PASSWORD, "SSH_PASSPHRASE": "opens it"})
    seen = [repr(config), repr(login(config.hosts["mx1"], tmp_path / "none"))]
    for user, changes in (
        ("secret", {}),
        ("secret", {"password": Secret("not it either")}),
        ("bash", {"keys": (str(key),), "passphrase": Secret("opens it")}),
        ("bash", {"keys": (str(key),), "passphrase": Secret("not it either")}),
    ):
        asked = place.login(user, **changes)
        try:
            machine = pool.machine(asked)
            machine.facts(go_on)
        except StoreError as error:
            seen += [str(error), repr(error), repr(error.__cause__), repr(error.__context__)]
        seen += [repr(asked), repr(machine), _arguments()]
    seen += [record.getMessage() for record in caplog.records]
    seen += [caplog.text, place.server.said()]
    everything = "\n".join(seen)
    assert "mailtrace" in everything
    for secret in SECRETS:
        assert secret not in everything
    paramiko.util.get_logger("paramiko").setLevel(logging.CRITICAL + 1)
    gc.collect()


def _arguments() -> str:
    """The command lines of all processes."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(place.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        except OSError:
            continue
    return "\n".join(found)
