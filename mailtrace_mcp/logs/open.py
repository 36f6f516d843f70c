"""The sources of a configuration: who reads which host's logs."""

from __future__ import annotations

import os
from collections.abc import Sequence

from mailtrace_mcp.config import Config, Host
from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs import LogSource, Reading, Term
from mailtrace_mcp.logs.files import FilesSource
from mailtrace_mcp.logs.scan import Member
from mailtrace_mcp.trace.coverage import HostCoverage, Window


def sources(config: Config) -> list[LogSource]:
    """One source for each host, or for hosts of one time zone whose lines lie in the same local files;
    each host of the configuration is served by exactly one of them."""
    groups: dict[tuple[tuple[str, ...], str], list[Host]] = {}
    beyond: list[Host] = []
    for host in config.hosts.values():
        if host.logs.place == "local" and host.logs.kind == "files":
            groups.setdefault((host.logs.files, str(host.zone)), []).append(host)
        else:
            beyond.append(host)
    local: list[LogSource] = [_files(hosts, config) for hosts in groups.values()]
    return local + [UnreachedSource(host.name, _why_not(host)) for host in beyond]


def _files(hosts: Sequence[Host], config: Config) -> FilesSource:
    members = [Member(one.name, one.zone, one.zone_assumed, _by_name(one, config)) for one in hosts]
    folder = os.path.abspath(config.path.parent)
    limit = config.limits.bytes_per_host
    return FilesSource(hosts[0].logs.files, members, config.owner_of, limit, folder)


def _by_name(host: Host, config: Config) -> bool:
    """A file that one host alone owns is all its own; in any other a line is whose name it bears."""
    others = [one for one in config.hosts.values() if one is not host and one.logs.place == "local"]
    return host.logs.elsewhere or any(
        one.logs.files == host.logs.files or one.logs.at.casefold() == host.name.casefold()
        for one in others
    )


def _why_not(host: Host) -> str:
    if host.logs.kind == "journald":
        return "Its log is in journald: this version reads local files only."
    return "Its log is on another machine: this version reads local files only."


class UnreachedSource:
    """A host whose log this version cannot fetch: it says so, and so the answer does."""

    def __init__(self, host: str, reason: str) -> None:
        self._host = host
        self._reason = reason

    @property
    def hosts(self) -> tuple[str, ...]:
        return (self._host,)

    async def read(self, terms: Sequence[Term], window: Window) -> Reading:
        code = Code.HOST_UNREACHABLE
        return Reading(
            (), [HostCoverage(self._host, "unreachable", code=code, reason=self._reason)]
        )
