"""What to ask for next, from what is known: a pure function over the graph (DESIGN.md, "A trace").

A lead is a term, the hosts that may hold it, and the window it lies in. The window follows the mail:
first the one that was asked for; where a life has no beginning or no end in it, as far as its delays
or the queue lifetime say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from mailtrace_mcp.trace.collate import followed_within
from mailtrace_mcp.trace.coverage import Window
from mailtrace_mcp.trace.fates import held
from mailtrace_mcp.trace.graph import Graph, Trail
from mailtrace_mcp.trace.names import hosts_behind
from mailtrace_mcp.trace.transactions import Attempt, Transaction, forwarded_as
from mailtrace_parsers.entry import Frame
from mailtrace_parsers.events import Client, Notification, ProxyVerdict
from mailtrace_parsers.postfix.queue_id import is_queue_id

LeadKind = Literal[
    "address", "domain", "queue_id", "message_id", "process", "literal", "everything"
]

NEAR = timedelta(minutes=5)  # clocks that differ, lines that come late
SESSION = timedelta(minutes=10)  # how far a client's session reaches around its `client=` line
# A foreign queue ID worth asking our own hosts for; anything longer or odder is no ID of theirs.


@dataclass(frozen=True)
class Lead:
    """One thing to ask for; `hosts` None means all."""

    kind: LeadKind
    text: str
    window: Window
    hosts: frozenset[str] | None = None


@dataclass
class Asked:
    """What has been asked for already, so that rounds come to an end."""

    windows: dict[tuple[str, str, frozenset[str] | None], Window] = field(default_factory=dict)

    def has(self, kind: str, text: str, hosts: frozenset[str] | None = None) -> bool:
        return (kind, text, hosts) in self.windows

    def covers(self, lead: Lead) -> bool:
        """Whether these lines were asked for: by this very term, or with everything of the window."""
        for kind, text in ((lead.kind, lead.text), ("everything", "")):
            for hosts in (None, lead.hosts):
                known = self.windows.get((kind, text, hosts))
                if known is not None and known.covers(lead.window):
                    return True
        return False

    def note(self, lead: Lead) -> None:
        key = (lead.kind, lead.text, lead.hosts)
        known = self.windows.get(key)
        self.windows[key] = known.hull(lead.window) if known else lead.window


@dataclass(frozen=True)
class Scope:
    """The window as asked, how far the question may be followed past it, and the present."""

    window: Window
    reach: timedelta
    now: datetime

    def clipped(self, start: datetime, end: datetime) -> Window:
        """A window in the allowed span; never past the present, never upside down."""
        start = max(start, self.window.start - self.reach)
        end = min(end, self.now, self.window.end + self.reach)
        return Window(min(start, end), end)


def leads(graph: Graph, found: Iterable[Trail], asked: Asked, scope: Scope) -> list[Lead]:
    """The leads of these trails that have not been asked for."""
    fresh: dict[tuple[str, str, frozenset[str] | None], Lead] = {}
    for trail in found:
        lives = [*trail.transactions, *_strangers_with_same_message_id(graph, trail)]
        for life in lives:
            for lead in _leads_of(life, graph, asked, scope):
                if not asked.covers(lead):
                    fresh[lead.kind, lead.text, lead.hosts] = lead
    for lead in _decision_leads(graph, scope):
        if not asked.covers(lead):
            fresh[lead.kind, lead.text, lead.hosts] = lead
    return list(fresh.values())


def _decision_leads(graph: Graph, scope: Scope) -> Iterator[Lead]:
    """A NOQUEUE decision is about the mail that its process names next; mail that is held then or thrown
    away may have no other line with its addresses."""
    for entry in graph.collated.undecided:
        after = followed_within(entry) + timedelta(seconds=1)
        yield from _process(entry.host, entry.frame, scope, timedelta(0), after)


def _strangers_with_same_message_id(graph: Graph, trail: Trail) -> list[Transaction]:
    """Whether they belong to the trail can only be told when their other lines are known."""
    wanted = {life.message_id for life in trail.transactions if life.message_id}
    keys = set(trail.keys)
    return [
        life
        for text in wanted
        for life in graph.by_message_id.get(text, ())
        if life.key not in keys
    ]


def _leads_of(life: Transaction, graph: Graph, asked: Asked, scope: Scope) -> Iterator[Lead]:
    span = _span(life, scope)
    if life.queue_id is not None:
        yield Lead("queue_id", life.queue_id, _own_window(life, asked, scope))
    if life.message_id:
        yield Lead("message_id", life.message_id, scope.clipped(span.start, span.end))
    for queue_id, at in _named_ids(life):
        if is_queue_id(queue_id):  # another server's stands at the head of no line of ours
            window = scope.clipped(min(at - NEAR, span.start), max(at + NEAR, span.end))
            yield Lead("queue_id", queue_id, window)
    yield from _process_leads(life, scope)
    yield from _refusal_leads(life, graph, scope)
    if _asked_for(life, asked) and life.removed is None and _may_have_been_deleted(life):
        end = (life.ended or scope.window.end) + scope.reach
        window = scope.clipped(life.started or scope.window.start, end)
        yield Lead("literal", "postsuper[", window, frozenset({life.host}))


def _span(life: Transaction, scope: Scope) -> Window:
    start, end = life.started or scope.window.start, life.ended or scope.window.end
    return scope.window.hull(Window(start - NEAR, end + NEAR))


def _own_window(life: Transaction, asked: Asked, scope: Scope) -> Window:
    """First the window as asked; once that is known, as far as an open end or beginning needs."""
    span = _span(life, scope)
    if not asked.has("queue_id", life.queue_id or ""):
        return scope.clipped(span.start, span.end)
    start, end = span.start, span.end
    if not life.begins:
        start = _earliest(life) or scope.window.start - scope.reach
    if life.removed is None:
        end = scope.window.end + scope.reach
    return scope.clipped(min(start, span.start), max(end, span.end))


def _earliest(life: Transaction) -> datetime | None:
    """When the mail came in, by the delay that its delivery lines tell."""
    began = [
        one.at - timedelta(seconds=one.delivery.delay) - NEAR
        for one in life.attempts
        if one.at is not None and one.delivery.delay is not None
    ]
    return min(began, default=None)


def _named_ids(life: Transaction) -> Iterator[tuple[str, datetime]]:
    """Queue IDs that this life's lines name, and when: the next hop's, a notice's, an ancestor's."""
    when = life.ended
    if when is None:
        return
    for attempt in life.attempts:
        reply, at = attempt.delivery.reply, attempt.at or when
        if reply is not None and reply.queue_id and attempt.delivery.status == "sent":
            yield reply.queue_id, at
        if (queue_id := forwarded_as(attempt)) is not None:
            yield queue_id, at
    for entry, notice in life.every(Notification):
        yield notice.queue_id, entry.frame.at or when
    for entry, verdict in life.every(ProxyVerdict):
        if verdict.reply.queue_id:
            yield verdict.reply.queue_id, entry.frame.at or when
    if life.client is not None and life.client.orig_queue_id:
        yield life.client.orig_queue_id, life.arrived or when
    if life.pickup is not None and life.pickup.orig_id:
        yield life.pickup.orig_id, life.arrived or when


def _process_leads(life: Transaction, scope: Scope) -> Iterator[Lead]:
    """Lines without a queue ID that explain this life: its client's session, its deliveries' steps."""
    if life.active is None:
        for entry, _ in life.every(Client):
            yield from _process(life.host, entry.frame, scope, SESSION, SESSION)
    for attempt in life.attempts:
        if attempt.delivery.agent in ("smtp", "lmtp"):
            delays = attempt.delivery.delays
            spent = delays.connection_setup + delays.transmission if delays else 0.0
            before = timedelta(seconds=spent + 1)
            yield from _process(life.host, attempt.entry.frame, scope, before, timedelta(seconds=1))


def _process(
    host: str, frame: Frame, scope: Scope, before: timedelta, after: timedelta
) -> Iterator[Lead]:
    if frame.at is not None and frame.pid is not None and frame.daemon:
        tag = f"{frame.instance}/{frame.daemon}" if frame.instance else frame.daemon
        window = scope.clipped(frame.at - before, frame.at + after)
        yield Lead("process", f"{tag}[{frame.pid}]", window, frozenset({host}))


def _refusal_leads(life: Transaction, graph: Graph, scope: Scope) -> Iterator[Lead]:
    """A failed attempt at a host of ours was logged there as a reject: the same recipient, just then."""
    for attempt in life.attempts:
        if attempt.delivery.status == "sent" or attempt.at is None or not attempt.delivery.reply:
            continue
        hosts = hosts_behind(attempt.delivery.relay, life.host, graph.links.known)
        if hosts and "@" in attempt.delivery.recipient:
            spent = timedelta(seconds=attempt.delivery.delay or 0)
            start = attempt.at - min(spent, NEAR) - NEAR
            window = scope.clipped(start, attempt.at + NEAR)
            yield Lead("address", attempt.delivery.recipient, window, frozenset(hosts))


def _asked_for(life: Transaction, asked: Asked) -> bool:
    """Whether all its lines are known: of one that only a message-id led to, most are not yet."""
    return life.queue_id is not None and asked.has("queue_id", life.queue_id)


def _may_have_been_deleted(life: Transaction) -> bool:
    """Still open: held, never tried, or put off at the last attempt."""
    if held(life) or not life.attempts:
        return True
    return any(_put_off(attempt) for attempt in life.attempts[-20:])


def _put_off(attempt: Attempt) -> bool:
    return attempt.delivery.status in ("deferred", "SOFTBOUNCE")
