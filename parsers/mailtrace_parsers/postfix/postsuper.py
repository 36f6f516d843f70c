"""postsuper(1): what an administrator did to queue files (postsuper/postsuper.c)."""

from __future__ import annotations

from mailtrace_parsers.events import Event, Notice, Postsuper, PostsuperSummary

_ACTIONS = frozenset(("removed", "requeued", "placed on hold", "released from hold", "expired"))
_SUMMARIES = frozenset(
    (
        "Deleted",
        "Requeued",
        "Placed on hold",
        "Released from hold",
        "Force-expired",
        "Renamed to match inode number",
    )
)


def about_mail(text: str) -> Event | None:
    """Read what follows the queue ID."""
    return Postsuper(text) if text in _ACTIONS else None


def about_process(text: str) -> Event | None:
    """`Deleted: 115 messages`, written once at the end; and files that are no queue files."""
    action, _, counted = text.partition(": ")
    count, _, noun = counted.partition(" ")
    if (
        action in _SUMMARIES
        and noun in ("message", "messages")
        and count.isdecimal()
        and len(count) < 12
    ):
        return PostsuperSummary(action, int(count))
    if text.startswith(
        ("removed file ", "renamed file ", "remove directory ", "remove subdirectory ")
    ):
        return Notice("queue files", text)
    return None
