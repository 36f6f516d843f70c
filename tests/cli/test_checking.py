"""`check` on the command line: what it says, its exit codes, and what it never imports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.server.wire import ENVIRONMENT

from .conftest import Run

ONLY_HOSTS = ("check", "--no-profiles", "--no-dns")
PROFILE = (
    "smtp:\n  policy: {recipient_domains: [example.com]}\n  profiles:\n"
    "    lab: {host: 127.0.0.1, port: 1, tls: none, from: me@example.com}\n"
)


def test_all_is_well(run: Run) -> None:
    ran = run(*ONLY_HOSTS)
    assert ran.code == 0  # the logs are old, which is not certain to be wrong
    assert ran.out.startswith("Hosts: 0 of 2 ok; not certain: mx1 (lines) and mx2 (lines).\n")
    assert "Host mx1: not certain\n" in ran.out
    assert ran.err == ""


def test_json_is_the_tools_structured_content(run: Run) -> None:
    ran = run(*ONLY_HOSTS, "--json", "mx2")
    answer = json.loads(ran.out)
    assert set(answer) == {"summary", "hosts", "profiles", "domains", "hints", "untrusted"}
    assert [one["name"] for one in answer["hosts"]] == ["mx2"]


def test_a_host_that_cannot_be_read(run: Run, config_with_a_host_down: Path) -> None:
    ran = run(*ONLY_HOSTS)
    assert ran.code == 3
    assert "FILE_NOT_FOUND: missing/mail.log is not there" in ran.out
    assert "Do: Check logs.files" in ran.out
    assert run(*ONLY_HOSTS, "mx1", "mx2").code == 0
    assert run(*ONLY_HOSTS, "mx-cluster").code == 3


def test_a_profile_that_fails(run: Run, config: Path) -> None:
    with config.open("a") as file:
        file.write(PROFILE)
    ran = run("check", "--no-dns", "mx1")
    assert ran.code == 1
    assert "Profile lab: FAILED\n" in ran.out
    assert "HOST_UNREACHABLE: 127.0.0.1:1 cannot be reached" in ran.out
    assert run(*ONLY_HOSTS, "mx1").code == 0


def test_a_host_that_is_none(run: Run) -> None:
    ran = run(*ONLY_HOSTS, "mx9")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("mailtrace-mcp: UNKNOWN_HOST: ")


def test_nothing_heavy_is_imported_before_it_is_needed(config: Path) -> None:
    program = (
        "import sys\nfrom mailtrace_mcp.cli import main\n"
        f"code = main(['--config', {str(config)!r}, *{ONLY_HOSTS!r}])\n"
        "heavy = {'mcp', 'paramiko', 'aiosmtplib', 'dns'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else code)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr.decode()
