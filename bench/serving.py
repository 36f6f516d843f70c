"""T10: how soon a client sees the tools, beside a server of the same library that has none."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator

from bench.measure import Cost, compare, ended
from bench.report import Row
from bench.setting import ROOT, Setting

_BARE = "from mcp.server.mcpserver import MCPServer; MCPServer('bare').run('stdio')"
_HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}
_SAID = (
    {"id": 0, "method": "initialize", "params": _HELLO},
    {"method": "notifications/initialized"},
    {"id": 1, "method": "tools/list"},
)


def tools(setting: Setting) -> Iterator[Row]:
    """T10."""
    ours = (sys.executable, "-m", "mailtrace_mcp", "--config", "config.yaml", "serve")
    bare = (sys.executable, "-c", _BARE)
    compared = compare(lambda: _listed(ours), lambda: _listed(bare), setting.pairs)
    slower = compared.slower("cpu")
    yield Row(
        "T10",
        "`tools/list` answered ≤ 1.15× the time of an MCPServer without tools",
        slower.shown(),
        slower.median <= 1.15,
        "processor time from the start of the process to its end right after the answer; by the clock"
        f" {compared.slower('wall').shown()}",
    )


def _listed(command: tuple[str, ...]) -> Cost:
    """From the start of a server to its answer to tools/list. Its end is no part of the wall time."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    with process.stdin, process.stdout:
        for message in _SAID:
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        process.stdin.flush()
        while True:
            answer = json.loads(process.stdout.readline())
            if answer.get("id") == 1:
                break
        wall = time.perf_counter() - begun
        if "tools" not in answer["result"]:
            raise RuntimeError("tools/list was not answered")
    return Cost(wall, ended(process, begun).cpu)
