"""The configuration of a running server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import anyio.to_thread

from mailtrace_mcp.config import Config, load
from mailtrace_mcp.errors import MailtraceError
from mailtrace_mcp.questions import reads_only


@dataclass
class Configuration:
    """Read whole, once, when it is first needed: `path` None looks in the default places."""

    path: Path | None = None
    _config: Config | None = None

    def read(self) -> Config:
        """Raises MailtraceError CONFIG_INVALID; the next call looks again, so that it can be mended."""
        if self._config is None:
            self._config = load(self.path)
        return self._config

    def may_send(self) -> bool:
        """Whether it has `smtp.policy` and nothing says to read only; False too where it cannot be read.

        Nothing is kept of it: a module that only makes a server does not settle which file it reads.
        """
        try:
            config = self._config or load(self.path)
        except MailtraceError:
            return False
        return config.smtp.policy is not None and not reads_only(config)

    async def get(self) -> Config:
        """As `read`, and nothing else waits for the file."""
        if self._config is not None:
            return self._config
        return await anyio.to_thread.run_sync(self.read)
