"""A server process, and the bytes that go in and come out: the protocol without a client library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "parsers")])}
HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}


def start(*arguments: str, cwd: Path | None = None, **variables: str) -> subprocess.Popen[bytes]:
    """`mailtrace-mcp ARGUMENTS` as a process of its own, all three streams in pipes."""
    return subprocess.Popen(
        [sys.executable, "-m", "mailtrace_mcp", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cwd,
        env={**ENVIRONMENT, **variables},
    )


def request(number: int, method: str, params: Any = None) -> bytes:
    body = {"jsonrpc": "2.0", "id": number, "method": method}
    return line(body if params is None else {**body, "params": params})


def tool(number: int, name: str, arguments: Any) -> bytes:
    return request(number, "tools/call", {"name": name, "arguments": arguments})


def line(message: Any) -> bytes:
    return json.dumps(message).encode() + b"\n"


def opening() -> bytes:
    """The handshake of 2025-11-25, with the request ID 0."""
    return request(0, "initialize", HELLO) + line(
        {"jsonrpc": "2.0", "method": "notifications/initialized"}
    )


@dataclass(frozen=True)
class Talk:
    """What a server process wrote until it ended."""

    code: int
    out: bytes
    err: str

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Every line of stdout; fails for one that is no JSON-RPC message."""
        found = [json.loads(one) for one in self.out.split(b"\n")[:-1]]
        assert self.out == b"" or self.out.endswith(b"\n")
        for one in found:
            assert one["jsonrpc"] == "2.0"
            assert ("result" in one) + ("error" in one) + ("method" in one) == 1
        return found

    def answer(self, number: int | None) -> dict[str, Any]:
        """The one response to a request."""
        [found] = [one for one in self.messages if one.get("id", -1) == number]
        return found

    def code_of(self, number: int | None) -> int:
        return int(self.answer(number)["error"]["code"])


def talk(
    server: subprocess.Popen[bytes], said: Iterable[bytes], answers: int, last: int | None = None
) -> Talk:
    """Say these lines, wait for so many lines of answer, and for the one to request `last` where it is
    not sure how many come before it; then close stdin and wait for the end."""
    assert server.stdin is not None
    assert server.stdout is not None
    with server:
        server.stdin.write(b"".join(said))
        server.stdin.flush()
        out = b"".join(server.stdout.readline() for _ in range(answers))
        while last is not None and b'"id":%d,' % last not in out:
            line = server.stdout.readline()
            if not line:
                break
            out += line
        server.stdin.close()
        rest = server.stdout.read()  # not communicate(): it would miss what readline() has buffered
        err = server.stderr.read() if server.stderr is not None else b""
    return Talk(server.returncode, out + rest, err.decode())
