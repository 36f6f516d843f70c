"""What the audit file says of a send and of a refusal. Pure; no secret and no server's words in it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from mailtrace_mcp.errors import MailtraceError, visible
from mailtrace_mcp.send.attempts import Attempt, Peer
from mailtrace_mcp.send.compose import Mail
from mailtrace_mcp.send.request import SendRequest

By = Literal["agent", "operator"]
_MOST_ADDRESSES = 50


def begin_entry(mail: Mail, peer: Peer, by: By, at: datetime) -> dict[str, object]:
    """A server is about to be asked to take a mail. Where no `send` with the same Message-ID follows, the
    program was ended before it knew what came of it: the server may have the mail."""
    return {"at": _stamp(at), "event": "begin", "by": by, **_what(mail, peer, peer.profile)}


def send_entry(
    attempt: Attempt, peer: Peer | None, profile: str, by: By, at: datetime
) -> dict[str, object]:
    """What came of one attempt at one mail. `at` is when it ended; `profile` the one that was asked for,
    where no connection has another."""
    failure = attempt.failure
    return {
        "at": _stamp(at),
        "event": "send",
        "by": by,
        **_what(attempt.mail, peer, peer.profile if peer is not None else profile),
        "refused": [one.recipient.spec for one in attempt.refused],
        "outcome": attempt.outcome,
        "queue_id": attempt.queue_id,
        "stage": failure.stage if failure is not None else None,
        "code": failure.code if failure is not None else None,
        "status_code": attempt.code_for(attempt.mail.recipients[0]),
    }


def _what(mail: Mail, peer: Peer | None, profile: str) -> dict[str, object]:
    tls = peer.tls if peer is not None else None
    return {
        "profile": profile,
        "server": peer.server if peer is not None else None,
        "tls": tls.version if tls is not None else None,
        "verified": tls.verified if tls is not None else False,
        "message_id": mail.message_id,
        "sender": mail.sender.spec,
        "recipients": [one.spec for one in mail.recipients],
    }


def refusal_entry(
    error: MailtraceError, request: SendRequest, by: By, at: datetime
) -> dict[str, object]:
    """A request that was not begun. What was asked for stands in it as it can be shown, not at length."""
    asked = (*(request.to or ()), *request.cc, *request.bcc)
    return {
        "at": _stamp(at),
        "event": "refused",
        "by": by,
        "code": error.code,
        "reason": error.message,
        "profile": None if request.profile is None else visible(request.profile),
        "sender": None if request.sender is None else visible(request.sender),
        "recipients": [visible(one, 254) for one in asked[:_MOST_ADDRESSES]],
        "more_recipients": len(asked) - _MOST_ADDRESSES if len(asked) > _MOST_ADDRESSES else None,
    }


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
