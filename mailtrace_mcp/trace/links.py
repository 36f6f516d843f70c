"""What a link is: what follows what, with its evidence (TRACING.md §3).

Never a link without evidence; where several transactions fit, all are candidates and none is chosen.
The links that lines name outright are named.py's, those from circumstances inference.py's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from mailtrace_mcp.trace.clocks import Skews
from mailtrace_mcp.trace.names import KnownHosts
from mailtrace_mcp.trace.transactions import Attempt, Key, Transaction

LinkKind = Literal[
    "relay", "reinject", "forward", "expand", "bounce", "success-dsn", "delay-dsn", "postmaster",
    "requeue", "resubmit", "refusal",
]  # fmt: skip
Evidence = Literal[
    "queued_as", "proxy_accept", "orig_queue_id", "forwarded_as", "notification", "orig_id",
    "rejected_as", "message_id+client", "resubmission", "message_id+time",
]  # fmt: skip
Confidence = Literal["proven", "likely", "possible"]

NOTICE_KINDS: tuple[LinkKind, ...] = ("bounce", "success-dsn", "delay-dsn", "postmaster")


@dataclass(frozen=True)
class Link:
    """From a transaction to the one that follows it.

    `target` is None while several `candidates` fit. `deliveries` are the places in the source host's
    log of the delivery lines that this link goes on from; empty for notices, requeues and proxies.
    `named` is a queue ID that a line names though none of its own lines was found: the target is then
    None, and nothing is claimed about it.
    """

    source: Key
    target: Key | None
    kind: LinkKind
    evidence: Evidence
    confidence: Confidence
    deliveries: frozenset[int] = frozenset()
    candidates: tuple[Key, ...] = ()
    named: str | None = None


class Links:
    """The links found so far, and which transactions have their way in."""

    def __init__(self, transactions: Sequence[Transaction], known: KnownHosts) -> None:
        self.transactions = transactions
        self.known = known
        self.skews = Skews()
        self.all: list[Link] = []
        self.explained: set[Key] = set()
        self.gone_on: set[tuple[str, int]] = set()  # delivery lines that have a link
        self.by_id: dict[str, list[Transaction]] = defaultdict(list)
        for one in transactions:
            if one.queue_id is not None:
                self.by_id[one.queue_id].append(one)

    def add(self, link: Link) -> None:
        """Keep a link. One by message-id and order alone explains nothing."""
        self.all.append(link)
        if link.evidence == "message_id+time":
            return
        self.gone_on.update((link.source.host, order) for order in link.deliveries)
        if link.target is not None:
            self.explained.add(link.target)

    def open_attempts(self, source: Transaction) -> Iterator[Attempt]:
        """Deliveries that were taken by somebody and whose way on is not known yet."""
        for attempt in source.attempts:
            taken = attempt.delivery.status == "sent" and not attempt.delivery.ambiguous
            if taken and (source.host, attempt.entry.order) not in self.gone_on:
                yield attempt

    def open_targets(self, among: Iterable[Transaction]) -> list[Transaction]:
        return [one for one in among if one.key not in self.explained and one.begins]
