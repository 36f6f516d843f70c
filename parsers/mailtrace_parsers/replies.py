"""What another mail server answered, out of a delivery line or out of our own SMTP client.

The words are a stranger's. A queue ID is taken only where the vendor puts it and only if it is all
that stands there, so that words elsewhere in the answer (`Ok: queued as A relay=evil…`) name nothing.
"""

from __future__ import annotations

import re

from mailtrace_parsers.events import Peer, Reply
from mailtrace_parsers.peer import peer
from mailtrace_parsers.vendors import NOWHERE, Place, place

# RFC 5321 section 4.2 and RFC 2034; OpenSMTPD wrote a colon after the enhanced code.
_HEAD = re.compile(r"([2-5]\d\d)(?:([ -])(?:([245]\.\d{1,3}\.\d{1,3})(?::? |$))?|$)", re.ASCII)
# smtp/smtp_proto.c, smtp_sasl_glue.c: who spoke stands between the two.
_SPEECH = (
    ("host ", " said: "),
    ("host ", " refused to talk to me: "),
    ("SASL authentication failed; server ", " said: "),
    ("SASL [CACHED] authentication failed; server ", " said: "),
)
# smtp/smtp_trouble.c: nobody spoke; the second text is followed by what was being done.
_SILENCE = (("lost connection with ", " while "), ("conversation with ", " timed out while "))
# qmgr/qmgr_deliver.c, qmgr_queue.c: an earlier failure of the same destination, told again;
# smtp/smtp_trouble.c: an answer with a code that does not fit.
_PREFIXES = ("delivery temporarily suspended: ", "Protocol error: ")
_IN_REPLY = " (in reply to "


def reply(text: str) -> Reply:
    """Read an answer: the text in the parentheses of a delivery line, or an SMTP server's own words
    (lines joined by blanks, the codes kept).

    Every text gives a Reply: one without a code was no answer (`lost connection with …`).
    """
    head = _HEAD.match(text)
    if head is None:
        return _wrapped(text)
    code, separator, enhanced = head.groups()
    if code[0] != "2":
        return Reply(text, int(code), enhanced)
    found = place(text[head.end() :]) if separator == " " else _in_last_line(text, code)
    return Reply(text, int(code), enhanced, None, None, *found)


def cut_reply(text: str) -> Reply:
    """Read an answer whose end is missing: as `reply`, but a token may be cut, so that no ID is taken."""
    whole = reply(text)
    return Reply(whole.text, whole.code, whole.enhanced, whole.stage, whole.said_by)


def _in_last_line(words: str, code: str) -> Place:
    """Where an answer of several lines names what it made of the mail.

    Postfix joins the lines with blanks: `250-one 250-two 250 three`. The first `250 ` that is taken for the
    beginning of the last line: what follows must be a vendor's form as a whole, so that a later one is no ID.
    """
    _, begin, line = words.partition(f" {code} ")
    head = _HEAD.match(f"{code} {line}") if begin else None
    return place(line[head.end() - len(code) - 1 :]) if head else NOWHERE


def _wrapped(text: str) -> Reply:
    """Take off what Postfix puts around an answer: who said it, and to which command."""
    for prefix in _PREFIXES:
        text = text.removeprefix(prefix)
    for opening, said in _SPEECH:
        if speaker := _named(text, opening, said):
            stage, words = _stage(text[len(opening) :].partition(said)[2])
            head = _HEAD.match(words)
            return Reply(
                words, int(head[1]) if head else None, head[3] if head else None, stage, speaker
            )
    for opening, doing in _SILENCE:
        if speaker := _named(text, opening, doing):
            return Reply(text, stage=text.partition(doing)[2][:60], said_by=speaker)
    return Reply(text)


def _named(text: str, opening: str, closing: str) -> Peer | None:
    """The peer right behind `opening` and right before `closing`; no other text can stand between."""
    if not text.startswith(opening):
        return None
    name, found, _ = text[len(opening) :].partition(closing)
    return peer(name) if found else None


def _stage(words: str) -> tuple[str | None, str]:
    """`WORDS (in reply to COMMAND command)`: the last one is Postfix's (smtp/smtp_proto.c xfer_request)."""
    said, found, command = words.rpartition(_IN_REPLY)
    if not found or not command.endswith(")") or len(command) > 40:
        return None, words
    return command[:-1].removesuffix(" command"), said
