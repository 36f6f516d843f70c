"""The configuration as the program uses it: checked, complete, and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from mailtrace_mcp.config.naming import Names, canonical
from mailtrace_mcp.config.schema import Http, Index, Limits
from mailtrace_mcp.config.smtp import Smtp
from mailtrace_mcp.config.values import Secret
from mailtrace_mcp.errors import Code, MailtraceError, visible

ALL_HOSTS = "all"


@dataclass(frozen=True)
class Logs:
    """Where a host's lines lie.

    `at` is as written: local, ssh or the host that holds them; `elsewhere` is true for the last,
    whose files hold the lines of several hosts. `place` is where they are in the end: `local`, or
    the name of the host to reach by SSH. `files` are globs; those of a local place are absolute.
    """

    at: str
    kind: Literal["files", "journald"]
    files: tuple[str, ...]
    place: str

    @property
    def elsewhere(self) -> bool:
        return self.at not in ("local", "ssh")


@dataclass(frozen=True)
class Ssh:
    """How to log in to a host: its own keys over those of `ssh:`. None: as ~/.ssh/config says.

    Timeouts in seconds. A host key that `known_hosts` does not hold is refused, always.
    """

    known_hosts: str
    connect_timeout: float
    command_timeout: float
    user: str | None = None
    port: int | None = None
    key: str | None = None
    allow_agent: bool = False
    look_for_keys: bool = False
    password: Secret | None = None
    passphrase: Secret | None = None


@dataclass(frozen=True)
class Host:
    """One mail host. `zone_assumed`: it has no `timezone` of its own, and `zone`, that of the whole file,
    is a guess."""

    name: str
    addresses: tuple[str, ...]
    aliases: tuple[str, ...]
    zone: ZoneInfo
    zone_assumed: bool
    logs: Logs
    ssh: Ssh


@dataclass(frozen=True)
class Cluster:
    """Hosts that are asked together; `aliases` are names and addresses that mean any of them. Written
    as `mx:DOMAIN` in the file, `exchangers` are domains whose mail exchangers belong to it too, as far
    as they are configured hosts: DNS tells which."""

    name: str
    hosts: tuple[str, ...]
    aliases: tuple[str, ...]
    exchangers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Config:
    """What config.yaml says. `path` is the file; `zone` that of times which are typed and shown; `own`
    the variables MAILTRACE_… of the environment and the `.env` beside the file."""

    path: Path
    zone: ZoneInfo
    hosts: Mapping[str, Host]
    clusters: Mapping[str, Cluster]
    limits: Limits
    index: Index
    groups: Mapping[str, tuple[str, ...]]
    smtp: Smtp
    http: Http
    own: Mapping[str, str] = field(repr=False)
    _hosts_by_name: Names = field(repr=False)
    _clusters_by_name: Names = field(repr=False)

    def host_names(self, selector: str | None = None) -> tuple[str, ...]:
        """The hosts that `selector` (a host, a cluster, `all` or None) means, each once.

        Whatever its case. Raises MailtraceError UNKNOWN_HOST, naming what could be said; aliases
        and addresses are no selectors.
        """
        if selector is None or selector.casefold() == ALL_HOSTS:
            return tuple(self.hosts)
        wanted = canonical(selector)
        for host in self.hosts:
            if host.casefold() == wanted:
                return (host,)
        for cluster in self.clusters.values():
            if cluster.name.casefold() == wanted:
                return cluster.hosts
        raise MailtraceError(Code.UNKNOWN_HOST, self._unknown(selector))

    def owner_of(self, name_or_address: str) -> str | None:
        """The configured host that is known by exactly this name or address."""
        return self._hosts_by_name.owner(name_or_address)

    def cluster_of(self, name_or_address: str) -> Cluster | None:
        """The cluster that is known by exactly this name or address (its VIP, its balancer)."""
        name = self._clusters_by_name.owner(name_or_address)
        return None if name is None else self.clusters[name]

    def _unknown(self, selector: str) -> str:
        hosts, clusters = list(self.hosts), list(self.clusters)
        said = f"no host or cluster '{visible(selector)}' is configured."
        if not hosts:
            return f"{said} {self.path.name} names no hosts."
        owner = self.owner_of(selector)
        hint = f" It is a name of {owner}: use that." if owner else ""
        named = f" Hosts: {_some(hosts)}." + (f" Clusters: {_some(clusters)}." if clusters else "")
        return said + hint + named


def _some(names: list[str], limit: int = 30) -> str:
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more" if more > 0 else "")
