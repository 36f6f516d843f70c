"""bounce(8), as bounce, defer and trace: notices of a mail, queued under an ID of their own.

Written by bounce/bounce_notify_service.c, bounce_notify_verp.c, bounce_one_service.c,
bounce_trace_service.c and bounce_warn_service.c.
"""

from __future__ import annotations

from typing import Literal

from mailtrace_parsers.events import Event, Notice, Notification
from mailtrace_parsers.postfix.queue_id import is_queue_id

_To = Literal["sender", "postmaster"]
_About = Literal["non-delivery", "delivery status", "delay"]
_KINDS: dict[str, tuple[_To, _About]] = {
    "sender non-delivery notification": ("sender", "non-delivery"),
    "sender delivery status notification": ("sender", "delivery status"),
    "sender delay notification": ("sender", "delay"),
    "postmaster non-delivery notification": ("postmaster", "non-delivery"),
    "postmaster delay notification": ("postmaster", "delay"),
}


def about_mail(text: str) -> Event | None:
    """Read what follows the queue ID of the mail that the notice is about."""
    kind, _, queue_id = text.partition(": ")
    known = _KINDS.get(kind)
    if known and is_queue_id(queue_id):
        return Notification(*known, queue_id)
    if text.startswith(("not sending trace/success notification", "no trace file")):
        return Notice("no notification", text)
    return None
