"""What people look for: keywords classified once, and whether a transaction has what is looked for."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Literal

from mailtrace_mcp.errors import Code, MailtraceError, visible
from mailtrace_mcp.trace.recipients import recipients
from mailtrace_mcp.trace.transactions import Transaction
from mailtrace_parsers.events import ProxyVerdict
from mailtrace_parsers.postfix.queue_id import is_queue_id

KeywordKind = Literal["address", "domain", "queue_id", "message_id", "host", "literal"]
Role = Literal["any", "sender", "recipient"]

LONGEST_KEYWORD = 512
SHORTEST_LITERAL = 3
STATUS_WORDS = (
    "sent", "deferred", "bounced", "expired", "rejected", "held", "discarded", "deleted",
    "aborted", "queued", "unknown",
)  # fmt: skip
_DOMAIN = re.compile(r"@?(?=.{1,253}$)[\w-]{1,63}(?:\.[\w-]{1,63})+\.?")
_ADDRESS = re.compile(r"[^\s<>,;@\"]{1,64}@[\w.:\[\]-]{1,255}|\"[^\"\\]{1,62}\"@[\w.-]{1,255}")


@dataclass(frozen=True)
class Keyword:
    """One thing that was asked for, with what it is. A domain is without its @; a message-id without <>."""

    kind: KeywordKind
    text: str


def classify(word: str, hosts: Collection[str]) -> Keyword:
    """What a keyword is: `hosts` are the configured names.

    Raises MailtraceError INVALID_ARGUMENT for one that would match nothing or everything, that could
    be two patterns, or that is a status.
    """
    text = word.strip()
    _check(word, text)
    if text.casefold() in {host.casefold() for host in hosts}:
        return Keyword("host", text.casefold())
    if text.startswith("<") and text.endswith(">") and len(text) > 2:
        inner = text[1:-1]
        return Keyword("message_id" if "@" in inner else "literal", inner if "@" in inner else text)
    if is_queue_id(text):
        return Keyword("queue_id", text)
    if _is_ip(text):
        return Keyword("literal", text)
    if _ADDRESS.fullmatch(text):
        return Keyword("address", text)
    if _DOMAIN.fullmatch(text):
        return Keyword("domain", text.removeprefix("@").removesuffix(".").casefold())
    if len(text) < SHORTEST_LITERAL:
        raise _refused(text, f"it has fewer than {SHORTEST_LITERAL} characters; give more of it")
    return Keyword("literal", text)


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _check(word: str, text: str) -> None:
    if not text:
        raise _refused(word, "it is empty; leave it out or give an address, a domain or an ID")
    if len(text) > LONGEST_KEYWORD:
        raise _refused(text, f"it is longer than {LONGEST_KEYWORD} characters")
    if any(char in word for char in "\r\n\0"):
        raise _refused(word, "it holds a line break or NUL; give one line")
    try:
        word.encode()
    except UnicodeEncodeError:
        raise _refused(word, "it holds half of a surrogate pair; give proper Unicode") from None
    key, _, value = text.casefold().partition("=")
    if text.casefold() in STATUS_WORDS or (key == "status" and value):
        raise _refused(text, f"use status={value or key} instead of a keyword")


def _refused(word: str, why: str) -> MailtraceError:
    return MailtraceError(Code.INVALID_ARGUMENT, f"keyword {visible(word)!r}: {why}.")


def matches(life: Transaction, keywords: Collection[Keyword], role: Role) -> bool:
    """Whether one mail on one host has all that is looked for."""
    return all(_has(life, keyword, role) for keyword in keywords)


def _has(life: Transaction, keyword: Keyword, role: Role) -> bool:
    text = keyword.text
    match keyword.kind:
        case "host":
            return life.host.casefold() == text
        case "queue_id":
            return life.queue_id == text
        case "message_id":
            return life.message_id == text
        case "address":
            wanted = text.casefold()
            if role == "any" and life.message_id == text:  # written without its angle brackets
                return True
            return any(one.casefold() == wanted for one in _addresses(life, role))
        case "domain":
            return any(one.casefold().rpartition("@")[2] == text for one in _addresses(life, role))
        case "literal":
            raw = text.encode()
            return any(raw in one.raw for one in (*life.entries, *life.context))


def _addresses(life: Transaction, role: Role) -> set[str]:
    """Every address that the lines name in this role; a sender may be known by its login too."""
    senders: set[str | None] = {life.sender}
    if life.client is not None:
        senders |= {life.client.sasl_username, life.client.sasl_sender}
    found: set[str | None] = set()
    for one in recipients(life):
        found |= {one.address, one.original}
    for action in life.decisions:
        senders.add(action.sender)
        found.add(action.recipient)
    for _, verdict in life.every(ProxyVerdict):
        senders.add(verdict.sender)
        found.add(verdict.recipient)
    both = {"sender": senders, "recipient": found, "any": senders | found}[role]
    return {one for one in both if one}
