"""Transactions, attempts and links as a trace tells them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mailtrace_mcp.answers import trust
from mailtrace_mcp.answers.manner import Manner
from mailtrace_mcp.answers.parts import Place
from mailtrace_mcp.answers.portion import Portion
from mailtrace_mcp.answers.screen import NOTHING, Screen, Shown
from mailtrace_mcp.answers.trace_types import DelaysSpent, DeliveryAttempt, Hop, HopLink, Step
from mailtrace_mcp.trace.links import Link
from mailtrace_mcp.trace.transactions import Attempt, Key, Transaction
from mailtrace_parsers.events import Action, AttemptStep, Delays, ProxyVerdict

REPLY = "reply"


def place(key: Key) -> Place:
    return Place(host=key.host, queue_id=trust.queue_id(key.queue_id))


def where(key: Key) -> str:
    """`csmx1 4XyZ01Ab3C`, for the words that tell where an untrusted text stood."""
    return f"{key.host} {trust.queue_id(key.queue_id) or 'without a queue ID'}"


def hop(life: Transaction, manner: Manner, portion: Portion, screen: Screen) -> Hop:
    """One queue file's life; what strangers said in it goes to the screen."""
    here = where(life.key)
    client = _client(life, screen)
    sender = screen.address(life.sender, f"envelope sender at {here}")
    login = screen.address(life.client.sasl_username if life.client else None, f"login at {here}")
    full = portion.raw_lines and manner.detail == "full"
    _decisions(life, full, screen)
    attempts = life.attempts if portion.attempts else []
    shown = Hop(
        host=life.host,
        queue_id=trust.queue_id(life.queue_id),
        label=trust.label(life.label),
        arrived=manner.local(life.arrived),
        client=client.value,
        client_ref=client.ref,
        login=login.value,
        login_ref=login.ref,
        sender=sender.value,
        sender_ref=sender.ref,
        size=life.active.size if life.active else None,
        nrcpt=life.active.nrcpt if life.active else None,
        removed=manner.local(life.removed.frame.at) if life.removed else None,
        attempts=tuple(_attempt(one, life.key, manner, portion, screen) for one in attempts),
    )
    if full:
        for entry in (*life.entries, *life.context):
            screen.keep("line", here, entry.raw.decode("utf-8", "surrogateescape"))
    return shown


def _client(life: Transaction, screen: Screen) -> Shown:
    here = where(life.key)
    if life.client is not None:
        return screen.client(life.client.peer, f"client of {here}")
    if life.pickup is not None:
        return Shown(f"uid {life.pickup.uid}", None)
    peers = (action.client for action in life.decisions if action.client is not None)
    refused = next(peers, None)
    return screen.client(refused, f"client of {here}") if refused is not None else NOTHING


def _decisions(life: Transaction, full: bool, screen: Screen) -> None:
    """What checks and milters said, and in full how the client greeted."""
    here = where(life.key)
    for entry in (*life.context, *life.entries):
        match entry.event:
            case Action() as said:
                word = trust.daemon(said.action) or "action"
                screen.keep(f"text of a {word}", f"at {here}", said.text)
                screen.keep(f"text of a {word}", f"at {here}", said.data or "")
            case ProxyVerdict() as said:
                screen.keep("answer of the before-queue filter", f"at {here}", said.reply.text)
            case _:
                continue
        if full:
            screen.keep("helo", f"at {here}", said.helo or "")


def _attempt(
    attempt: Attempt, key: Key, manner: Manner, portion: Portion, screen: Screen
) -> DeliveryAttempt:
    delivery, here = attempt.delivery, where(key)
    recipient = screen.address(delivery.recipient, f"recipient at {here}")
    original = screen.address(delivery.original_recipient, f"original recipient at {here}")
    relay = relay_of(attempt, key, screen)
    peer = delivery.relay
    steps = tuple(
        _step(entry.event, entry.frame.at, key, manner, screen)
        for entry in attempt.steps
        if portion.steps and isinstance(entry.event, AttemptStep)
    )
    return DeliveryAttempt(
        recipient=recipient.value,
        recipient_ref=recipient.ref,
        original_recipient=original.value,
        original_recipient_ref=original.ref,
        agent=trust.daemon(delivery.agent),
        relay=relay.value,
        relay_ref=relay.ref,
        relay_address=_ip(peer.address) if peer else None,
        port=peer.port if peer else None,
        dsn=trust.enhanced_code(delivery.dsn),
        status=trust.status(delivery.status),
        at=manner.local(attempt.at),
        delays=_delays(delivery.delays),
        tls=_tls(attempt),
        steps=steps or None,
        reply_ref=_reply_ref(attempt, key, manner, screen),
    )


def _reply_ref(attempt: Attempt, key: Key, manner: Manner, screen: Screen) -> str | None:
    """In short, the words of a delivery that only went on to the next host are left out."""
    text = attempt.delivery.text
    if manner.detail == "full" or attempt.delivery.status != "sent":
        return reply_ref(attempt, key, screen)
    return screen.ref_of(REPLY, text)


def relay_of(attempt: Attempt, key: Key, screen: Screen) -> Shown:
    """Who took or refused it: a server's name, else its address, or a delivery agent."""
    peer = attempt.delivery.relay
    if peer is None:
        return NOTHING
    return screen.host_name(peer.name or peer.address, f"relay of {where(key)}")


def reply_ref(attempt: Attempt, key: Key, screen: Screen) -> str | None:
    return screen.keep(REPLY, f"to {where(key)}", attempt.delivery.text)


def _delays(delays: Delays | None) -> DelaysSpent | None:
    if delays is None:
        return None
    return DelaysSpent(
        before_qmgr=delays.before_qmgr,
        in_qmgr=delays.in_qmgr,
        connection_setup=delays.connection_setup,
        transmission=delays.transmission,
    )


def _tls(attempt: Attempt) -> str | None:
    if attempt.tls is None:
        return trust.tls(attempt.delivery.tls)
    return trust.tls(f"{attempt.tls.level} {attempt.tls.version} {attempt.tls.cipher}")


def _ip(text: str | None) -> str | None:
    return text if text is not None and trust.is_ip(text) else None


def _step(
    event: AttemptStep, at: datetime | None, key: Key, manner: Manner, screen: Screen
) -> Step:
    here, peer, reply = where(key), event.peer, event.reply
    relay = screen.host_name(peer.name or peer.address if peer else None, f"relay of {here}")
    return Step(
        at=manner.local(at),
        relay=relay.value,
        relay_address=_ip(peer.address) if peer else None,
        port=peer.port if peer else None,
        code=trust.reply_code(reply.code) if reply else None,
        dsn=trust.enhanced_code(reply.enhanced) if reply else None,
        text_ref=screen.keep("step before an attempt", f"of {here}", event.text),
    )


def hop_link(link: Link, attempts: Sequence[Attempt]) -> HopLink:
    """A link; a refusal leads to no mail, so only the host that refused is told. `attempts` are those
    of its source that are told."""
    refusal = link.kind == "refusal" and link.target is not None
    taken = tuple(n for n, one in enumerate(attempts) if one.entry.order in link.deliveries)
    return HopLink(
        source=place(link.source),
        target=place(link.target) if link.target is not None and not refusal else None,
        kind=link.kind,
        evidence=link.evidence,
        confidence=link.confidence,
        attempts=taken or None,
        candidates=tuple(place(key) for key in link.candidates) or None,
        named=trust.queue_id(link.named),
        refused_by=link.target.host if link.target is not None and refusal else None,
    )
