"""Names and addresses in a log are never connected to, nor looked up: only configured hosts are."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .box import SBIN, keypair, missing

CATCHING = Path(__file__).with_name("catching.py")
STAMP = "2026-11-20T12:00:0{}+00:00 {} postfix/{}: {}\n"
EVIL = "evil.test[203.0.113.9]"
FIRST = [
    ("mx1", "smtpd[1]", f"4fXNbb1000z1Fk: client={EVIL}, sasl_username=evil.test"),
    ("mx1", "cleanup[2]", "4fXNbb1000z1Fk: message-id=<1@evil.test>"),
    ("mx1", "qmgr[3]", "4fXNbb1000z1Fk: from=<a@evil.test>, size=500, nrcpt=2 (queue active)"),
    (
        "mx1",
        "smtp[4]",
        f"4fXNbb1000z1Fk: to=<b@evil.test>, relay={EVIL}:25, delay=1, delays=0/0/1/0, dsn=2.0.0, "
        "status=sent (250 2.0.0 Ok: queued as 4fXNcc1000z2Gk)",
    ),
    (
        "mx1",
        "smtp[4]",
        "4fXNbb1000z1Fk: to=<c@example.com>, relay=mx2.example.com[127.0.0.1]:25, delay=1, "
        "delays=0/0/1/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4fXNdd1000z3Hk)",
    ),
    ("mx1", "qmgr[3]", "4fXNbb1000z1Fk: removed"),
]
SECOND = [
    ("mx2", "smtpd[1]", "4fXNdd1000z3Hk: client=mx1.example.com[192.0.2.77]"),
    ("mx2", "cleanup[2]", "4fXNdd1000z3Hk: message-id=<1@evil.test>"),
    (
        "mx2",
        "smtp[4]",
        "4fXNdd1000z3Hk: to=<c@example.com>, relay=[2001:db8:bad::9]:25, delay=1, delays=0/0/1/0, "
        "dsn=4.4.1, status=deferred (connect to http://evil.test/[203.0.113.9]:25: timed out)",
    ),
]


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    lacking = missing("sshd", "ssh-keygen", "unshare", "ip")
    if lacking:
        pytest.skip(f"not installed: {', '.join(lacking)}")
    for name, lines in (("one", FIRST), ("two", SECOND)):
        text = "".join(
            STAMP.format(at, host, daemon, said) for at, (host, daemon, said) in enumerate(lines)
        )
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_log_that_names_others_sends_nobody_a_packet(configuration: Path) -> None:
    """One host's log is read from a file, the other's over SSH."""
    folder = configuration
    (folder / "config.yaml").write_text(
        "timezone: UTC\nhosts:\n"
        f"  mx1: {{aliases: [mx1.example.com, 192.0.2.77], logs: {{files: [{folder}/one]}}}}\n"
        f"  mx2: {{address: 127.0.0.1, aliases: [mx2.example.com],\n"
        f"    logs: {{at: ssh, files: [{folder}/two]}},\n"
        f"    ssh: {{port: 2222, user: root, key: {folder}/id}}}}\n"
        f"ssh: {{known_hosts: {folder}/known}}\n"
    )
    program = [sys.executable, "-m", "mailtrace_mcp", "--config", str(folder / "config.yaml")]
    when = ["--time", "2026-11-20 12:00", "--time-range", "1h"]
    asked = [
        [*program, "trace", "--message-id", "1@evil.test", *when],
        [*program, "trace", "--queue-id", "4fXNbb1000z1Fk", *when, "--graph", "mermaid"],
        [*program, "query", "evil.test", *when, "--detail", "full"],
        # The wire catches what there is to catch.
        ["timeout", "0.3", sys.executable, "-c", _CONNECT],
    ]
    traced, by_id, queried, control = _caught(folder, _server(folder), asked)
    assert "4fXNdd1000z3Hk" in traced[1] and "deferred" in traced[1], traced
    assert "mx2" in by_id[1] and "4fXNbb1000z1Fk" in queried[1]
    assert control[3], "the wire caught nothing of a real connection"
    assert [one[3] for one in (traced, by_id, queried)] == [[], [], []]


_CONNECT = "import socket; socket.create_connection(('203.0.113.9', 25), 0.2)"


def _server(folder: Path) -> list[str]:
    """The command of an sshd that lets root in with a key of its own."""
    key = keypair(folder / "id").with_suffix(".pub")
    host_key = keypair(folder / "host_key")
    public = " ".join(host_key.with_suffix(".pub").read_text().split()[:2])
    (folder / "known").write_text(f"[127.0.0.1]:2222 {public}\n")
    settings = folder / "sshd_config"
    settings.write_text(
        f"ListenAddress 127.0.0.1:2222\nHostKey {host_key}\nPidFile none\nUsePAM no\nUseDNS no\n"
        f"StrictModes no\nAuthorizedKeysFile {key}\nSubsystem sftp internal-sftp\n"
    )
    return [str(shutil.which("sshd", path=SBIN)), "-D", "-e", "-f", str(settings)]


def _caught(
    folder: Path, server: list[str], asked: list[list[str]]
) -> list[tuple[int, str, str, list[str]]]:
    """What catching.py tells of each command: exit status, output, errors, packets."""
    (folder / "resolv.conf").write_text("nameserver 192.0.2.53\n")
    private = "test -d /run/sshd || { mount -t tmpfs none /run; mkdir -m 0755 /run/sshd; }"
    within = f"mount --bind {folder}/resolv.conf /etc/resolv.conf; {private}; exec {sys.executable} {CATCHING}"
    done = subprocess.run(
        ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", within],
        input=json.dumps([server, asked]),
        capture_output=True,
        text=True,
        timeout=120,
        env={"PATH": SBIN, "HOME": str(folder), "XDG_STATE_HOME": str(folder)},
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip(f"no network namespace here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    answers: list[tuple[int, str, str, list[str]]] = json.loads(done.stdout)
    return answers
