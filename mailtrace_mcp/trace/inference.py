"""The links that no line names: inferred from message-id, client, time and refusals (TRACING.md §3).

Each rule takes only what is still open on both sides: a delivery that was taken and goes nowhere yet,
a transaction whose way in is unknown. Two transactions that fit are candidates, and none is chosen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta

from mailtrace_mcp.trace.clocks import arrival_fits, handover
from mailtrace_mcp.trace.links import Confidence, Evidence, Link, LinkKind, Links
from mailtrace_mcp.trace.named import came_from
from mailtrace_mcp.trace.names import hosts_behind, is_host, is_loopback
from mailtrace_mcp.trace.transactions import Attempt, Transaction
from mailtrace_parsers.events import Action

NETWORK_AGENTS = ("smtp", "lmtp")
# How long a server that is not ours may keep a mail before it gives it back to one of our hosts.
AWAY = timedelta(hours=1)


def inferred_links(links: Links) -> None:
    """Add the links that follow from circumstances; the stronger rule goes first."""
    by_message: dict[str, list[Transaction]] = defaultdict(list)
    for one in links.transactions:
        if one.message_id:
            by_message[one.message_id].append(one)
    for source in links.transactions:
        same = [one for one in by_message.get(source.message_id or "", ()) if one is not source]
        _handed_over(source, same, links)
        _resubmitted(source, same, links)
    for source in links.transactions:
        same = [one for one in by_message.get(source.message_id or "", ()) if one is not source]
        _came_back(source, same, links)
    _ancestors(links)
    for source in links.transactions:
        same = [one for one in by_message.get(source.message_id or "", ()) if one is not source]
        _right_order(source, same, links)
    _refusals(links)


def _handed_over(source: Transaction, same: list[Transaction], links: Links) -> None:
    """No ID in the reply: the same message-id, from this host, just when it was handed over."""
    for attempts in _deliveries(source, links):
        first = attempts[0]
        fitting = [
            one
            for one in links.open_targets(same)
            if came_from(one, source, links.known)
            and one.client is not None
            and _may_reach(first, source, one, links)
            and arrival_fits(first, one, links.skews)
        ]
        _choose(source, attempts, fitting, "message_id+client", "likely", links)


def _came_back(source: Transaction, same: list[Transaction], links: Links) -> None:
    """The server that took it is not ours, and soon gave the same message-id to one of our hosts."""
    for attempts in _deliveries(source, links):
        relay = attempts[0].delivery.relay
        fitting = [
            one
            for one in links.open_targets(same)
            if one.client is not None
            and relay is not None
            and relay.address is not None
            and one.client.peer.address == relay.address
            and _follows(attempts[0], one)
        ]
        _choose(source, attempts, fitting, "message_id+client", "likely", links)


def _right_order(source: Transaction, same: list[Transaction], links: Links) -> None:
    """Only the message-id and the order speak for it: shown, never followed to an outcome."""
    for attempts in _deliveries(source, links):
        fitting = [
            one
            for one in links.open_targets(same)
            if _follows(attempts[0], one)
            and _may_reach(attempts[0], source, one, links)
            and not _came_from_another(one, source, links)
        ]
        _choose(source, attempts, fitting, "message_id+time", "possible", links)


def _resubmitted(source: Transaction, same: list[Transaction], links: Links) -> None:
    """A command or pipe that gave the mail back: Mailman, Sympa, procmail."""
    for attempt in links.open_attempts(source):
        delivery = attempt.delivery
        if delivery.agent != "pipe" and not delivery.text.startswith("delivered to command"):
            continue
        fitting = [
            one
            for one in links.open_targets(same)
            if one.host == source.host
            and (one.pickup is not None or (one.client and is_loopback(one.client.peer)))
            and _follows(attempt, one)
        ]
        _choose(source, [attempt], fitting, "resubmission", "likely", links)


def _ancestors(links: Links) -> None:
    """XFORWARD names the first of the chain: the way in of a transaction that has no nearer one."""
    for target in links.transactions:
        if target.key in links.explained or target.client is None:
            continue
        named = target.client.orig_queue_id
        if named is None or named == target.queue_id:
            continue
        lived = [o for o in links.by_id[named] if _lived_before(o, target)]
        nearby = [o for o in lived if o.host == target.host] or lived
        if len(nearby) == 1:
            source = nearby[0]
            kind: LinkKind = "reinject" if source.host == target.host else "relay"
            orders = frozenset(one.entry.order for one in links.open_attempts(source))
            links.add(Link(source.key, target.key, kind, "orig_queue_id", "proven", orders))


def _refusals(links: Links) -> None:
    """A reject here is the same event as the failed attempt of the host of ours that tried."""
    failed: dict[str, list[tuple[Transaction, Attempt]]] = defaultdict(list)
    for source in links.transactions:
        for attempt in source.attempts:
            if attempt.delivery.status != "sent":
                failed[attempt.delivery.recipient.casefold()].append((source, attempt))
    for refusal in links.transactions:
        if refusal.queue_id is None:
            for link in _refused(refusal, failed, links):
                links.add(link)


def _refused(
    refusal: Transaction, failed: dict[str, list[tuple[Transaction, Attempt]]], links: Links
) -> Iterator[Link]:
    for _, action in refusal.every(Action):
        if action.code is None or action.client is None or action.recipient is None:
            continue
        for source, attempt in failed.get(action.recipient.casefold(), ()):
            tried = is_host(action.client, refusal.host, source.host, links.known)
            if (
                tried
                and source.host != refusal.host
                and _same_refusal(attempt, action, refusal, links)
            ):
                orders = frozenset({attempt.entry.order})
                yield Link(source.key, refusal.key, "refusal", "rejected_as", "proven", orders)


def _same_refusal(attempt: Attempt, action: Action, refusal: Transaction, links: Links) -> bool:
    delivery = attempt.delivery
    if delivery.reply is None or delivery.reply.code != action.code:
        return False
    return _refused_then(attempt, refusal, links)


def _refused_then(attempt: Attempt, refusal: Transaction, links: Links) -> bool:
    interval, at = handover(attempt, refusal), refusal.started
    if interval is None or at is None:
        return False
    skew = links.skews.between(attempt.entry.host, refusal.host)
    # The reject is logged within the whole delivery, connection set-up included.
    setup = attempt.delivery.delays.connection_setup if attempt.delivery.delays else 0.0
    return interval[0] - timedelta(seconds=setup) + skew.low <= at <= interval[1] + skew.high


def _deliveries(source: Transaction, links: Links) -> Iterator[list[Attempt]]:
    """Open network deliveries; the recipients that one reply took together are one delivery."""
    groups: dict[tuple[object, ...], list[Attempt]] = defaultdict(list)
    for attempt in links.open_attempts(source):
        delivery = attempt.delivery
        if delivery.agent in NETWORK_AGENTS:
            groups[delivery.relay, delivery.text, attempt.entry.frame.pid, attempt.at].append(
                attempt
            )
    yield from groups.values()


def _choose(
    source: Transaction,
    attempts: list[Attempt],
    fitting: list[Transaction],
    evidence: Evidence,
    confidence: Confidence,
    links: Links,
) -> None:
    fitting = _sharing_recipients(attempts, fitting)
    if not fitting:
        return
    orders = frozenset(one.entry.order for one in attempts)
    host = fitting[0].host
    kind: LinkKind = "reinject" if host == source.host else "relay"
    if evidence == "resubmission":
        active = fitting[0].active
        kind = "expand" if active is not None and active.nrcpt > 1 else "resubmit"
    if len(fitting) == 1:
        links.add(Link(source.key, fitting[0].key, kind, evidence, confidence, orders))
    else:
        keys = tuple(one.key for one in fitting)
        links.add(Link(source.key, None, kind, evidence, "possible", orders, keys))


def _sharing_recipients(attempts: list[Attempt], fitting: list[Transaction]) -> list[Transaction]:
    """Where several fit, those that name a recipient of this delivery."""
    if len(fitting) < 2:
        return fitting
    wanted = {one.delivery.recipient.casefold() for one in attempts}
    sharing = [
        one
        for one in fitting
        if wanted
        & {
            name.casefold()
            for a in one.attempts
            for name in (a.delivery.recipient, a.delivery.original_recipient)
            if name
        }
    ]
    return sharing or fitting


def _may_reach(attempt: Attempt, source: Transaction, target: Transaction, links: Links) -> bool:
    """Whether the relay may be the target's host: it is, or it is a server that is not ours."""
    reached = hosts_behind(attempt.delivery.relay, source.host, links.known)
    return not reached or target.host in reached


def _came_from_another(target: Transaction, source: Transaction, links: Links) -> bool:
    """The client is one of our hosts, and not this one; or it is this program's own submission."""
    if target.client is None:
        return True
    owners = hosts_behind(target.client.peer, target.host, links.known)
    return bool(owners) and source.host not in owners


def _follows(attempt: Attempt, target: Transaction) -> bool:
    interval, arrived = handover(attempt, target), target.arrived
    if interval is None or arrived is None:
        return False
    return interval[0] <= arrived <= interval[1] + AWAY


def _lived_before(source: Transaction, target: Transaction) -> bool:
    if source.key == target.key or source.started is None or target.arrived is None:
        return False
    return source.started <= target.arrived + timedelta(minutes=1)
