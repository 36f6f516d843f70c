"""The context at the end of an action: `TEXT; from=<…> to=<…> proto=… helo=<…>[: DATA]`.

Written by smtpd/smtpd_check.c log_whatsup, smtpd/smtpd.c smtpd_whatsup, cleanup/cleanup_message.c,
cleanup/cleanup_milter.c, and with commas between by postscreen/postscreen_smtpd.c. Strangers choose TEXT
(in part), both addresses and DATA; HELO names have blanks, `<`, `>` and `;` taken out (NEUTER_CHARACTERS).
"""

from __future__ import annotations

from typing import NamedTuple

from mailtrace_parsers.postfix.quoting import after_quotes

_STARTS = ("; from=<", "; to=<", "; proto=")
# smtpd(8) has no recipient yet at these; a `to=<` can only be a part of the sender's address
_BEFORE_RECIPIENTS = frozenset(("CONNECT", "HELO", "EHLO", "STARTTLS", "AUTH", "MAIL"))
_NAMES_RECIPIENT = (">: Recipient address rejected", ">: Relay access denied")


class Context(NamedTuple):
    """What is known of a mail when something was decided about it; None where more than one reading fits.

    `text` is what stands before the context, `data` what follows it.
    """

    text: str
    sender: str | None = None
    recipient: str | None = None
    proto: str | None = None
    helo: str | None = None
    data: str | None = None


def context(text: str, stage: str | None = None, comma: str = "") -> Context:
    """Split a text from its context.

    A context is read where only one can begin, and where both addresses are of the form that Postfix
    gives them (quoted, or without blanks, `<`, `>` and `"`). Otherwise only a recipient that the reply itself
    names is taken.
    """
    start = _start(text)
    if start == 0:
        return Context(text.removesuffix(";"))
    if start < 0:
        return Context(text, recipient=_named_recipient(text))
    at = start + 2
    sender, at = _address(text, at, "from=<", comma)
    recipient, at = _address(text, at, "to=<", comma)
    if at < 0 or (recipient is not None and stage in _BEFORE_RECIPIENTS):
        return Context(text[:start], recipient=_named_recipient(text))
    proto, at = _word(text, at, "proto=", comma)
    helo, at = _helo(text, at)
    data = text[at + 2 :] if text.startswith(": ", at) else None
    return Context(text[:start], sender, recipient, proto, helo, data)


def _start(text: str) -> int:
    """Where `; ` of the only context stands; 0 where there is none, -1 where there could be several."""
    for begin in _STARTS:
        at = text.find(begin)
        if at >= 0:
            return at if text.find(begin, at + 1) < 0 else -1
    return 0


def _address(text: str, at: int, name: str, comma: str) -> tuple[str | None, int]:
    """`NAME<ADDRESS>` if it stands at `at`: the address, and where the next field begins; -1 for a lie."""
    if at < 0 or not text.startswith(name, at):
        return None, at
    begin = at + len(name)
    end = text.find(">", after_quotes(text, begin))
    address = text[begin:end]
    following = end + 1 + len(comma)
    if end < 0 or not _as_postfix_writes(address):
        return None, -1
    if text.startswith(": ", end + 1) or following >= len(text):
        return address, end + 1
    return (address, following + 1) if text.startswith(f"{comma} ", end + 1) else (None, -1)


def _as_postfix_writes(address: str) -> bool:
    rest = address[after_quotes(address + ">", 0) :]
    return not (" " in rest or "<" in rest or '"' in rest)


def _word(text: str, at: int, name: str, comma: str) -> tuple[str | None, int]:
    if not text.startswith(name, at):
        return None, at
    word = text[at + len(name) : at + len(name) + 40].partition(" ")[0]
    value = word.removesuffix(comma)
    return (value if value.isalnum() else None), at + len(name) + len(word) + 1


def _helo(text: str, at: int) -> tuple[str | None, int]:
    """`helo=<NAME>`; a login name may follow, or data. A name holds no blank."""
    if not text.startswith("helo=<", at):
        return None, at - 1
    begin = at + len("helo=<")
    blank = text.find(" ", begin)
    end = (len(text) if blank < 0 else blank) - 1
    if text[end] == ":":  # `helo=<NAME>: DATA`
        end -= 1
    if end < begin or text[end] != ">":
        return None, at - 1
    return text[begin:end], end + 1


def _named_recipient(text: str) -> str | None:
    """The recipient that the reply names, `554 5.7.1 <u@x>: Relay …`, if a `to=<…>` says the same."""
    opening = text.find("<")
    end = text.find(">: ", after_quotes(text, opening + 1))
    if not 0 <= opening <= 12 or end < 0 or not text.startswith(_NAMES_RECIPIENT, end):
        return None
    name = text[opening + 1 : end]
    return name if _as_postfix_writes(name) and f" to=<{name}> proto=" in text else None
