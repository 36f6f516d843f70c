"""smtp(8) and lmtp(8): tries that failed before the delivery line, and remarks on a connection."""

from __future__ import annotations

from mailtrace_parsers.events import Action, AttemptStep, Event, Notice
from mailtrace_parsers.peer import peer
from mailtrace_parsers.replies import reply

# `WORDS PEER: TEXT`: smtp/smtp_connect.c, tls/tls_client.c, tls/tls_verify.c
_TO_PEER = (
    "connect to ",
    "SSL_connect error to ",
    "certificate verification failed for ",
    "Untrusted certificate verification failed for ",
    "Trusted certificate verification failed for ",
)
_CHECKS = frozenset(
    "warning info filter prepend replace strip".split()
)  # smtp_proto.c smtp_hbc_logger
_CHECKED = ("header ", "body ", "mime_header ", "nested_header ")


def about_mail(text: str) -> Event | None:
    """Read what follows the queue ID: why a server or a recipient was skipped.

    The words are those that a delivery line has in its parentheses (smtp/smtp_trouble.c).
    """
    if text.startswith("breaking line > "):
        return Notice("breaking line", text)
    if text.startswith("enabling PIX workarounds: "):
        return AttemptStep(peer(text.rpartition(" for ")[2]), text)
    word, _, checked = text.partition(": ")
    if word in _CHECKS and checked.startswith(_CHECKED):
        stage, _, line = checked.partition(" ")
        return Action(word, stage, None, None, None, line)
    answer = reply(text)
    if answer.said_by is None:
        return about_process(text) or AttemptStep(None, text)
    return AttemptStep(answer.said_by, text, answer)


def about_process(text: str) -> Event | None:
    """Read a line that names no queue file: it explains the next delivery line of the same process."""
    for words in _TO_PEER:
        if text.startswith(words):
            return AttemptStep(peer(text[len(words) :].partition(": ")[0]), text)
    if text.startswith("host "):  # host PEER offers SMTPUTF8 support, but not 8BITMIME
        return AttemptStep(peer(text[5:].partition(" ")[0]), text)
    if text.startswith("discarding EHLO keywords: "):
        return Notice("keywords", text)
    return None
