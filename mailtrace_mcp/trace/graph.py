"""The delivery graph: which transactions are one mail's trail, and where it came in.

A trail is what hangs together by links that are proven or likely. Where it came in is its root; the
notices (bounces and other DSNs) that the mail caused belong to it, with their own way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from mailtrace_mcp.trace.collate import Collated, collate
from mailtrace_mcp.trace.inference import inferred_links
from mailtrace_mcp.trace.links import NOTICE_KINDS, Link, Links
from mailtrace_mcp.trace.named import named_links, unseen_links
from mailtrace_mcp.trace.names import KnownHosts
from mailtrace_mcp.trace.transactions import Key, Transaction
from mailtrace_parsers.entry import Entry

MOST_TRANSACTIONS = 500


@dataclass(frozen=True)
class Graph:
    """Everything that is known: all transactions oldest first, all links, and the look-ups on them."""

    transactions: dict[Key, Transaction]
    rank: dict[Key, int]
    by_message_id: dict[str, tuple[Transaction, ...]]
    links: Links
    collated: Collated
    outgoing: dict[Key, tuple[Link, ...]]
    incoming: dict[Key, tuple[Link, ...]]


@dataclass(frozen=True)
class Trail:
    """One mail: where it came in (`roots`), its transactions oldest first, and the links among them.

    `cut` is true where more than MOST_TRANSACTIONS hang together: the nearest to the question stay.
    """

    graph: Graph
    roots: tuple[Key, ...]
    keys: tuple[Key, ...]
    links: tuple[Link, ...] = field(default=())
    cut: bool = False

    @property
    def transactions(self) -> tuple[Transaction, ...]:
        return tuple(self.graph.transactions[key] for key in self.keys)

    @property
    def notices(self) -> tuple[Link, ...]:
        return tuple(link for link in self.links if link.kind in NOTICE_KINDS)


def build(entries: Iterable[Entry], known: KnownHosts) -> Graph:
    """Entries of all hosts, each once and in any order, into the graph of all their mails."""
    collated = collate(entries)
    links = Links(collated.transactions, known)
    named_links(links)
    inferred_links(links)
    unseen_links(links)
    outgoing: dict[Key, list[Link]] = defaultdict(list)
    incoming: dict[Key, list[Link]] = defaultdict(list)
    for link in links.all:
        outgoing[link.source].append(link)
        if link.target is not None:
            incoming[link.target].append(link)
    same_message: dict[str, list[Transaction]] = defaultdict(list)
    for one in collated.transactions:
        if one.message_id:
            same_message[one.message_id].append(one)
    return Graph(
        {one.key: one for one in collated.transactions},
        {one.key: rank for rank, one in enumerate(collated.transactions)},
        {text: tuple(found) for text, found in same_message.items()},
        links,
        collated,
        {key: tuple(found) for key, found in outgoing.items()},
        {key: tuple(found) for key, found in incoming.items()},
    )


def trails(graph: Graph, seeds: Iterable[Key]) -> list[Trail]:
    """The trails that the seeds lie on, in the order of the seeds, each once."""
    found: list[Trail] = []
    seen: set[Key] = set()
    for seed in seeds:
        if seed in seen:
            continue
        reached, cut = _hanging_together(graph, seed)
        seen |= reached
        found.append(_trail(graph, reached, cut))
    return found


def follows(link: Link) -> bool:
    """Whether a trail goes on over this link. What is only possible is shown and not followed; a
    refusal is the other side of an attempt, and may be that of several mails."""
    return link.target is not None and link.confidence != "possible" and link.kind != "refusal"


def _hanging_together(graph: Graph, seed: Key) -> tuple[set[Key], bool]:
    """Breadth first, so that what is left out past the limit is what lies farthest from the seed."""
    reached, ring = {seed}, [seed]
    while ring:
        following: list[Key] = []
        for key in ring:
            for near in _neighbours(graph, key):
                if near in reached:
                    continue
                if len(reached) >= MOST_TRANSACTIONS:
                    return reached, True
                reached.add(near)
                following.append(near)
        ring = following
    return reached, False


def _neighbours(graph: Graph, key: Key) -> Iterable[Key]:
    for link in graph.outgoing.get(key, ()):
        if link.target is not None and follows(link):
            yield link.target
    for link in graph.incoming.get(key, ()):
        if follows(link):
            yield link.source


def _trail(graph: Graph, reached: Collection[Key], cut: bool) -> Trail:
    keys = tuple(sorted(reached, key=graph.rank.__getitem__))
    links = tuple(
        link
        for key in keys
        for link in graph.outgoing.get(key, ())
        if link.target is None or not follows(link) or link.target in reached
    )
    led_to = {link.target for link in links if follows(link)}
    roots = tuple(key for key in keys if key not in led_to)
    # A mail that loops has no beginning among its links: its oldest transaction is where it came in.
    return Trail(graph, roots or keys[:1], keys, links, cut)
