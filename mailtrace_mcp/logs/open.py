"""The sources of a configuration: who reads which host's logs."""

from __future__ import annotations

import os
from collections.abc import Sequence

from mailtrace_mcp.config import Config, Host
from mailtrace_mcp.logs import LogSource
from mailtrace_mcp.logs.index import INDEXES, folder_of
from mailtrace_mcp.logs.journal import JournalSource
from mailtrace_mcp.logs.local import LocalStore
from mailtrace_mcp.logs.local_journal import LocalJournal
from mailtrace_mcp.logs.plan import OwnZone, PlannedSource
from mailtrace_mcp.logs.scan import Member
from mailtrace_mcp.logs.store import Store

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


def store_of(host: Host, config: Config, most: int) -> Store:
    """The files of the machine on which a host's lines lie; from another one, a search or a file read
    from end to end brings at most so many bytes."""
    if host.logs.place == "local":
        return LocalStore()
    # Only here, where there is such a host: paramiko takes a tenth of a second to import.
    from mailtrace_mcp.logs.ssh.remote_store import remote_store

    return remote_store(config.hosts[host.logs.place], most)


def _local(hosts: Sequence[Host], config: Config) -> LogSource:
    members, limit = _members(hosts, config), config.limits.bytes_per_host
    if hosts[0].logs.kind == "journald":
        return JournalSource(LocalJournal(), members, config.owner_of, limit)
    folder = os.path.abspath(config.path.parent)
    return _planned(hosts, config, LocalStore(), folder, None)


def _remote(hosts: Sequence[Host], config: Config) -> LogSource:
    # See store_of.
    from mailtrace_mcp.logs.ssh.in_turns import InTurns
    from mailtrace_mcp.logs.ssh.remote_journal import remote_journal
    from mailtrace_mcp.logs.ssh.remote_store import remote_store

    limit = config.limits.bytes_per_host
    holder = config.hosts[hosts[0].logs.place]
    source: LogSource
    if hosts[0].logs.kind == "journald":
        journal = remote_journal(holder, limit)
        source = JournalSource(journal, _members(hosts, config), config.owner_of, limit)
    else:
        store = remote_store(holder, limit)
        own_zone = OwnZone(holder.name, store.zone)
        source = _planned(hosts, config, store, None, own_zone)
    return InTurns(source, holder.name)


def _planned(
    hosts: Sequence[Host],
    config: Config,
    store: Store,
    folder: str | None,
    own_zone: OwnZone | None,
) -> LogSource:
    index = folder_of(config, hosts[0])
    return PlannedSource(
        store,
        hosts[0].logs.files,
        _members(hosts, config),
        config.owner_of,
        config.limits.bytes_per_host,
        folder,
        None if index is None else INDEXES.of(index),
        own_zone=own_zone,
        kept=config.index.retention,
    )


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
