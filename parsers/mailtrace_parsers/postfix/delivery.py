"""Delivery lines: `to=<…>[, orig_to=<…>], relay=…, …, dsn=…, status=WORD (TEXT)`, from any daemon.

Written in one place, global/log_adhoc.c. The recipient before the relay and the text after the status
are chosen by strangers; what stands between them is Postfix's own, and is read by name. Since 3.5
(global/info_log_addr_form.c) addresses are logged with their local part quoted; before that, or with
`info_log_address_format = internal`, an address may look like the rest of the line.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mailtrace_parsers.events import AllDeferred, Delays, Delivery, Peer, Reply
from mailtrace_parsers.peer import peer
from mailtrace_parsers.postfix.quoting import after_quotes
from mailtrace_parsers.replies import cut_reply, reply

# recipient, original recipient, relay, conn_use, delay, delays, tls, dsn, status; empty for none
_Parts = tuple[str, ...]

# What nearly every line looks like since 2.3: no quotes, no comma in a field, and log_adhoc's order.
# `_scanned` reads these lines too (a test holds one against the other), in twice the time.
_PLAIN = re.compile(
    r'to=<([^",>]*)>(?:, orig_to=<([^",>]*)>)?, relay=([^,]*)(?:, conn_use=([^,]{0,20}))?'
    r", delay=([^,]{0,20}), delays=([^,]{0,80})(?:, tls=([^,]*))?, dsn=([^,]{0,20}), status=([^ ]*) \("
)
_DELAY = re.compile(r"\d{1,9}(?:\.\d{1,6})?", re.ASCII)
_NUMBER = re.compile(r"\d{1,7}", re.ASCII)
_DSN = re.compile(r"[245]\.\d{1,3}\.\d{1,3}", re.ASCII)
_WORDS = frozenset(
    # global/bounce.c, defer.c, sent.c, verify.c; SOFTBOUNCE: bounce.c under soft_bounce
    "sent deferred bounced SOFTBOUNCE deliverable undeliverable undeliverable-but-not-cached".split()
)
_FIELDS = ("relay", "conn_use", "delay", "delays", "tls", "dsn")
_LONGEST_FIELD = 400  # characters; no relay has more (peer.py)
_STATUS = ", status="
_OPENING = ('"', "@")
_NEXT = (">, relay=", ">, orig_to=<")


def delivery(agent: str, text: str) -> Delivery | None:
    """Read what follows the queue ID; `agent` is the daemon that wrote it.

    None where it is no delivery: no status word that Postfix has, followed by ` (`, can be found (a record
    may be cut anywhere), or more than one reading fits and they differ in how it ended.
    """
    plain = _PLAIN.match(text)
    found = (plain.groups(""), plain.end(), plain.end()) if plain else _scanned(text)
    if found is None:
        return None
    (recipient, original, relay_text, uses, delay, delays, tls, dsn, status), start, begin = found
    others = _other_endings(text, start)
    if status not in _WORDS or (others and others != {status}):
        return None
    truncated = not text.endswith(")")
    reason = text[begin:] if truncated else text[begin:-1]
    relay = None if others else _relay(relay_text)
    return Delivery(
        agent, recipient, original or None, relay,
        int(uses) if _NUMBER.fullmatch(uses) else None, _seconds(delay), _delays(delays),
        tls or None, _dsn(dsn), status, reason, _reply(relay, reason, truncated), bool(others),
        truncated,
    )  # fmt: skip


def all_deferred(text: str) -> AllDeferred | None:
    """`status=deferred (bounce failed)`, without to= (global/bounce.c, abounce.c)."""
    if text.startswith("status=deferred (") and text.endswith(")"):
        return AllDeferred(text[17:-1])
    return None


def _scanned(text: str) -> tuple[_Parts, int, int] | None:
    """Any delivery line: its parts, where `relay=` begins, and where the text in the parentheses does."""
    addresses = _addresses(text) if text.startswith("to=<") else _bare_addresses(text)
    if addresses is None:
        return None
    recipient, original, start = addresses
    middle = text.find(_STATUS, start)
    # by name: which of them stand there, and in which order, differs between versions
    pairs = [pair.partition("=") for pair in text[start:middle].split(", ")]
    fields = {name: value for name, _, value in pairs if len(value) <= _LONGEST_FIELD}
    word, bracket, _ = text[middle + len(_STATUS) :].partition(" (")
    if middle < 0 or not bracket:
        return None
    named = (fields.get(name, "") for name in _FIELDS)
    return (recipient, original, *named, word), start, middle + len(_STATUS) + len(word) + 2


# Two digits of precision (global/log_adhoc.c): the same few numbers come again and again.
@lru_cache(maxsize=8192)
def _seconds(text: str) -> float | None:
    return float(text) if _DELAY.fullmatch(text) else None


def _delays(text: str) -> Delays | None:
    """`a/b/c/d`."""
    four = tuple(map(_seconds, text.split("/", 4)))
    return Delays._make(four) if len(four) == 4 and None not in four else None


@lru_cache(maxsize=1024)
def _dsn(text: str) -> str | None:
    return text if _DSN.fullmatch(text) else None


def _addresses(text: str) -> tuple[str, str, int] | None:
    """The recipient, the original recipient, and where `relay=` begins."""
    end = _address_end(text, 4)
    start = end + 3
    if end < 0 or text.startswith("relay=", start):
        return (text[4:end], "", start) if end >= 0 else None
    original_end = _address_end(text, start + 9)
    if original_end < 0 or not text.startswith("relay=", original_end + 3):
        return None
    return text[4:end], text[start + 9 : original_end], original_end + 3


def _address_end(text: str, start: int) -> int:
    """Where the `>` stands that closes an address: after its quoted local part, and before the next field."""
    at = after_quotes(text, start) if text.startswith(_OPENING, start) else start
    while (at := text.find(">, ", at)) >= 0:
        if text.startswith(_NEXT, at):
            return at
        at += 3
    return -1


def _bare_addresses(text: str) -> tuple[str, str, int] | None:
    """The form of Postfix before 2.0: `to=user@host, orig_to=user@host, relay=…`."""
    relay = text.find(", relay=")
    if not text.startswith("to=") or relay < 0:
        return None
    recipient, _, original = text[3:relay].partition(", orig_to=")
    return recipient, original, relay + 2


def _other_endings(text: str, start: int) -> set[str] | None:
    """The status words of other readings: where a later `>, relay=` could be the real one."""
    at = text.find(">, relay=", start)
    if at < 0:
        return None
    words: set[str] = set()
    while at >= 0 and (at := text.find(_STATUS, at)) >= 0:
        at += len(_STATUS)
        words.add(text[at : at + 40].partition(" ")[0])
        at = text.find(">, relay=", at)
    return words


def _relay(text: str) -> Peer | None:
    """`NAME[ADDRESS]:PORT`, `HOST[private/socket]`, or a name alone: local, virtual, none, a pipe service."""
    if "]" in text:
        return peer(text)
    return Peer(text) if text else None


def _reply(relay: Peer | None, reason: str, truncated: bool) -> Reply | None:
    """What the other server said. A command's output or a table's text (local, pipe, error) is none."""
    if relay is None or not (relay.address or relay.socket or relay.name == "none"):
        return None
    answer = cut_reply(reason) if truncated else reply(reason)
    return answer if answer.code or answer.said_by else None
