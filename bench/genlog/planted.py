"""A mail that is known beforehand: taken by one host, relayed by others, delivered by the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.genlog.people import DOMAIN

SENDER, RECIPIENT = "planted.sender@lab.example", f"planted.recipient@{DOMAIN}"


@dataclass(frozen=True)
class Planted:
    """The mail: `queue_ids` by host in the order of its way, `lines` of each host as (second, text)."""

    message_id: str
    queue_ids: dict[str, str]
    lines: dict[str, list[tuple[float, str]]]


def planted(hosts: Sequence[str], second: float) -> Planted:
    """The mail on its way over these hosts; it arrives at the first at this second of the log."""
    # An inode over any that is drawn: no other mail has these IDs.
    ids = {host: f"ABCDE{0x700000 + number:06X}" for number, host in enumerate(hosts)}
    message_id = f"planted.{int(second)}@lab.example"
    lines: dict[str, list[tuple[float, str]]] = {}
    client = "out.lab.example[198.51.100.7]"
    at = second
    for host, following in pairwise([*hosts, None]):
        assert host is not None
        if following is None:
            agent, relay = "lmtp", f"{host}[private/dovecot-lmtp]"
            reply = f"250 2.0.0 <{RECIPIENT}> plantedSession01 Saved"
        else:
            agent, relay = "smtp", f"{following}[{_address(hosts, following)}]:25"
            reply = f"250 2.0.0 Ok: queued as {ids[following]}"
        lines[host] = _hop(at, ids[host], message_id, client, (agent, relay, reply))
        client = f"{host}[{_address(hosts, host)}]"
        at += 0.6
    return Planted(message_id, ids, lines)


def _address(hosts: Sequence[str], host: str) -> str:
    return f"10.0.0.{1 + list(hosts).index(host)}"


def _hop(
    at: float, queue_id: str, message_id: str, client: str, delivery: tuple[str, str, str]
) -> list[tuple[float, str]]:
    agent, relay, reply = delivery
    to = f"to=<{RECIPIENT}>, relay={relay}, delay=0.5, delays=0.2/0.01/0.1/0.19, dsn=2.0.0"
    return [
        (at, f"postfix/smtpd[71]: connect from {client}"),
        (at + 0.1, f"postfix/smtpd[71]: {queue_id}: client={client}"),
        (at + 0.2, f"postfix/cleanup[72]: {queue_id}: message-id=<{message_id}>"),
        (
            at + 0.3,
            f"postfix/qmgr[73]: {queue_id}: from=<{SENDER}>, size=2222, nrcpt=1 (queue active)",
        ),
        (at + 0.7, f"postfix/{agent}[74]: {queue_id}: {to}, status=sent ({reply})"),
        (at + 0.75, f"postfix/qmgr[73]: {queue_id}: removed"),
        (
            at + 0.8,
            f"postfix/smtpd[71]: disconnect from {client} ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5",
        ),
    ]
