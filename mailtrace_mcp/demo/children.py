"""The program as others start it: a server for an MCP client, commands for a user. Processes of their own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from subprocess import DEVNULL, PIPE

import anyio
from mcp import Client, StdioServerParameters

LONGEST = 60.0  # seconds that any one step may take
# What a program needs to run at all; the rest of the environment is not the demo's (MAILTRACE_READ_ONLY,
# a password, a configuration).
_KEPT = ("HOME", "PATH", "PYTHONPATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Ran:
    """What a command wrote to stdout, and how it ended."""

    code: int
    out: str


@dataclass(frozen=True)
class Children:
    """Processes over one configuration; quota and audit lie in its folder, not in the user's home."""

    config: Path

    @property
    def audit(self) -> Path:
        return self.config.parent / "state" / "mailtrace" / "audit.jsonl"

    def client(self) -> Client:
        """A client of `mailtrace-mcp serve`, which it starts."""
        command, *arguments = _python("--config", str(self.config), "serve")
        server = StdioServerParameters(command=command, args=arguments, env=dict(self._environment))
        return Client(server, read_timeout_seconds=LONGEST)

    async def command(self, *arguments: str) -> Ran:
        """A command line; its mistakes go to stderr."""
        with anyio.fail_after(LONGEST):
            done = await anyio.run_process(
                _python(*arguments), stdin=DEVNULL, stdout=PIPE, stderr=None,
                env=self._environment, check=False,
            )  # fmt: skip
        return Ran(done.returncode, done.stdout.decode())

    @property
    def _environment(self) -> Mapping[str, str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        own = {
            "MAILTRACE_CONFIG": str(self.config),
            "XDG_STATE_HOME": str(self.config.parent / "state"),
            "PYTHONIOENCODING": "utf-8",
        }
        return kept | own


def _python(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mailtrace_mcp", *arguments]
