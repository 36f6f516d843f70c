"""`send` and `--follow` on the command line, against a real mail server and a log that grows."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailtrace_mcp.cli import main
from tests.questions.mailhost import MailHost, environment, mailhost_in_a_thread, own_state
from tests.server.wire import ENVIRONMENT

from .conftest import Ran

A = "a@lab.example"
KEYS = "timestamp message_id queue_id subject from to success status_code".split()


@pytest.fixture(autouse=True)
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return own_state(tmp_path, monkeypatch)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[MailHost]:
    refuse = {"no@lab.example": "550 5.1.1 no such user"}
    fates = {"b@lab.example": "bounced"}
    with mailhost_in_a_thread(tmp_path, refuse=refuse, fates=fates) as one:
        yield one


class Send:
    """A run of `send` over the host's configuration."""

    def __init__(self, host: MailHost, capsys: pytest.CaptureFixture[str]) -> None:
        self.host, self.capsys = host, capsys

    def __call__(self, *arguments: str, command: str = "send") -> Ran:
        self.capsys.readouterr()
        code = main(["--config", str(self.host.config), command, *arguments])
        told = self.capsys.readouterr()
        return Ran(code, told.out, told.err)


@pytest.fixture
def send(host: MailHost, capsys: pytest.CaptureFixture[str]) -> Send:
    return Send(host, capsys)


def process(host: MailHost, *arguments: str, **streams: Any) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "mailtrace_mcp", *arguments, "--config", str(host.config)]
    return subprocess.Popen(words, env={**ENVIRONMENT, **environment(host.folder)}, **streams)


def test_the_workflows_own_line_without_to(send: Send, host: MailHost, tmp_path: Path) -> None:
    """And its records are in the export, in exactly its form."""
    file = tmp_path / "records.json"
    ran = send(
        "--config", str(host.config), "--ssl-mode", "none", "--no-ssl-verify", "--rate", "1",
        "--duration", "1", "--mail-subject", "Test 2026-01-27 15:00", "--export-records", str(file),
        "--no-auth",
    )  # fmt: skip
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(
        f"Accepted by 127.0.0.1[127.0.0.1]:{host.server.port} for a@lab.example as 4"
    )
    [one] = json.loads(file.read_text())
    assert list(one) == KEYS
    assert one["subject"] == "Test 2026-01-27 15:00"
    assert one["queue_id"] == host.server.mails[0].queue_id
    assert one["message_id"] == host.server.message_ids[0]
    assert (one["from"], one["to"], one["success"], one["status_code"]) == (
        "me@lab.example", A, True, 250,
    )  # fmt: skip
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--to", A), 0, "Accepted"),
        (("--to", "no@lab.example"), 1, "SMTP_REJECTED"),
        (("--to", A, "--to", "no@lab.example"), 1, "Partly accepted"),
        (("--server-port", "1"), 1, "HOST_UNREACHABLE"),
        (("--to", "x@gmail.com"), 2, "NOT_ALLOWED"),
        (("--profile", "nope"), 2, "UNKNOWN_PROFILE"),
        (("--to", "x"), 2, "INVALID_ARGUMENT"),
        (("--rate", "fast"), 2, "INVALID_ARGUMENT"),
        (("--body", "own"), 2, "NOT_ALLOWED"),
        (("--attach", "/nowhere"), 2, "FILE_NOT_FOUND"),
        (("--export-records", "/nowhere/x.json"), 2, "FILE_DENIED"),
        (("--dry-run",), 0, "Dry run: 1 mail to 1 recipient"),
        (("--dry-run", "--to", "x@gmail.com"), 2, "would be refused"),
        (("--server-host", "\u202eabc"), 2, "must be a host name"),
        (("--server-host", "127.0.0.1:99"), 2, "must be a host name"),
        (("--eml", "/nowhere", "--body", "x"), 2, "leave out --body"),
    ],
)
def test_exit_codes(send: Send, arguments: tuple[str, ...], code: int, words: str) -> None:
    ran = send(*arguments)
    assert ran.code == code, ran.out + ran.err
    assert words in (ran.err if code == 2 and "--dry-run" not in arguments else ran.out)
    assert (ran.out == "") == (code == 2 and "--dry-run" not in arguments)


