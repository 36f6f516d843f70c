"""pickup(8): mail from sendmail(1), and requeued mail (pickup/pickup.c)."""

from __future__ import annotations

from mailtrace_parsers.events import Event, Pickup
from mailtrace_parsers.postfix.queue_id import is_queue_id


def about_mail(text: str) -> Event | None:
    """`uid=N from=<…>[ orig_id=QID]`; a sender that looks like the end of the line ends with `>`."""
    uid, found, rest = text.removeprefix("uid=").partition(" from=<")
    if not found or not text.startswith("uid=") or not uid.isdecimal() or len(uid) > 12:
        return None
    if rest.endswith(">"):
        return Pickup(int(uid), rest[:-1])
    sender, found, orig_id = rest.rpartition("> orig_id=")
    return Pickup(int(uid), sender, orig_id) if found and is_queue_id(orig_id) else None
