"""A small cluster of two hosts over logs in a folder of its own, and clients of the server over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.types import CallToolResult

from mailtrace_mcp.server import build
from mailtrace_mcp.server.configuration import Configuration

Call = Callable[..., CallToolResult]

LOG = """\
2025-01-27T15:00:00.000000+08:00 mx1 postfix/smtpd[1]: A00001: client=pc.example.net[203.0.113.9]
2025-01-27T15:00:00.100000+08:00 mx1 postfix/cleanup[2]: A00001: message-id=<1@example.net>
2025-01-27T15:00:00.200000+08:00 mx1 postfix/qmgr[3]: A00001: from=<alice@example.net>, size=500, nrcpt=1 (queue active)
2025-01-27T15:00:00.900000+08:00 mx1 postfix/smtp[4]: A00001: to=<bob@example.test>, relay=mx2.example.test[192.0.2.2]:25, delay=0.9, delays=0.2/0/0.1/0.6, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as B00001)
2025-01-27T15:00:00.910000+08:00 mx1 postfix/qmgr[3]: A00001: removed
2025-01-27T15:00:05.000000+08:00 mx1 postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[203.0.113.66]: 554 5.7.1 <x@example.test>: a|b&c>d<e*f?g[h]i{j}k~l!m#n"o\\p; from=<s@example.org> to=<x@example.test> proto=ESMTP helo=<evil>
"""
LOG2 = """\
2025-01-27T15:00:00.400000+08:00 mx2 postfix/smtpd[1]: B00001: client=mx1.example.test[192.0.2.1]
2025-01-27T15:00:00.500000+08:00 mx2 postfix/cleanup[2]: B00001: message-id=<1@example.net>
2025-01-27T15:00:00.600000+08:00 mx2 postfix/qmgr[3]: B00001: from=<alice@example.net>, size=700, nrcpt=1 (queue active)
2025-01-27T15:00:01.000000+08:00 mx2 postfix/local[4]: B00001: to=<bob@example.test>, relay=local, delay=0.6, delays=0.2/0/0/0.4, dsn=2.0.0, status=sent (delivered to maildir)
2025-01-27T15:00:01.010000+08:00 mx2 postfix/qmgr[3]: B00001: removed
"""
CONFIG = """\
timezone: Asia/Taipei
hosts:
  mx1: {address: 192.0.2.1, aliases: [mx1.example.test], logs: {files: [mx1.log]}}
  mx2: {address: 192.0.2.2, aliases: [mx2.example.test], logs: {files: [mx2.log]}}
  mx3: {address: 192.0.2.3, logs: {files: [missing/mail.log]}}
clusters: {mx-cluster: [mx1, mx3]}
"""
WHEN = {"time": "2025-01-27 15:00:00"}


def written(folder: Path) -> Path:
    """config.yaml over two hosts' logs, and a third host whose log is not there."""
    (folder / "mx1.log").write_text(LOG)
    (folder / "mx2.log").write_text(LOG2)
    file = folder / "config.yaml"
    file.write_text(CONFIG)
    return file


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return written(tmp_path)


@pytest.fixture
def call(config: Path) -> Call:
    """tool, arguments → result, by a client in this process."""

    async def one(tool: str, arguments: Mapping[str, Any]) -> CallToolResult:
        async with Client(build(Configuration(config))) as client:
            return await client.call_tool(tool, dict(arguments))

    return lambda tool, **arguments: anyio.run(partial(one, tool, arguments))


def said(result: CallToolResult) -> str:
    [content] = result.content
    assert content.type == "text"
    return content.text