def test_read_only_holds_on_the_command_line_too(
    send: Send, host: MailHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILTRACE_READ_ONLY", "1")
    ran = send()
    assert ran.code == 2
    assert "MAILTRACE_READ_ONLY forbids sending" in ran.err
    assert host.server.connections == 0


def test_follow_in_a_pipe_tells_each_step_in_a_line(send: Send, host: MailHost) -> None:
    ran = send("--to", A, "--to", "b@lab.example", "--follow")
    assert (ran.code, ran.err) == (0, "")
    queue_id = host.server.mails[0].queue_id
    lines = ran.out.split("\n")
    assert lines[0].startswith("Accepted by 127.0.0.1")
    assert lines[1].startswith(f"mx1 {queue_id}")
    steps = lines[: next(n for n, one in enumerate(lines) if "Followed: " in one)]
    assert f"a@lab.example: sent at mx1 {queue_id}" in steps
    assert any(one.startswith(f"b@lab.example: bounced at mx1 {queue_id}") for one in steps)
    assert "└─ b@lab.example: bounced" in ran.out
    assert "\x1b" not in ran.out


def test_what_was_sent_is_told_also_where_the_records_cannot_be_written(send: Send) -> None:
    ran = send("--export-records", "/dev/full")
    assert ran.code == 2
    assert ran.out.startswith("Accepted by ")
    assert "FILE_DENIED: /dev/full cannot be written: No space left" in ran.err


def test_a_dotenv_beside_the_configuration_holds_for_the_program_too(
    send: Send, host: MailHost
) -> None:
    dotenv = host.folder / ".env"
    dotenv.write_text("MAILTRACE_READ_ONLY=1\n")
    assert "MAILTRACE_READ_ONLY forbids sending" in send().err
    dotenv.write_text("MAILTRACE_SMTP_PASSWORD=x\n")
    dotenv.chmod(0o644)
    assert "chmod 600 .env" in send().err
    assert host.server.connections == 0


def test_json_stands_alone_on_stdout(send: Send) -> None:
    ran = send("--follow", "20", "--json")
    found = json.loads(ran.out)
    assert found["outcome"] == "accepted"
    assert found["trace"]["traces"][0]["outcome"] == "sent"
    assert "mx1 4" in ran.err


def test_trace_follows_too(send: Send, host: MailHost) -> None:
    assert send().code == 0
    ran = send("--message-id", host.server.message_ids[0], "--follow", command="trace")
    assert ran.code == 0
    assert "a@lab.example: sent at mx1" in ran.out
    ran = send("--queue-id", "4FFFFFFFFFF", "--follow=1", command="trace")
    assert ran.code == 1


def test_a_run_of_mails_and_a_ramp(send: Send, host: MailHost, tmp_path: Path) -> None:
    file = tmp_path / "records.json"
    ran = send(
        "--rate", "2-10", "--duration", "1", "--parallel", "2", "--export-records", str(file)
    )
    assert ran.code == 0
    assert "6 of 6 mails handled" in ran.out
    assert len(json.loads(file.read_text())) == len(host.server.mails) == 6


def test_headers_attachments_and_a_saved_mail(send: Send, host: MailHost, tmp_path: Path) -> None:
    host.policy += ", content: text"
    host.write()
    (tmp_path / "note.txt").write_text("an attachment")
    (tmp_path / "saved.eml").write_bytes(
        b"From: me@lab.example\r\nSubject: Kept\r\n\r\nold text\r\n"
    )
    ran = send(
        "--body", "own words", "--attach", str(tmp_path / "note.txt"), "--header", "X-Test: one"
    )
    assert ran.code == 0, ran.err
    assert b"X-Test: one" in host.server.mails[0].data
    assert b'filename="note.txt"' in host.server.mails[0].data
    assert send("--eml", str(tmp_path / "saved.eml")).code == 0
    assert b"Subject: Kept" in host.server.mails[1].data


def test_another_server_gets_no_credentials_but_those_of_the_environment(
    send: Send, host: MailHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILTRACE_SMTP_USER", "u")
    monkeypatch.setenv("MAILTRACE_SMTP_PASSWORD", "hunter2-secret")
    ran = send("--server-host", "127.0.0.2", "--server-port", str(host.server.port))
    assert ran.code == 2  # a login over an unencrypted connection
    assert "NOT_ALLOWED: login as u" in ran.err
    assert "hunter2" not in ran.out + ran.err


def test_ctrl_c_writes_what_was_done(host: MailHost, tmp_path: Path) -> None:
    file = tmp_path / "records.json"
    arguments = ("send", "--rate", "10", "--duration", "9", "--export-records", str(file))
    ran = process(host, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with ran:
        until = time.monotonic() + 20
        while len(host.server.mails) < 5 and time.monotonic() < until:
            time.sleep(0.05)
        ran.send_signal(signal.SIGINT)
        out, err = ran.communicate(timeout=20)
    assert ran.returncode == 130, err
    assert err == b""
    assert b"of 90 mails handled" in out
    assert 4 <= len(json.loads(file.read_text())) < 90


def test_ctrl_c_ends_following_with_the_latest_answer(host: MailHost) -> None:
    host.fates[A] = "deferred"
    with process(host, "send", "--follow", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as ran:
        assert ran.stdout is not None
        first = b""
        while b"deferred at mx1" not in first:
            line = ran.stdout.readline()
            assert line, first
            first += line
        ran.send_signal(signal.SIGINT)
        out, err = ran.communicate(timeout=20)
    assert ran.returncode == 130, err
    assert b"Accepted by" in out
    assert b"a@lab.example: deferred" in out


def test_on_a_terminal_the_tree_grows_in_place(host: MailHost) -> None:
    host.delay = 4  # so that the first looks find it on its way, also on a slow machine
    terminal, inside = pty.openpty()
    with process(host, "send", "--follow", stdout=inside, stderr=inside, stdin=inside) as ran:
        os.close(inside)
        told = b""
        while True:
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break
            if not piece:
                break
            told += piece
    os.close(terminal)
    assert ran.returncode == 0
    text = told.decode()
    assert "\x1b[2K" in text  # a line was drawn anew
    growing, _, final = text.partition("Followed: ")
    assert growing.index("Accepted by") < growing.index("mx1 4")
    assert f"mx1 {host.server.mails[0].queue_id}" in growing
    assert "waits for more" in growing
    assert "sent" in final


def test_it_never_imports_mcp(host: MailHost) -> None:
    program = (
        "import sys\nfrom mailtrace_mcp.cli import main\n"
        f"sys.exit(main(['--config', {str(host.config)!r}, 'send']) or 'mcp' in sys.modules)"
    )
    environ = {**ENVIRONMENT, **environment(host.folder)}
    ran = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr.decode()


def test_no_traceback_without_a_policy(send: Send, host: MailHost) -> None:
    host.policy = ""
    host.write()
    ran = send()
    assert ran.code == 2
    assert ran.err.startswith("mailtrace-mcp: NOT_ALLOWED: sending is off")
