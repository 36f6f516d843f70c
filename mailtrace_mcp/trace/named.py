"""The links that lines name outright: notices, requeues, forwards and `queued as` (TRACING.md §3)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from mailtrace_mcp.trace.clocks import UNTOLD_SKEW, handover
from mailtrace_mcp.trace.links import Confidence, Link, LinkKind, Links
from mailtrace_mcp.trace.names import KnownHosts, hosts_behind, is_host, is_loopback
from mailtrace_mcp.trace.transactions import Attempt, Transaction, forwarded_as
from mailtrace_parsers.events import Notification, ProxyVerdict

# A queue ID named by its own host may be logged by a clock that is off; beyond this it is another life.
NAMED_SKEW = timedelta(hours=1)
# How long a server that is not ours may keep a mail before it gives it back to one of our hosts.
AWAY = timedelta(hours=1)
MADE_WITHIN = 60.0  # seconds between a line and the queue file that it names on the same host
BEFORE_QUEUE = 600.0  # seconds a filter before the queue may take


def named_links(links: Links) -> None:
    """Add what the lines name outright: notices, requeues, forwards, and `queued as`."""
    for source in links.transactions:
        _notices(source, links)
        _requeue(source, links)
        _forwards(source, links)
    for source in links.transactions:
        for attempts in _by_reply(source):
            _queued_as(source, attempts, links)
        _proxied(source, links)


def unseen_links(links: Links) -> None:
    """Add what lines name and no line shows: a notice's queue ID, or the next one on a host of ours."""
    for source in links.transactions:
        for _, notice in source.every(Notification):
            if not any(one.host == source.host for one in links.by_id[notice.queue_id]):
                kind, named = notice_kind(notice), notice.queue_id
                links.add(Link(source.key, None, kind, "notification", "proven", named=named))
        for attempts in _by_reply(source):
            first, orders = attempts[0], _orders(attempts)
            ours = hosts_behind(first.delivery.relay, source.host, links.known)
            if ours and orders & _orders(links.open_attempts(source)):
                named = _next_id(first)
                links.add(
                    Link(source.key, None, "relay", "queued_as", "likely", orders, named=named)
                )


def _orders(attempts: Iterable[Attempt]) -> frozenset[int]:
    return frozenset(one.entry.order for one in attempts)


def _next_id(attempt: Attempt) -> str:
    reply = attempt.delivery.reply
    return (reply.queue_id if reply else None) or ""


def _notices(source: Transaction, links: Links) -> None:
    for entry, notice in source.every(Notification):
        target = _made_here(links.by_id[notice.queue_id], source, entry.frame.at, 0.0)
        if target is not None:
            links.add(Link(source.key, target.key, notice_kind(notice), "notification", "proven"))


def notice_kind(notice: Notification) -> LinkKind:
    if notice.to == "postmaster":
        return "postmaster"
    kinds: dict[str, LinkKind] = {"delivery status": "success-dsn", "delay": "delay-dsn"}
    return kinds.get(notice.about, "bounce")


def _requeue(target: Transaction, links: Links) -> None:
    """pickup names the queue ID that postsuper -r took the mail from."""
    if target.pickup is None or target.pickup.orig_id is None:
        return
    earlier = [
        one
        for one in links.by_id[target.pickup.orig_id]
        if one.host == target.host and _not_after(one.started, target.arrived)
    ]
    if earlier:
        links.add(Link(earlier[-1].key, target.key, "requeue", "orig_id", "proven"))


def _forwards(source: Transaction, links: Links) -> None:
    """local(8): `forwarded as QID`, an alias or a .forward (local/forward.c), on the same host."""
    groups: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in source.attempts:
        if (queue_id := forwarded_as(attempt)) is not None:
            groups[queue_id].append(attempt)
    for queue_id, attempts in groups.items():
        spent = max(one.delivery.delay or 0.0 for one in attempts)
        target = _made_here(links.by_id[queue_id], source, attempts[0].at, spent)
        if target is not None:
            many = (target.active.nrcpt if target.active else 1) > 1
            kind: LinkKind = "expand" if many else "forward"
            orders = _orders(attempts)
            links.add(Link(source.key, target.key, kind, "forwarded_as", "proven", orders))


def _by_reply(source: Transaction) -> Iterator[list[Attempt]]:
    """Attempts grouped by the reply that took them: one delivery of several recipients is one link."""
    groups: dict[tuple[str, object], list[Attempt]] = defaultdict(list)
    for attempt in source.attempts:
        delivery = attempt.delivery
        if delivery.status != "sent" or delivery.ambiguous or delivery.truncated:
            continue
        if delivery.reply is not None and delivery.reply.queue_id:
            groups[delivery.reply.queue_id, delivery.relay].append(attempt)
    yield from groups.values()


