"""`mailtrace-mcp demo` on config.yaml as it stands."""

from __future__ import annotations

import subprocess
import sys

from tests.server.wire import ENVIRONMENT


def test_the_demo_traces_a_mail_both_ways_and_they_agree() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "mailtrace_mcp", "demo"],
        env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stderr == ""
    assert "$ mailtrace-mcp --config" in ran.stdout
    command_line, _, over_mcp = ran.stdout.partition("The same over MCP")
    for outcome in ("sent", "deferred", "bounced"):
        assert f": {outcome}" in command_line
        assert f": {outcome} (end: " in over_mcp
    assert "path: csmail1 " in over_mcp
    assert "coverage: " in over_mcp
    assert ran.stdout.endswith("--json and structuredContent are the same object: yes\n")
