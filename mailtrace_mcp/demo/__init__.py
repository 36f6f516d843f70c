"""`mailtrace-mcp demo`: the main job on the sample cluster, by the command line and over MCP.

Both are started as a user and an MCP client would start them, as processes of their own; that they
answer the same is checked.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters

from mailtrace_mcp.answers import TraceAnswer
from mailtrace_mcp.answers.words import moment
from mailtrace_mcp.config import packaged_config
from mailtrace_mcp.views.text import how_read

_ANSWERED = (0, 3)  # found, and found with a host that could not be read whole
_LONGEST = 60  # seconds that any of the steps may take


@dataclass(frozen=True)
class Sample:
    """A mail of the sample logs: its message-id, and when it was sent."""

    message_id: str
    time: str
    time_range: str


# One mail to three recipients: one delivered, one deferred, one bounced (fixtures/cluster/ORACLE.json).
THREE_FATES = Sample("three-fates@example.test", "2026-11-21T06:58:54Z", "50s")


def run(config: Path | None = None, sample: Sample = THREE_FATES) -> int:
    """Trace the sample mail both ways; prints what was found. 0 if both answered and agree, else 1."""
    config = (config or packaged_config()).resolve()
    command = _command(config, sample)
    _say("The command line:", "", f"$ mailtrace-mcp {shlex.join(command)}", "")
    shown = subprocess.run(_python(*command), check=False, timeout=_LONGEST)  # noqa: S603
    told = subprocess.run(  # noqa: S603
        _python(*command, "--json"), check=False, timeout=_LONGEST, stdout=subprocess.PIPE
    )
    failed = [one.returncode for one in (shown, told) if one.returncode not in _ANSWERED]
    if failed:
        _say("", f"The command line failed: exit code {failed[0]}.")
        return 1
    _say("", "The same over MCP: a client starts `mailtrace-mcp serve` and calls trace_mail.", "")
    structured = anyio.run(_over_mcp, config, sample)
    if structured is None:
        return 1
    _say(*_report(TraceAnswer.model_validate(structured)))
    equal = structured == json.loads(told.stdout)
    _say("", f"--json and structuredContent are the same object: {'yes' if equal else 'NO'}")
    return 0 if equal else 1


def _command(config: Path, sample: Sample) -> list[str]:
    return [
        "--config", os.path.relpath(config), "trace", "--message-id", sample.message_id,
        "--time", sample.time, "--time-range", sample.time_range,
    ]  # fmt: skip


def _python(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mailtrace_mcp", *arguments]


async def _over_mcp(config: Path, sample: Sample) -> dict[str, Any] | None:
    """structuredContent of trace_mail, called by a client over stdio; None, and why, if it failed."""
    command, *arguments = _python("--config", str(config), "serve")
    kept = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    server = StdioServerParameters(command=command, args=arguments, env=kept)
    async with Client(server, read_timeout_seconds=_LONGEST) as client:
        tools = ", ".join(tool.name for tool in (await client.list_tools()).tools)
        _say(f"Protocol {client.protocol_version}; tools: {tools}")
        asked = {
            "message_id": sample.message_id,
            "time": sample.time,
            "time_range": sample.time_range,
        }
        answer = await client.call_tool("trace_mail", asked)
    if answer.is_error or answer.structured_content is None:
        _say(f"trace_mail failed: {answer.content}")
        return None
    structured: dict[str, Any] = answer.structured_content
    return structured


def _report(answer: TraceAnswer) -> list[str]:
    """Path, outcome per recipient and coverage, as a client reads them from structuredContent."""
    said = [answer.summary]
    for trace in answer.traces:
        for end in trace.recipients:
            path = " → ".join(f"{place.host} {place.queue_id}" for place in end.path)
            said.append(f"  {end.recipient}: {end.outcome} (end: {end.end})")
            said.append(f"    path: {path}")
            if end.reason:
                said.append(f"    reason: {end.reason}")
    window = answer.coverage.window
    said.append(
        f"  coverage: {how_read(answer.coverage)}, "
        f"{moment(window.start)} to {moment(window.end)} ({window.zone})"
    )
    return said


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
