"""How hard a run tries, and what may hold it back. Values, and the shape of a gate."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Protocol

from mailtrace_mcp.errors import MailtraceError
from mailtrace_mcp.send.routes import Timeouts

MOST_PARALLEL = 20
USUAL_PER_HOST = 10
RETRIES, PAUSE = 3, 5.0


@dataclass(frozen=True)
class Effort:
    """`retries` of what is temporary, after `pause` seconds × 2^n; connections in `parallel`, of which
    one host gets `per_host` at most; `deadline` a moment of anyio's clock."""

    retries: int = 0
    pause: float = PAUSE
    parallel: int = 1
    per_host: int = USUAL_PER_HOST
    deadline: float = inf
    timeouts: Timeouts = field(default_factory=Timeouts)

    @property
    def connections(self) -> int:
        """A run talks to one host at a time, so the smaller limit counts."""
        return max(1, min(self.parallel, self.per_host, MOST_PARALLEL))


class Gate(Protocol):
    """Lets mails through, one after the other: the turnstile of the quota."""

    async def ask(self) -> float:
        """0.0: the next mail may go; else the seconds after which to ask again. Raises MailtraceError."""

    def over(self, counted: bool) -> None:
        """A mail that was let through is decided; `counted` if a server was asked to take it."""

    @property
    def refusal(self) -> MailtraceError:
        """Why a mail was not let through in time."""
