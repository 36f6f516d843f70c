"""Plain log text into entries, and a table of hosts: what the tests of the trace floor begin with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from mailtrace_mcp.trace.coverage import Coverage, HostCoverage, Window
from mailtrace_mcp.trace.endings import Ending
from mailtrace_mcp.trace.graph import Graph, Trail, build, trails
from mailtrace_mcp.trace.outcomes import endings
from mailtrace_mcp.trace.transactions import Key
from mailtrace_parsers.entry import Clock, Entry
from mailtrace_parsers.read import read

CLOCK = Clock(UTC, datetime(2026, 11, 22, tzinfo=UTC))
DAY = Window(CLOCK.reference - timedelta(days=1), CLOCK.reference)


@dataclass(frozen=True)
class Cluster:
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Names and addresses → hosts, and cluster aliases → their hosts."""

    owners: Mapping[str, str] = field(default_factory=dict)
    clusters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def owner_of(self, name_or_address: str) -> str | None:
        return self.owners.get(name_or_address.casefold())

    def cluster_of(self, name_or_address: str) -> Cluster | None:
        hosts = self.clusters.get(name_or_address.casefold())
        return Cluster(hosts) if hosts else None


TWO_HOSTS = Table(
    {
        "a": "a", "a.example.test": "a", "192.0.2.1": "a",
        "b": "b", "b.example.test": "b", "192.0.2.2": "b",
    },
    {"mx.example.test": ("a", "b")},
)  # fmt: skip


def entries(host: str, text: str) -> list[Entry]:
    """Lines of one host: `HH:MM:SS daemon[pid]: text`, all on 21 November 2026, UTC."""
    found = []
    for order, line in enumerate(filter(None, map(str.strip, text.splitlines()))):
        time, _, rest = line.partition(" ")
        raw = f"Nov 21 {time} {host} postfix/{rest}".encode()
        entry = read(raw, CLOCK, host=host, order=order, source="mail.log")
        assert entry is not None
        found.append(entry)
    return found


def graph(known: Table = TWO_HOSTS, /, **hosts: str) -> Graph:
    """The graph of the lines of several hosts."""
    return build((entry for host, text in hosts.items() for entry in entries(host, text)), known)


def coverage(*hosts: str, **states: str) -> Coverage:
    read_ = [HostCoverage(host, "read") for host in hosts if host not in states]
    other = [HostCoverage(host, state) for host, state in states.items()]  # type: ignore[arg-type]
    return Coverage(DAY, (*read_, *other))


def trail(of: Graph, host: str, queue_id: str | None, generation: int = 1) -> Trail:
    [found] = trails(of, [Key(host, queue_id, generation)])
    return found


def ends(of: Graph, host: str, queue_id: str, **states: str) -> list[Ending]:
    """The endings of the trail on which this queue ID lies."""
    return list(endings(trail(of, host, queue_id), coverage("a", "b", **states)))


def told(found: list[Ending]) -> list[tuple[str | None, str, str, str]]:
    """Recipient, outcome, end and path of each ending, as one would say it."""
    return [
        (
            one.recipient,
            one.outcome,
            one.end,
            " ".join(f"{key.host}/{key.queue_id or '-'}" for key in one.path),
        )
        for one in found
    ]
