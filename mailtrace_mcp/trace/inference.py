"""The links that no line names: inferred from message-id, client, time and refusals (TRACING.md §3).

Each rule takes only what is still open on both sides: a delivery that was taken and goes nowhere yet,
a transaction whose way in is unknown. Two transactions that fit are candidates, and none is chosen.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta

from mailtrace_mcp.trace.clocks import arrival_fits, handover
from mailtrace_mcp.trace.links import Confidence, Evidence, Link, LinkKind, Links
from mailtrace_mcp.trace.named import AWAY, came_from
from mailtrace_mcp.trace.names import hosts_behind, is_host, is_loopback
from mailtrace_mcp.trace.transactions import Attempt, Key, Transaction
from mailtrace_parsers.events import Action

NETWORK_AGENTS = ("smtp", "lmtp")


# With more mails of one message-id than these, their order alone says nothing about any of them.
MOST_NAMESAKES = 20


class _ByArrival:
    """Mails by the time at which they came in."""

    def __init__(self, lives: Iterable[Transaction]) -> None:
        begun = [(life.arrived, life) for life in lives if life.arrived is not None]
        begun.sort(key=lambda one: one[0])
        self.times = [arrived for arrived, _ in begun]
        self.lives = [life for _, life in begun]

    def following(
        self, attempt: Attempt, source: Transaction, links: Links, late: timedelta
    ) -> list[Transaction]:
        """Those whose way in is not known and that came in from the start of this handover on, up to
        `late` after its end; clocks may differ as far as is known of any."""
        if attempt.at is None or not self.lives:
            return []
        delays = attempt.delivery.delays
        spent = timedelta(seconds=delays.transmission if delays else attempt.delivery.delay or 0)
        slack = links.skews.widest + timedelta(seconds=3) + spent
        low = bisect_left(self.times, attempt.at - slack)
        high = bisect_right(self.times, attempt.at + slack + late)
        return [one for one in links.open_targets(self.lives[low:high]) if one is not source]


class _Namesakes:
    """The mails that share one message-id: all, by the host of ours they came from, by client address.

    One message-id may stand in thousands of mails (a stranger chooses it): each rule looks at the few
    that it may want, so that the work does not grow with the square.
    """

    def __init__(self, lives: list[Transaction], links: Links) -> None:
        self.all = _ByArrival(lives)
        from_host: dict[str, list[Transaction]] = defaultdict(list)
        from_address: dict[str, list[Transaction]] = defaultdict(list)
        for life in lives:
            if life.client is None:
                continue
            for host in hosts_behind(life.client.peer, life.host, links.known):
                from_host[host].append(life)
            if life.client.peer.address is not None:
                from_address[life.client.peer.address].append(life)
        self.from_host = {host: _ByArrival(found) for host, found in from_host.items()}
        self.from_address = {one: _ByArrival(found) for one, found in from_address.items()}


_NONE = _ByArrival(())
_AT_ONCE = timedelta(0)


def inferred_links(links: Links) -> None:
    """Add the links that follow from circumstances; the stronger rule goes first."""
    by_message: dict[str, list[Transaction]] = defaultdict(list)
    for one in links.transactions:
        if one.message_id:
            by_message[one.message_id].append(one)
    shared = {
        text: _Namesakes(lives, links) for text, lives in by_message.items() if len(lives) > 1
    }
    pairs = [
        (one, shared[one.message_id]) for one in links.transactions if one.message_id in shared
    ]
    rivals = _rivals(links, pairs)
    for source, same in pairs:
        _handed_over(source, same, links, rivals)
        _resubmitted(source, same, links)
    for source, same in pairs:
        _came_back(source, same, links)
    _ancestors(links)
    for source, same in pairs:
        if len(same.all.lives) <= MOST_NAMESAKES:
            _right_order(source, same, links)
    _refusals(links)


def _rivals(links: Links, pairs: list[tuple[Transaction, _Namesakes]]) -> Counter[Key]:
    """How many mails each arrival could be the next hop of: for more than one, none is chosen."""
    counted: Counter[Key] = Counter()
    for source, same in pairs:
        counted.update(
            {
                one.key
                for attempts in _deliveries(source, links)
                for one in _next_arrivals(attempts[0], source, same, links)
            }
        )
    return counted


def _handed_over(source: Transaction, same: _Namesakes, links: Links, rivals: Counter[Key]) -> None:
    """No ID in the reply: the same message-id, from this host, just when it was handed over."""
    for attempts in _deliveries(source, links):
        fitting = _next_arrivals(attempts[0], source, same, links)
        contested = len(fitting) == 1 and rivals[fitting[0].key] > 1
        if contested:
            orders = frozenset(one.entry.order for one in attempts)
            keys = (fitting[0].key,)
            links.add(
                Link(source.key, None, "relay", "message_id+client", "possible", orders, keys)
            )
        else:
            _choose(source, attempts, fitting, "message_id+client", "likely", links)


def _next_arrivals(
    first: Attempt, source: Transaction, same: _Namesakes, links: Links
) -> list[Transaction]:
    return [
        one
        for one in same.from_host.get(source.host, _NONE).following(first, source, links, _AT_ONCE)
        if one.client is not None
        and _may_reach(first, source, one, links)
        and came_from(one, source, links.known)
        and arrival_fits(first, one, links.skews)
    ]


def _came_back(source: Transaction, same: _Namesakes, links: Links) -> None:
    """The server that took it is not ours, and soon gave the same message-id to one of our hosts.

    Where it is ours its own lines must tell: a host that could not be read is not jumped over.
    """
    for attempts in _deliveries(source, links):
        relay = attempts[0].delivery.relay
        if hosts_behind(relay, source.host, links.known):
            continue
        taken_by = same.from_address.get((relay.address if relay else None) or "", _NONE)
        fitting = [
            one
            for one in taken_by.following(attempts[0], source, links, AWAY)
            if _follows(attempts[0], one)
        ]
        _choose(source, attempts, fitting, "message_id+client", "likely", links)


def _right_order(source: Transaction, same: _Namesakes, links: Links) -> None:
    """Only the message-id and the order speak for it: shown, never followed to an outcome."""
    for attempts in _deliveries(source, links):
        fitting = [
            one
            for one in same.all.following(attempts[0], source, links, AWAY)
            if _follows(attempts[0], one)
            and _may_reach(attempts[0], source, one, links)
            and not _came_from_another(one, source, links)
        ]
        _choose(source, attempts, fitting, "message_id+time", "possible", links)


def _resubmitted(source: Transaction, same: _Namesakes, links: Links) -> None:
    """A command or pipe that gave the mail back: Mailman, Sympa, procmail."""
    for attempt in links.open_attempts(source):
        delivery = attempt.delivery
        if delivery.agent != "pipe" and not delivery.text.startswith("delivered to command"):
            continue
        fitting = [
            one
            for one in same.all.following(attempt, source, links, AWAY)
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
    failed = [
        (source, attempt)
        for source in links.transactions
        for attempt in source.attempts
        if attempt.delivery.status != "sent" and attempt.delivery.reply is not None
    ]
    by_recipient: dict[str, list[tuple[Transaction, Attempt]]] = defaultdict(list)
    for source, attempt in failed:
        by_recipient[attempt.delivery.recipient.casefold()].append((source, attempt))
    for refusal in links.transactions:
        if refusal.active is not None or not refusal.decisions:
            continue
        for action in refusal.decisions:
            named = by_recipient.get((action.recipient or "").casefold(), [])
            for source, attempt in failed if action.recipient is None else named:
                if _same_refusal(source, attempt, action, refusal, links):
                    orders = frozenset({attempt.entry.order})
                    links.add(
                        Link(source.key, refusal.key, "refusal", "rejected_as", "proven", orders)
                    )


def _same_refusal(
    source: Transaction, attempt: Attempt, action: Action, refusal: Transaction, links: Links
) -> bool:
    """The client is the host that tried, sender and code are the same, and it was just then."""
    if source.host == refusal.host or not action.action.endswith("reject"):
        return False
    if not is_host(action.client, refusal.host, source.host, links.known):
        return False
    senders = (source.sender, action.sender)
    if None not in senders and (senders[0] or "").casefold() != (senders[1] or "").casefold():
        return False
    reply = attempt.delivery.reply
    code, enhanced = (reply.code, reply.enhanced) if reply else (None, None)
    # A milter's reply after the message is logged without its code (cleanup_milter.c).
    same = code == action.code if action.code is not None else enhanced == action.enhanced
    return same and _refused_then(attempt, refusal, links)


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
