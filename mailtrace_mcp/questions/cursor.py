"""The cursor of a listing: a frozen window and the last mail shown, signed.

A cursor holds for the same question only, and as long as this process lives: it says where to go on
in an answer that was given, and is no address.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from mailtrace_mcp.errors import Code, MailtraceError
from mailtrace_mcp.trace.coverage import Window
from mailtrace_mcp.trace.transactions import Key

_KEY = secrets.token_bytes(32)


@dataclass(frozen=True)
class Cursor:
    """Go on after this mail, in this window."""

    window: Window
    after: Key


def signed(cursor: Cursor, question: Sequence[object]) -> str:
    """The cursor as text, for the question (everything in it that decides which mails match)."""
    window, after = cursor.window, cursor.after
    body = json.dumps([window.start.isoformat(), window.end.isoformat(), *after]).encode()
    return urlsafe_b64encode(_signature(body, question) + body).decode()


def opened(text: str, question: Sequence[object]) -> Cursor:
    """The cursor again. Raises MailtraceError INVALID_ARGUMENT for one that is not of this question."""
    try:
        raw = urlsafe_b64decode(text.encode())
        signature, body = raw[:16], raw[16:]
        if not hmac.compare_digest(signature, _signature(body, question)):
            raise ValueError("another question's, or none of ours")
        start, end, host, queue_id, generation = json.loads(body)
    except ValueError:
        raise MailtraceError(
            Code.INVALID_ARGUMENT,
            "cursor is not one that this question was answered with; repeat the question without it.",
        ) from None
    window = Window(datetime.fromisoformat(start), datetime.fromisoformat(end))
    return Cursor(window, Key(host, queue_id, generation))


def _signature(body: bytes, question: Sequence[object]) -> bytes:
    asked = json.dumps(question, default=str).encode()
    return hmac.new(_KEY, asked + b"\0" + body, hashlib.sha256).digest()[:16]