def _queued_as(source: Transaction, attempts: list[Attempt], links: Links) -> None:
    first = attempts[0]
    pool = [one for one in links.by_id[_next_id(first)] if one.key != source.key]
    at_home = hosts_behind(first.delivery.relay, source.host, links.known)
    fitting = [one for one in pool if one.host in at_home and _may_be(first, source, one)]
    if not fitting:
        fitting = [
            one
            for one in pool
            if _same_message(source, one)
            and _client_may(source, one, links)
            and follows_handover(first, one)
        ]
    fitting = _nearest(fitting, first.at)
    orders = _orders(attempts)
    if len(fitting) == 1:
        target = fitting[0]
        agreed = _same_message(source, target) or _same_sender(source, target)
        agreed = agreed or came_from(target, source, links.known)
        kind: LinkKind = "reinject" if target.host == source.host else "relay"
        sure: Confidence = "proven" if agreed else "likely"
        links.add(Link(source.key, target.key, kind, "queued_as", sure, orders))
        if agreed:
            links.skews.add(first, target)
    elif fitting:
        keys = tuple(one.key for one in fitting)
        links.add(Link(source.key, None, "relay", "queued_as", "possible", orders, keys))


def _proxied(source: Transaction, links: Links) -> None:
    """A before-queue filter's answer, passed on by smtpd(8), names the ID behind the filter."""
    for entry, verdict in source.every(ProxyVerdict):
        if not verdict.accepted or verdict.reply.queue_id is None:
            continue
        at = entry.frame.at
        pool = [
            one
            for one in links.by_id[verdict.reply.queue_id]
            if one.host == source.host and abs(_seconds(one.started, at)) <= BEFORE_QUEUE
        ]
        for target in _nearest(pool, entry.frame.at)[:1]:
            links.add(Link(source.key, target.key, "reinject", "proxy_accept", "proven"))


def came_from(target: Transaction, source: Transaction, known: KnownHosts) -> bool:
    """Whether the target's client is the source's host, by exact address or name."""
    if target.client is None:
        return target.pickup is not None and target.host == source.host
    if is_loopback(target.client.peer):
        return target.host == source.host
    return is_host(target.client.peer, target.host, source.host, known)


def _client_may(source: Transaction, target: Transaction, links: Links) -> bool:
    """Whether nothing speaks against the client: the source's host, or a server that is not ours."""
    if target.client is None or came_from(target, source, links.known):
        return True
    return not hosts_behind(target.client.peer, target.host, links.known)


def _may_be(attempt: Attempt, source: Transaction, target: Transaction) -> bool:
    """Whether the named ID may be this life: not with another message-id, and without the same one only
    where it lived about then (clocks may be off by NAMED_SKEW)."""
    ids = (source.message_id, target.message_id)
    if ids[0] and ids[1]:
        return ids[0] == ids[1]
    return abs(_seconds(target.started, attempt.at)) <= NAMED_SKEW.total_seconds()


def follows_handover(attempt: Attempt, target: Transaction) -> bool:
    """Whether it arrived after it was handed over, and not much later."""
    interval, arrived = handover(attempt, target), target.arrived
    if interval is None or arrived is None:
        return False
    return interval[0] - UNTOLD_SKEW <= arrived <= interval[1] + AWAY


def _same_message(source: Transaction, target: Transaction) -> bool:
    return bool(source.message_id) and source.message_id == target.message_id


def _same_sender(source: Transaction, target: Transaction) -> bool:
    if source.sender is None or target.sender is None:
        return False
    return source.sender.casefold() == target.sender.casefold()


def _nearest(pool: list[Transaction], at: datetime | None) -> list[Transaction]:
    """Of several generations of one queue ID the one that lived at that time; all where none can tell."""
    if len({one.key.host for one in pool}) != 1 or len(pool) < 2 or at is None:
        return pool
    near = [one for one in pool if one.started and abs(one.started - at) <= NAMED_SKEW]
    near.sort(key=lambda one: abs((one.started or at) - at))
    return near[:1] or pool


def _made_here(
    pool: list[Transaction], source: Transaction, at: datetime | None, spent: float
) -> Transaction | None:
    """The life that this host itself made then (bounce(8), local(8)): cleanup alone began it, in the
    `spent` seconds before the line that names it or a little after. The nearest of several."""
    here = [
        one
        for one in pool
        if one.host == source.host
        and one.key != source.key
        and one.client is None
        and one.pickup is None
        and -spent - MADE_WITHIN <= _seconds(one.started, at) <= MADE_WITHIN
    ]
    return min(here, key=lambda one: abs(_seconds(one.started, at)), default=None)


def _seconds(one: datetime | None, other: datetime | None) -> float:
    return (one - other).total_seconds() if one and other else 0.0


def _not_after(one: datetime | None, other: datetime | None) -> bool:
    return one is None or other is None or one <= other
