"""smtpd(8): clients, what they were refused, and how their sessions ended (smtpd/smtpd.c)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from mailtrace_parsers.events import Client, ClientLost, Event, Notice, Session
from mailtrace_parsers.peer import peer
from mailtrace_parsers.postfix.actions import action
from mailtrace_parsers.postfix.queue_id import is_queue_id

_LOST = ("lost connection", "timeout", "too many errors")  # smtpd/smtpd.c REASON_*
# `WHAT after STAGE from PEER[: TEXT]`
_ENDINGS = frozenset((*_LOST, "improper command pipelining", "bare <LF> received"))
_FIELDS = frozenset("sasl_method sasl_username sasl_sender orig_queue_id orig_client".split())


def about_mail(text: str) -> Event | None:
    """Read what follows a queue ID or NOQUEUE. A client with NOQUEUE has `before_queue` set by the caller."""
    if text.startswith("client="):
        return client(text)
    if text.startswith("reply filter "):  # smtpd/smtpd_chat.c: … in: REPLY, … out: REPLY
        return Notice("replaced", text)
    return client_lost(text) or action(text)


def about_process(text: str) -> Event | None:
    """Read a line that names no queue file."""
    if text.startswith("connect from "):
        who = peer(text[13:])
        return Session("connect", who) if who else None
    if text.startswith("disconnect from "):
        return _disconnect(text)
    if text.startswith("proxy-"):
        return action(text)
    if text.startswith("SSL_accept error from "):
        who = peer(text[22:].partition(": ")[0])
        return ClientLost("SSL_accept error", None, who) if who else None
    if text.startswith("discarding EHLO keywords: "):
        return Notice("keywords", text)
    return client_lost(text)


def client(text: str) -> Client | None:
    """`client=PEER[, sasl_method=…, sasl_username=…, sasl_sender=…][, orig_queue_id=…][, orig_client=…]`."""
    name, comma, rest = text[7:].partition(", ")
    who = peer(name)
    if who is None:
        return None
    if not comma:
        return Client(who)
    fields = _fields(rest)
    orig_id, orig_client = fields.get("orig_queue_id"), fields.get("orig_client")
    return Client(
        who,
        fields.get("sasl_method"),
        fields.get("sasl_username"),
        fields.get("sasl_sender"),
        orig_id if orig_id and is_queue_id(orig_id) else None,
        peer(orig_client) if orig_client else None,
    )


def _fields(text: str) -> dict[str, str]:
    """By name. A login name may hold anything: a field that seems to stand twice is not told."""
    found: list[tuple[str, list[str]]] = []
    for part in text.split(", "):
        name, _, value = part.partition("=")
        if name in _FIELDS:
            found.append((name, [value]))
        elif found:  # a comma of the login name's own
            found[-1][1].append(part)
    fields = {name: ", ".join(parts) for name, parts in found}
    if len(fields) < len(found):
        seen = Counter([name for name, _ in found])
        fields = {name: value for name, value in fields.items() if seen[name] == 1}
    return fields


def client_lost(text: str) -> Event | None:
    """`lost connection after STAGE[ (N bytes)] from PEER`; with a queue ID since 3.10. And violations."""
    what, after, rest = text.partition(" after ")
    if not after or what not in _ENDINGS:
        return None
    stage, found, named = rest.partition(" from ")
    who = peer(named.partition(": ")[0])
    if not found or who is None:
        return None
    stage = stage.partition(" (")[0]
    if what in _LOST:
        return ClientLost(what, stage, who)
    return Session(what, who, None, text.partition(": ")[2], stage)


def _disconnect(text: str) -> Session | None:
    """`disconnect from PEER ehlo=1 rcpt=0/1 commands=1/2[ notes=…]`."""
    name, _, counters = text[16:].partition(" ")
    who = peer(name)
    if who is None:
        return None
    return Session(
        "disconnect", who, _commands(counters) if counters and len(counters) < 500 else None
    )


@lru_cache(maxsize=1024)
def _commands(counters: str) -> Mapping[str, tuple[int, int]] | None:
    """Accepted and seen; one number where both are the same (smtpd/smtpd.c smtpd_format_cmd_stats)."""
    commands: dict[str, tuple[int, int]] = {}
    for counter in counters.split(" "):
        command, _, numbers = counter.partition("=")
        accepted, slash, seen = numbers.partition("/")
        if accepted.isdecimal() and (seen.isdecimal() or not slash):
            commands[command] = (int(accepted), int(seen or accepted))
    return MappingProxyType(commands) if commands else None
