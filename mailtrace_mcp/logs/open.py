"""The sources of a configuration: who reads which host's logs."""

from __future__ import annotations

import os
from collections.abc import Sequence

from mailtrace_mcp.config import Config, Host
from mailtrace_mcp.logs import LogSource
from mailtrace_mcp.logs.files import FilesSource
from mailtrace_mcp.logs.journal import JournalSource
from mailtrace_mcp.logs.local_journal import LocalJournal
from mailtrace_mcp.logs.plan import OwnZone, PlannedSource
from mailtrace_mcp.logs.scan import Member

# place, kind, files, time zone, and whether that is assumed
_Group = tuple[str, str, tuple[str, ...], str, bool]


def sources(config: Config) -> list[LogSource]:
    """One source for each host, or for hosts of one time zone whose lines lie in the same files or
    journal; each host of the configuration is served by exactly one of them."""
    groups: dict[_Group, list[Host]] = {}
    for host in config.hosts.values():
        logs = host.logs
        group = (logs.place, logs.kind, logs.files, str(host.zone), host.zone_assumed)
        groups.setdefault(group, []).append(host)
    return [
        _local(hosts, config) if place == "local" else _remote(hosts, config)
        for (place, *_), hosts in groups.items()
    ]


def _local(hosts: Sequence[Host], config: Config) -> LogSource:
    members, limit = _members(hosts, config), config.limits.bytes_per_host
    if hosts[0].logs.kind == "journald":
        return JournalSource(LocalJournal(), members, config.owner_of, limit)
    folder = os.path.abspath(config.path.parent)
    return FilesSource(hosts[0].logs.files, members, config.owner_of, limit, folder)


def _remote(hosts: Sequence[Host], config: Config) -> LogSource:
    # Only here, where there is such a host: paramiko takes a tenth of a second to import.
    from mailtrace_mcp.logs.ssh.in_turns import InTurns
    from mailtrace_mcp.logs.ssh.remote_journal import remote_journal
    from mailtrace_mcp.logs.ssh.remote_store import remote_store

    members, limit = _members(hosts, config), config.limits.bytes_per_host
    logs = hosts[0].logs
    holder = config.hosts[logs.place]
    source: LogSource
    if logs.kind == "journald":
        journal = remote_journal(holder, limit)
        source = JournalSource(journal, members, config.owner_of, limit)
    else:
        store = remote_store(holder, limit)
        source = PlannedSource(
            store,
            logs.files,
            members,
            config.owner_of,
            limit,
            own_zone=OwnZone(holder.name, store.zone),
        )
    return InTurns(source, holder.name)


def _members(hosts: Sequence[Host], config: Config) -> list[Member]:
    return [Member(one.name, one.zone, one.zone_assumed, by_name(one, config)) for one in hosts]


def by_name(host: Host, config: Config) -> bool:
    """A log that one host alone owns is all its own; in any other a line is whose name it bears."""
    logs = host.logs
    others = [
        one
        for one in config.hosts.values()
        if one is not host and one.logs.place == logs.place and one.logs.kind == logs.kind
    ]
    return logs.elsewhere or any(
        one.logs.files == logs.files or one.logs.at.casefold() == host.name.casefold()
        for one in others
    )
