"""The keys of config.yaml as they are written (TOOLS.md), section by section."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, StringConstraints

from mailtrace_mcp.config.smtp import Password, Provider, Smtp
from mailtrace_mcp.config.values import (
    Count,
    Duration,
    Flag,
    Globs,
    HostWords,
    Line,
    MailAddresses,
    Port,
    Seconds,
    Section,
    Size,
    Zone,
)

_NAME = r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$"
Name: TypeAlias = Annotated[str, StringConstraints(pattern=_NAME)]


class LogsSection(Section):
    """`hosts.NAME.logs`: `at` is local, ssh or another host that holds this host's lines."""

    at: Name | None = None
    kind: Literal["files", "journald"] = "files"
    files: Globs | None = None


class LoginSection(Section):
    """How to log in: `hosts.NAME.ssh`, and the keys of `ssh:` that hold for all hosts. `passphrase`
    opens the key; it stays on this machine."""

    user: Line | None = None
    port: Port | None = None
    key: Line | None = None
    passphrase: Password | None = None
    allow_agent: Flag | None = None
    look_for_keys: Flag | None = None


class HostLoginSection(LoginSection):
    """`hosts.NAME.ssh`. A password is one host's: there is no way to show it to all of them."""

    password: Password | None = None


class SshSection(LoginSection):
    """`ssh:`. There is no switch that would trust an unknown host key."""

    known_hosts: Line = "~/.ssh/known_hosts"
    connect_timeout: Seconds = 10.0
    command_timeout: Seconds = 30.0


class HostSection(Section):
    """`hosts.NAME`: the first address is where to connect, all of them and the aliases name it."""

    address: HostWords | None = None
    aliases: HostWords | None = None
    timezone: Zone | None = None
    logs: LogsSection
    ssh: HostLoginSection = HostLoginSection()


def _members(value: Any) -> Any:
    return {"hosts": value} if isinstance(value, list | str) else value


class ClusterSection(Section):
    """`clusters.NAME`: a list of hosts, or that and the names under which others know them all."""

    hosts: Annotated[tuple[Line, ...], Field(min_length=1, strict=False)]
    aliases: HostWords | None = None


class Limits(Section):
    """What one call may cost. Bytes are per host; `deadline` is in seconds, for the whole call."""

    window: Duration = timedelta(days=7)
    bytes_per_host: Size = 64 << 20
    answer_chars: Annotated[Count, Field(ge=1000)] = 40_000
    deadline: Annotated[Seconds, Field(le=300)] = 45.0


class Index(Section):
    """Where the indexes of logs are kept, and for how long; not `enabled`, there are none. A path that is
    not absolute begins at the configuration's folder."""

    enabled: Flag = True
    path: Line = "~/.cache/mailtrace"
    retention: Duration = timedelta(days=7)


class Token(Section):
    """A bearer token for HTTP: the variable that holds it, and what it allows."""

    env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    scopes: Annotated[
        tuple[Literal["mail:read", "mail:send"], ...], Field(min_length=1, strict=False)
    ]


class Http(Section):
    """For `serve --transport streamable-http`."""

    tokens: Annotated[tuple[Token, ...], Field(min_length=1, strict=False)] | None = None
    allowed_hosts: HostWords | None = None


class FileSection(Section):
    """The whole file. `version`, `providers` and `workflows` are a provider file's."""

    timezone: Zone | None = None
    hosts: Annotated[dict[Name, HostSection], Field(min_length=1)] | None = None
    clusters: (
        Annotated[
            dict[Name, Annotated[ClusterSection, BeforeValidator(_members)]], Field(min_length=1)
        ]
        | None
    ) = None
    ssh: SshSection = SshSection()
    limits: Limits = Limits()
    index: Index = Index()
    groups: Annotated[dict[Name, MailAddresses], Field(min_length=1)] | None = None
    smtp: Smtp = Smtp()
    http: Http = Http()
    version: Literal["1.0"] | None = None
    providers: Annotated[dict[str, Provider], Field(min_length=1)] | None = None
