"""cleanup(8): message-ids, header and body checks, milters, and queue files it takes back."""

from __future__ import annotations

from mailtrace_parsers.events import Event, MessageId, Notice, Removed
from mailtrace_parsers.postfix.actions import action


def about_mail(text: str) -> Event | None:
    """Read what follows the queue ID."""
    if text.startswith("message-id="):
        return MessageId(_unbracketed(text[11:]))
    if text.startswith("resent-message-id="):
        return MessageId(_unbracketed(text[18:]), resent=True)
    if text.startswith("removed ("):  # cleanup/cleanup_api.c, since 3.10: canceled, discarded
        return Removed(text[9:-1]) if text.endswith(")") else None
    if text.endswith("message not accepted, try again later"):  # cleanup/cleanup_masquerade.c
        return Notice("lookup problem", text)
    return action(text)


def _unbracketed(value: str) -> str:
    """The header's value is logged as it came (cleanup/cleanup_message.c): empty, unclosed, with blanks."""
    if value.startswith("<") and value.endswith(">"):
        return value[1:-1]
    return value
