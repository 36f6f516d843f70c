"""A real Postfix takes the mail: its queue ID is the one in its log. Needs root (tests/lab)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LAB = ROOT / "tests" / "lab" / "lab"
# A lab of this test's own, beside any other one.
ENVIRON = os.environ | {"MAILTRACE_LAB": f"mailtrace-send-{os.getpid()}"}

CONFIG = """
smtp:
  policy: {recipient_domains: [csmail1.example.test, example.net]}
  profiles:
    knows: {host: 192.0.2.11, port: 25, tls: none, from: me@example.net}
    stranger: {host: 192.0.2.21, port: 25, tls: none, from: me@example.net}
"""
SENDS = """
import anyio, json, sys
from pathlib import Path
from typing import Any
from mailtrace_mcp.config import load
from mailtrace_mcp.send import OperatorWords, SendRequest, State, exported, send
folder = Path(sys.argv[1])
config = load(folder / "config.yaml", {})
asked = SendRequest(to=tuple(sys.argv[3:]), profile=sys.argv[2], dsn=("success",))
found = anyio.run(send, config, asked, OperatorWords(), State.at(folder / "state"))
print(json.dumps({
    "outcome": found.outcome,
    "records": json.loads(exported(found.records)),
    "failure": found.failure and found.failure.message,
}))
"""


def lab(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(LAB), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=ENVIRON)


Send = Callable[..., Any]


@pytest.fixture(scope="module")
def send_to(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Send]:
    """profile, recipients → what came of one mail to csmail1 or csmx1."""
    started = lab("up", "csmail1", "csmx1")
    if started.returncode:
        lab("down")
        pytest.skip(f"no lab: {(started.stderr or started.stdout).strip()}")
    folder = tmp_path_factory.mktemp("postfix")
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "sends.py").write_text(SENDS)

    def send(*to: str) -> Any:
        words = ("net", "env", f"PYTHONPATH={ROOT}:{ROOT / 'parsers'}", sys.executable)
        done = lab(*words, str(folder / "sends.py"), str(folder), *to)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    try:
        yield send
    finally:
        lab("down")


def test_the_queue_id_is_the_one_in_its_log(send_to: Send) -> None:
    found = send_to("knows", "cron@csmail1.example.test")
    assert found["outcome"] == "accepted"
    (record,) = found["records"]
    assert record["success"] is True
    line = f"{record['queue_id']}: message-id=<{record['message_id']}>"
    for _ in range(50):
        if line in (log := lab("exec", "csmail1", "cat", "/var/log/mail.log").stdout):
            break
        time.sleep(0.1)
    assert line in log


def test_a_relay_that_does_not_know_us_is_told_with_advice(send_to: Send) -> None:
    found = send_to("stranger", "ann@example.net")
    assert found["outcome"] == "refused"
    assert "454 4.7.1" in str(found["failure"])
    assert "passes mail on only for those it knows" in str(found["failure"])
