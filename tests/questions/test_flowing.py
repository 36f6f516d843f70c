"""check_flow over the recorded cluster, against what really became of its mails."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from mailtrace_mcp.answers import FlowAnswer
from mailtrace_mcp.cli import main
from mailtrace_mcp.config import load
from mailtrace_mcp.errors import MailtraceError
from mailtrace_mcp.questions import FlowQuestion, check_flow

ROOT = Path(__file__).parents[2]
ORACLE: list[dict[str, Any]] = json.loads((ROOT / "fixtures/cluster/ORACLE.json").read_text())
WHEN: dict[str, Any] = {"time": "2026-11-21 15:00", "time_range": "30m"}
STILL = ("queued", "deferred", "held", "unknown")


def flow(cluster: str, **asked: Any) -> FlowAnswer:
    question = FlowQuestion(cluster, **{**WHEN, **asked})
    return anyio.run(check_flow, load(ROOT / "config.yaml"), question, datetime.now(UTC))


def outcome(mail: dict[str, Any]) -> str:
    """As a mail has one: those recipients count to whom it was sent, and not who was added on the way."""
    sent_to = [one for one in mail["recipients"] if not one.get("added_by")]
    found = {one["outcome"] for one in sent_to or mail["recipients"]}
    if mail["story"] == "too-big":  # it had a queue ID when it was refused: never received whole
        return "aborted"
    return found.pop() if len(found) == 1 else "mixed"


def stands(mail: dict[str, Any]) -> bool:
    return any(one["outcome"] in STILL for one in mail["recipients"])


def test_all_hosts_every_mail_is_counted_as_it_really_ended() -> None:
    answer = flow("all")
    assert answer.came_in == len(ORACLE)
    assert answer.ended == Counter(outcome(one) for one in ORACLE if not stands(one))
    expected = {
        (one["path"][-1][0], one["path"][-1][1], one["outcome"])
        for mail in ORACLE
        for one in mail["recipients"]
        if one["outcome"] in STILL
    }
    assert {(one.host, one.queue_id, one.last_status) for one in answer.stopped} == expected
    assert all(one.why for one in answer.stopped)
    arrivals = [one.arrived for one in answer.stopped if one.arrived]
    assert arrivals == sorted(arrivals)


def test_of_a_cluster_only_the_mails_that_came_into_it_count() -> None:
    """The oracle's ways tell which; a notice about a mail of other hosts is a mail of its own."""
    hosts = ("csmx1", "csmx2")
    mails = [
        mail
        for mail in ORACLE
        if any(hop[0] in hosts for one in mail["recipients"] for hop in one["path"])
    ]
    notices = [
        notice
        for mail in ORACLE
        for notice in mail.get("notices", [])
        if any(hop[0] in hosts for hop in notice["path"]) and notice["path"][0][0] not in hosts
    ]
    answer = flow("mx-cluster")
    assert answer.cluster == "mx-cluster"
    assert answer.came_in == len(mails) + len(notices)
    assert not answer.stopped
    assert answer.summary.startswith(f"{answer.came_in} mails came into mx-cluster: ")


def test_keywords_narrow_it_and_the_limit_says_what_is_not_shown() -> None:
    few = flow("smtp-cluster", keywords=("down.example.com",))
    assert 0 < few.came_in < 10
    one = flow("smtp-cluster", limit=1)
    assert len(one.stopped) == 1
    assert one.not_shown == len(flow("smtp-cluster").stopped) - 1
    assert any("raise limit" in hint for hint in one.hints)


def test_a_host_that_is_not_read_is_told(tmp_path: Path) -> None:
    """What only it knows is unknown, and so not ended."""
    text = (
        (ROOT / "config.yaml").read_text().replace("fixtures/cluster", f"{ROOT}/fixtures/cluster")
    )
    file = tmp_path / "config.yaml"
    file.write_text(text.replace(f"{ROOT}/fixtures/cluster/csbox1/mail.log*", "/nowhere/mail.log*"))
    question = FlowQuestion("mx-cluster", **WHEN)
    answer = anyio.run(check_flow, load(file), question, datetime.now(UTC))
    assert "csbox1 could not be read" in answer.summary
    lost = [one for one in answer.stopped if one.last_status == "unknown"]
    assert lost
    assert all(one.why is not None and "csbox1 took it" in one.why for one in lost)


def test_no_mail_on_a_host_that_is_not_read_is_no_absence(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("hosts: {mx1: {logs: {files: [/nowhere/mail.log]}}}\n")
    answer = anyio.run(check_flow, load(file), FlowQuestion("mx1"), datetime.now(UTC))
    assert answer.summary.startswith("Unknown: no mail was seen to come into mx1, but mx1 ")


def test_a_cluster_must_be_configured() -> None:
    with pytest.raises(MailtraceError, match="smtp-cluster"):
        flow("nowhere")


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--config", str(ROOT / "config.yaml"), "flow", "smtp-cluster", "--time", WHEN["time"]]
    assert main([*words, "--time-range", "30m"]) == 3  # the logs begin within the window
    told = capsys.readouterr().out
    assert "mails came into smtp-cluster" in told
    assert "Not ended, the longest first:" in told
    main([*words, "--json"])
    assert json.loads(capsys.readouterr().out)["cluster"] == "smtp-cluster"
