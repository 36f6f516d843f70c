"""What came into a set of hosts, and what of it has not ended. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from mailtrace_mcp.trace.coverage import Window
from mailtrace_mcp.trace.endings import Ending
from mailtrace_mcp.trace.graph import Graph, follows
from mailtrace_mcp.trace.latency import FINAL
from mailtrace_mcp.trace.links import NOTICE_KINDS
from mailtrace_mcp.trace.transactions import Key, Transaction


def came_in(graph: Graph, hosts: Collection[str], window: Window) -> list[Transaction]:
    """The transactions by which mails came into `hosts` within the window, from outside or as mail of
    their own: no other transaction of these hosts hands the mail to them."""
    return [
        life
        for life in graph.transactions.values()
        if life.host in hosts
        and life.started is not None
        and window.holds(life.started)
        and not _from_within(graph, life.key, hosts)
    ]


def _from_within(graph: Graph, key: Key, hosts: Collection[str]) -> bool:
    return any(
        link.source.host in hosts and (follows(link) or link.kind in NOTICE_KINDS)
        for link in graph.incoming.get(key, ())
    )


@dataclass(frozen=True)
class Stop:
    """Where a mail stands for `recipients` of it, whose outcomes are not final."""

    key: Key
    outcome: str
    reason: str | None
    recipients: int


def stops(endings: Iterable[Ending]) -> list[Stop]:
    """One for each place and reason."""
    found: dict[tuple[Key, str, str | None], int] = {}
    for one in endings:
        if one.outcome not in FINAL:
            place = one.key, one.outcome, one.reason
            found[place] = found.get(place, 0) + one.count
    return [Stop(*place, count) for place, count in found.items()]
