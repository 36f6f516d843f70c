"""Mistakes on the command line, help, print-config, and what a process does with its streams."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mailtrace_mcp.answers.trust import clean
from mailtrace_mcp.cli import main
from mailtrace_mcp.cli.clients import CLIENTS
from tests.server.wire import ENVIRONMENT, opening, start

from .conftest import WHEN, Run

BOB = "bob@example.test"
COMMANDS = ("query", "trace", "send", "check", "index", "serve", "demo", "print-config")


def process(config: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "mailtrace_mcp", "--config", str(config), *arguments],
        env={**ENVIRONMENT, **variables},
        capture_output=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "the following arguments are required: COMMAND"),
        (("qery",), "invalid choice: 'qery'"),
        (("query", "x", "--tme", "now"), "there is no option '--tme' here. Did you mean '--time'?"),
        (("query", "x", "--limit", "many"), "argument --limit: invalid int value: 'many'"),
        (("query", "x", "--status", "delivered"), "invalid choice: 'delivered'"),
        (("serve", "--tool-prefix", "a b"), "at most 32 letters, digits, _ and -"),
        (("serve", "now"), "there is no argument 'now' here."),
        (("print-config", "emacs"), "invalid choice: 'emacs'"),
        (
            ("trace", "--follow", BOB),
            "is no number of seconds; put a bare --follow behind the rest",
        ),
        (("send", "--ssl-mode", "ssl"), "invalid choice: 'ssl'"),
        (("send", "--tto", "x"), "there is no option '--tto' here. Did you mean '--to'?"),
        (("send", BOB), "there is no argument 'bob@example.test' here."),
        (("send", "--server-port", "0"), "--server-port 0 is not in 1 to 65535"),
        (("send", "--header", "no colon"), "must be like 'X-Test: one'"),
        (("check", "--no-dsn"), "there is no option '--no-dsn' here. Did you mean '--no-dns'?"),
        (("query", "--he", "mx1"), "there is no option '--he' here"),
    ],
)
def test_mistakes_are_one_line_with_a_code(
    run: Run, arguments: tuple[str, ...], words: str
) -> None:
    ran = run(*arguments)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith("mailtrace-mcp: INVALID_ARGUMENT: ")
    assert words in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("word", ["a\x1b[31m\u202e\x00b", "x\ny", "\udcff\udcfe", "a" * 5000])
def test_what_was_typed_is_never_printed_raw(run: Run, word: str) -> None:
    for arguments in (
        (word,),
        ("query", "--host", word),
        ("query", word, word),
        ("trace", f"--{word}"),
    ):
        ran = run(*arguments, *(WHEN if arguments[0] == "query" else ()))
        for line in (ran.out + ran.err).split("\n"):
            assert clean(line, 10_000) == line
        assert len(ran.err) < 2500


def test_a_configuration_that_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(tmp_path / "none.yaml"), "query", BOB]) == 2
    assert capsys.readouterr().err.startswith("mailtrace-mcp: CONFIG_INVALID: ")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert told.startswith(f"usage: mailtrace-mcp {command}")
    assert "exit codes: 0 a" in told


def test_help_names_every_command_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    assert all(f"    {command}" in told for command in COMMANDS)
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.startswith("mailtrace-mcp ")


def test_the_configuration_may_stand_behind_the_command(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["query", "--config", str(config), BOB, *WHEN]) == 0
    assert capsys.readouterr().out.startswith("2 mails")


@pytest.mark.parametrize("client", CLIENTS)
def test_print_config_names_whole_paths(run: Run, config: Path, client: str) -> None:
    ran = run("print-config", client)
    assert ran.code == 0
    for word in (str(config), sys.executable, "mailtrace_mcp", "serve", "mailtrace"):
        assert word in ran.out
    if client != "claude-code":
        [(key, servers)] = json.loads(ran.out).items()
        assert key == {"claude-desktop": "mcpServers", "vscode": "servers"}[client]
        assert servers["mailtrace"]["args"][-1] == "serve"


def test_query_and_trace_never_import_mcp(config: Path) -> None:
    program = (
        "import sys\nfrom mailtrace_mcp.cli import main\n"
        f"code = main(['--config', {str(config)!r}, 'query', 'bob@example.test', *{WHEN!r}])\n"
        f"code += main(['--config', {str(config)!r}, 'trace', '--queue-id', 'A00001', *{WHEN!r}])\n"
        "sys.exit(code or 'mcp' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr.decode()


def test_a_pipe_gets_plain_text_and_a_reader_that_leaves_is_no_error(config: Path) -> None:
    whole = process(config, "query", BOB, *WHEN)
    assert (whole.returncode, whole.stderr) == (0, b"")
    assert b"\x1b" not in whole.stdout
    with subprocess.Popen(
        [sys.executable, "-m", "mailtrace_mcp", "--config", str(config), "query", BOB, *WHEN],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as left:
        assert left.stdout is not None
        assert left.stderr is not None
        left.stdout.close()
        assert left.stderr.read() == b""
        assert left.wait(30) == 0


def test_a_terminal_that_knows_no_unicode_gets_ascii(config: Path) -> None:
    ran = process(config, "trace", "--queue-id", "A00001", *WHEN, PYTHONIOENCODING="ascii")
    assert ran.returncode == 0
    assert "`- mx2 B00001" in ran.stdout.decode("ascii")


def on_a_terminal(config: Path, *arguments: str, **variables: str) -> str:
    """What a command prints on a terminal of its own."""
    parent, child = pty.openpty()
    variables = {"TERM": "xterm-256color", "COLUMNS": "140", **variables}
    kept = {name: value for name, value in ENVIRONMENT.items() if name != "NO_COLOR"}
    with subprocess.Popen(
        [sys.executable, "-m", "mailtrace_mcp", "--config", str(config), *arguments],
        env={**kept, **variables}, stdout=child, stderr=child, stdin=child,
    ) as running:  # fmt: skip
        os.close(child)
        told = b""
        try:
            while more := os.read(parent, 65536):
                told += more
        except OSError:  # EIO: the other end was closed
            pass
        os.close(parent)
        assert running.wait(30) == 0
    return told.decode()


def test_a_terminal_gets_a_table_and_colours(config: Path) -> None:
    told = on_a_terminal(config, "query", BOB, *WHEN)
    assert "\x1b[32msent" in told
    assert "A00001" in told
    assert "\x1b[" in on_a_terminal(config, "trace", "--queue-id", "A00001", *WHEN)


def test_no_color_is_honoured(config: Path) -> None:
    told = on_a_terminal(config, "query", BOB, *WHEN, NO_COLOR="1")
    assert "\x1b[32m" not in told
    assert "A00001" in told


def test_ctrl_c_ends_the_server_quietly(config: Path) -> None:
    with start("--config", str(config), "serve") as server:
        assert server.stdin is not None
        assert server.stdout is not None
        assert server.stderr is not None
        server.stdin.write(opening())
        server.stdin.flush()
        server.stdout.readline()
        server.send_signal(signal.SIGINT)
        assert server.wait(5) == 130
        assert server.stderr.read() == b""
