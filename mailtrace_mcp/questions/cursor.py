"""The cursor of a listing: a frozen window and the last mail shown, signed.

A cursor holds for the same question to the same configuration only. It opens nothing that a question
could not: the signature is no secret, it tells a cursor of this question from any other text.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailtrace_mcp.errors import Code, MailtraceError
from mailtrace_mcp.trace.coverage import Window
from mailtrace_mcp.trace.transactions import Key

_KEY = b"mailtrace-mcp: cursor of query_logs, 1"


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


def opened(text: str, question: Sequence[object], widest: timedelta) -> Cursor:
    """The cursor again; its window reaches at most `widest` to both sides, as a question's does.

    Raises MailtraceError INVALID_ARGUMENT for one that is not of this question.
    """
    try:
        raw = urlsafe_b64decode(text.encode())
        signature, body = raw[:16], raw[16:]
        if not hmac.compare_digest(signature, _signature(body, question)):
            raise ValueError("another question's, or none of ours")
        start, end, host, queue_id, generation = json.loads(body)
        window = Window(datetime.fromisoformat(start), datetime.fromisoformat(end))
        if not timedelta(0) <= window.end - window.start <= 2 * widest:
            raise ValueError("a wider window than can be asked for")
    except (ValueError, TypeError):
        raise MailtraceError(
            Code.INVALID_ARGUMENT,
            "cursor is not one that this question was answered with; repeat the question without it.",
        ) from None
    return Cursor(window, Key(host, queue_id, generation))


def _signature(body: bytes, question: Sequence[object]) -> bytes:
    asked = json.dumps(question, default=str).encode()
    return hmac.new(_KEY, asked + b"\0" + body, hashlib.sha256).digest()[:16]
