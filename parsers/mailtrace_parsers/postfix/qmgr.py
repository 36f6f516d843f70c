"""qmgr(8) and oqmgr(8): the queue file's life (qmgr/qmgr_active.c, qmgr/qmgr_message.c)."""

from __future__ import annotations

from mailtrace_parsers.events import Event, Expired, Notice, QueueActive, Removed

_REMOVED = Removed()
_ACTIVE = " (queue active)"
_RETURNED = ", returned to sender"


def about_mail(text: str) -> Event | None:
    """Read what follows the queue ID."""
    if text == "removed":
        return _REMOVED
    if text.startswith("from=<"):
        if text.endswith(_ACTIVE):
            return _active(text)
        if text.endswith(_RETURNED):
            return _expired(text)
    if text == "skipped, still being delivered":
        return Notice("skipped", text)
    return None


def _active(text: str) -> QueueActive | None:
    """`from=<…>, size=N, nrcpt=N (queue active)`: read from the end, where no stranger writes."""
    sender, found, counts = text[6 : -len(_ACTIVE)].rpartition(">, size=")
    size, nrcpt, number = counts.partition(", nrcpt=")
    if not (found and nrcpt and size.isdecimal() and number.isdecimal()) or len(counts) > 60:
        return None
    return QueueActive(sender, int(size), int(number))


def _expired(text: str) -> Expired | None:
    """`from=<…>, status=expired|force-expired, returned to sender`."""
    sender, _, status = text[6 : -len(_RETURNED)].rpartition(">, status=")
    if status not in ("expired", "force-expired"):
        return None
    return Expired(sender, status == "force-expired")
