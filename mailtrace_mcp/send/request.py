"""What was asked for: a test mail, in the words of TOOLS.md. Not checked yet: preparing does that."""

from __future__ import annotations

from dataclasses import dataclass, field

from mailtrace_mcp.config.presets import Tls
from mailtrace_mcp.send.drafts import Notify
from mailtrace_mcp.send.effort import USUAL_PER_HOST
from mailtrace_mcp.send.extras import NO_EXTRAS, Extras
from mailtrace_mcp.send.routes import Server


@dataclass(frozen=True)
class SendRequest:
    """send_test_mail, as TOOLS.md names its parameters. None: as the profile says."""

    to: tuple[str, ...] | None = None
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    subject: str | None = None
    profile: str | None = None
    sender: str | None = None
    ssl_mode: Tls | None = None
    verify: bool | None = None
    auth: bool = True
    body: str | None = None
    html: str | None = None
    dsn: tuple[Notify, ...] = ()
    rate: float | str = 1
    duration: float = 1


@dataclass(frozen=True)
class OperatorWords:
    """What only the command line can say. That there are any tells that the operator asks and no agent:
    TLS may then be lowered; policy, quota and audit hold all the same. Connections in `parallel`, of
    which one host gets `per_host` at most: each 1 to 20."""

    server: Server = field(default_factory=Server)
    extras: Extras = NO_EXTRAS
    parallel: int = 1
    per_host: int = USUAL_PER_HOST
