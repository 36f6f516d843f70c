"""What may stand in a trusted field, and how a stranger's text is made harmless to show (SAFETY.md 8).

The one place of these rules. A log's text is chosen by strangers and read by an agent that can send
mail, so a trusted field holds only what has the form of what it says it is.
"""

from __future__ import annotations

import re
import unicodedata
from ipaddress import ip_address

from mailtrace_parsers.postfix import queue_id as ids

LONGEST_TEXT = 512
LONGEST_ADDRESS = 254  # RFC 5321 4.5.3.1.3, without its angle brackets
LONGEST_MESSAGE_ID = 250

# RFC 5322 3.2.3, without letters and digits: those may be of any script (RFC 6531).
_ATEXT = frozenset("!#$%&'*+-/=?^_`{|}~")
_DNS_NAME = re.compile(
    r"(?=.{1,253}\Z)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*"
    r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?",
    re.ASCII,
)
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}", re.ASCII)
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}", re.ASCII)
_DAEMON = re.compile(r"[a-z][a-z0-9_-]{0,23}", re.ASCII)
_TLS = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:+/-]{0,99}", re.ASCII)
# Letters and marks that show nothing (Default_Ignorable_Code_Point): a text can be hidden in them.
_INVISIBLE = frozenset(
    map(chr, (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x3164, 0xFFA0,
              *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)  # fmt: skip
# global/log_adhoc.c's callers, and the probes of verify(8).
STATUSES = frozenset(
    ("sent", "deferred", "bounced", "SOFTBOUNCE", "expired", "force-expired", "deliverable",
     "undeliverable", "undeliverable-but-not-cached")
)  # fmt: skip


def clean(text: str, limit: int = LONGEST_TEXT) -> str:
    """`text` in one line of at most `limit` characters, in which nothing is hidden.

    Code points of the categories C* (controls, bidi, tags, half surrogates, unassigned) and Z* (but
    the space), and letters and marks that show nothing, stand as `\\u{hex}`. A cut text ends in an
    ellipsis.
    """
    shown = [char if _is_visible(char) else f"\\u{{{ord(char):x}}}" for char in text[: limit + 1]]
    if sum(map(len, shown)) <= limit:
        return "".join(shown)
    kept, length = [], 0
    for piece in shown:
        length += len(piece)
        if length > limit - 1:
            break
        kept.append(piece)
    return "".join(kept) + "…"


def _is_visible(char: str) -> bool:
    if " " <= char <= "~":
        return True
    return unicodedata.category(char)[0] not in "CZ" and char not in _INVISIBLE


def address(text: str) -> bool:
    """Whether a text is a plain address: a local part, and a domain or address literal if it has one.

    The local part has letters and digits of any script and RFC 5322 atext, dots between; or the same
    in quotes. An empty text is none.
    """
    return len(text) <= LONGEST_ADDRESS and _is_address(text, domain_needed=False)


def message_id(text: str) -> bool:
    """Whether a text is a plain message-id: `x@y`, of the same characters as an address."""
    return len(text) <= LONGEST_MESSAGE_ID and _is_address(text, domain_needed=True)


def _is_address(text: str, domain_needed: bool) -> bool:
    local, at, domain = text.rpartition("@")
    if not at:
        return not domain_needed and _is_local_part(text)
    return _is_local_part(local) and _is_domain(domain)


def _is_local_part(text: str) -> bool:
    if len(text) > 2 and text[0] == '"' == text[-1]:
        text = text[1:-1]
    elif text.startswith(".") or text.endswith(".") or ".." in text:
        return False
    return bool(text) and all(_is_word(char) or char in _ATEXT or char == "." for char in text)


def _is_domain(text: str) -> bool:
    if text.startswith("[") and text.endswith("]"):
        return is_ip(text[1:-1].removeprefix("IPv6:"))
    return all(map(_is_label, text.removesuffix(".").split(".")))


def _is_label(text: str) -> bool:
    inside = bool(text) and text.strip("-") == text
    return inside and all(_is_word(char) or char in "-_" for char in text)


def _is_word(char: str) -> bool:
    return unicodedata.category(char)[0] in "LN" and char not in _INVISIBLE


def is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text  # a scope may be any text


def host_name(text: str) -> bool:
    """Whether a text is a plain DNS host name, a Postfix service name, or an IP address."""
    return _DNS_NAME.fullmatch(text) is not None or is_ip(text)


def enhanced_code(text: str | None) -> str | None:
    """An enhanced status code of RFC 3463, or None."""
    return text if text is not None and _ENHANCED.fullmatch(text) else None


def reply_code(code: int | None) -> int | None:
    return code if code is not None and 200 <= code <= 599 else None


def queue_id(text: str | None) -> str | None:
    """A queue ID of Postfix's own alphabets, or None."""
    return text if text is not None and ids.is_queue_id(text) else None


def label(text: str | None) -> str | None:
    """A syslog_name, or None."""
    return text if text is not None and _LABEL.fullmatch(text) else None


def daemon(text: str | None) -> str | None:
    """The name of a Postfix daemon, or None."""
    return text if text is not None and _DAEMON.fullmatch(text) else None


def status(text: str) -> str | None:
    """Postfix's word after `status=`, or None for one that it does not write."""
    return text if text in STATUSES else None


def tls(text: str | None) -> str | None:
    """A TLS summary in plain words, or None."""
    return text if text is not None and _TLS.fullmatch(text) else None
