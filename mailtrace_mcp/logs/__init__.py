"""Where lines lie, and how to fetch few of them: what a source is asked for, and what it gives.

A source fetches; it does not understand what it fetched. It may serve one host (its files, its
journal) or many (a loghost); nobody above it sees files, offsets or connections.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from mailtrace_mcp.trace.coverage import HostCoverage, Window
from mailtrace_parsers.entry import Clock

TermKind = Literal[
    "address", "domain", "queue_id", "message_id", "process", "literal", "everything"
]


@dataclass(frozen=True)
class Term:
    """One thing to look for in the lines of `hosts` (None: all) inside `window`.

    address, domain: whatever their case; an address stands alone (`bob@example.com` is not part of
    `jimbob@example.com` nor of `bob@example.com.au`), a domain is one of a mail address: it stands
    after an `@`, whole. queue_id, message_id: exactly, as a whole token, anywhere in a line (a reply
    names the next queue ID). process: `postfix/smtp[1234]`, the tag.
    literal: these characters, anywhere. everything: each line of these hosts in the window (a listing
    of one host's mail; `text` is empty).
    """

    kind: TermKind
    text: str
    window: Window
    hosts: frozenset[str] | None = None


@dataclass(frozen=True)
class FoundLine:
    """One line as it stands in a log: bytes without 0x0A, whose log it is, and how to read its stamp.

    `order` grows with the place in that host's log, over rotated files too, so that equal stamps keep
    the order in which they were written.
    """

    host: str
    order: int
    raw: bytes
    clock: Clock
    source: str


@dataclass(frozen=True)
class Reading:
    """What a source gave: the lines that match, in order, and a coverage for every host it serves."""

    lines: Sequence[FoundLine]
    coverage: Sequence[HostCoverage]


class LogSource(Protocol):
    """The logs of one host or more. `read` gives every line that a term matches inside the term's
    window on the term's hosts, and never raises for what one host did: that stands in its coverage.
    It stops when cancelled."""

    @property
    def hosts(self) -> tuple[str, ...]: ...

    async def read(self, terms: Sequence[Term], window: Window) -> Reading: ...
