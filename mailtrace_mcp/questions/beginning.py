"""Which transactions a trace begins with, out of what is known so far."""

from __future__ import annotations

from collections.abc import Sequence

from mailtrace_mcp.questions.searching import evidence_only, newest
from mailtrace_mcp.questions.wanted import Wanted
from mailtrace_mcp.trace.graph import Graph, trails
from mailtrace_mcp.trace.recipients import is_probe
from mailtrace_mcp.trace.transactions import Key, Transaction


class Beginning:
    """The choice for a question: at most `limit` mails."""

    def __init__(self, wanted: Wanted, limit: int) -> None:
        self.wanted = wanted
        self.limit = limit

    def chosen(self, graph: Graph) -> Sequence[Key]:
        """One transaction of each of the newest trails."""
        return [trail.keys[0] for trail in trails(graph, self.meant(graph))[: self.limit]]

    def meant(self, graph: Graph) -> list[Key]:
        """Newest first: inside the window if any are; else what only names the ID."""
        hosts, aside = self.wanted.meaning.hosts, evidence_only(graph)
        here = [
            life
            for life in graph.transactions.values()
            if life.host in hosts and not is_probe(life)
        ]
        meant = [one for one in here if self.wanted.means(one)]
        meant = [one for one in meant if self._inside(one)] or meant
        meant = meant or [one for one in here if self.wanted.mentions(one)]
        return [aside.get(one.key, one.key) for one in newest(meant)]

    def _inside(self, life: Transaction) -> bool:
        window = self.wanted.meaning.scope.window
        return any(window.holds(entry.frame.at) for entry in life.entries)
