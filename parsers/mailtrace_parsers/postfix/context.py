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
_WITH_RECIPIENT = frozenset(("RCPT", "VRFY"))
# what may follow the fields: data, a login name, a HELO name that could not be read
_ENDS = (": ", " sasl_", " helo=<", ", helo=<")
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
    if start is None:
        return Context(text.removesuffix(";"))
    if start < 0:
        return Context(text, recipient=_named_recipient(text))
    at = start + 1
    sender, at = _address(text, at, "from=<", comma)
    recipient, at = _address(text, at, "to=<", comma)
    if at < 0 or stage in (_WITH_RECIPIENT if recipient is None else _BEFORE_RECIPIENTS):
        return Context(text[:start], recipient=_named_recipient(text))
    proto, at = _proto(text, at, comma)
    helo, at = _helo(text, at, comma)
    if (at < len(text) and not text.startswith(_ENDS, at)) or text.find(" proto=", at) >= 0:
        return Context(text[:start], recipient=_named_recipient(text))
    data = text[at + 2 :] if text.startswith(": ", at) else None
    return Context(text[:start], sender, recipient, proto, helo, data)


def _start(text: str) -> int | None:
    """Where `; ` of the only context stands; None where there is none, -1 where there could be several."""
    for begin in _STARTS:
        at = text.find(begin)
        if at >= 0:
            return at if text.find(begin, at + 1) < 0 else -1
    return None


def _begin(text: str, at: int, name: str, comma: str) -> int:
    """Where the value of a field begins that stands right behind `at`; -1 where it does not."""
    for lead in (f" {name}", f"{comma} {name}"):
        if text.startswith(lead, at):
            return at + len(lead)
    return -1


def _address(text: str, at: int, name: str, comma: str) -> tuple[str | None, int]:
    """`NAME<ADDRESS>` if it stands behind `at`: the address, and where it ends; -1 for a lie."""
    begin = _begin(text, at, name, comma) if at >= 0 else -1
    if begin < 0:
        return None, at
    end = text.find(">", after_quotes(text, begin))
    address = text[begin:end]
    return (address, end + 1) if end >= 0 and _as_postfix_writes(address) else (None, -1)


def _as_postfix_writes(address: str) -> bool:
    rest = address[after_quotes(address + ">", 0) :]
    return not (" " in rest or "<" in rest or '"' in rest)


def _proto(text: str, at: int, comma: str) -> tuple[str | None, int]:
    begin = _begin(text, at, "proto=", comma)
    if begin < 0:
        return None, at
    word = text[begin : begin + 20].partition(" ")[0].removesuffix(",")
    return (word if word.isalnum() else None), begin + len(word)


def _helo(text: str, at: int, comma: str) -> tuple[str | None, int]:
    """`helo=<NAME>`; a login name may follow, or data. A name holds no blank."""
    begin = _begin(text, at, "helo=<", comma)
    if begin < 0:
        return None, at
    blank = text.find(" ", begin)
    word = text[begin : blank if blank >= 0 else len(text)].removesuffix(":")
    return (word[:-1], begin + len(word)) if word.endswith(">") else (None, at)


def _named_recipient(text: str) -> str | None:
    """The recipient that the reply names, `554 5.7.1 <u@x>: Relay …`, if a `to=<…>` says the same."""
    opening = text.find("<")
    end = text.find(">: ", after_quotes(text, opening + 1))
    if not 0 <= opening <= 12 or end < 0 or not text.startswith(_NAMES_RECIPIENT, end):
        return None
    name = text[opening + 1 : end]
    return name if _as_postfix_writes(name) and f" to=<{name}> proto=" in text else None
