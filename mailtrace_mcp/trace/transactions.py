"""What belongs together: one queue file's life on one host is one transaction (TRACING.md §2).

The facts of a life, read from its entries. How entries come to their lives is collate.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple, TypeVar

from mailtrace_parsers.entry import Entry
from mailtrace_parsers.events import (
    Action,
    Client,
    Delivery,
    Event,
    Expired,
    MessageId,
    Pickup,
    QueueActive,
    Removed,
    Tls,
)

Kind = TypeVar("Kind", bound=Event)


class Key(NamedTuple):
    """Which life: queue IDs are used again, so a generation counts them. Without a queue ID (a mail
    refused before it had one, a session before a proxy filter) the generation is the place of the
    first line in the host's log."""

    host: str
    queue_id: str | None
    generation: int


@dataclass(frozen=True)
class Attempt:
    """One delivery line, with the lines of the same process that explain it."""

    entry: Entry
    delivery: Delivery
    steps: tuple[Entry, ...] = ()
    tls: Tls | None = None

    @property
    def at(self) -> datetime | None:
        return self.entry.frame.at


def forwarded_as(attempt: Attempt) -> str | None:
    """The queue ID in local(8)'s `status=sent (forwarded as QID)`."""
    delivery = attempt.delivery
    if delivery.agent != "local" or delivery.status != "sent":
        return None
    words, _, queue_id = delivery.text.rpartition(" ")
    return queue_id if words == "forwarded as" else None


@dataclass(eq=False)
class Transaction:
    """What the lines of one life say, oldest first. Filled by collate.py, read by everybody else.

    `context` holds lines without this queue ID that belong here all the same: a NOQUEUE decision
    before the client line, a lost connection after it, the session of a refusal.
    """

    key: Key
    entries: list[Entry] = field(default_factory=list)
    context: list[Entry] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def host(self) -> str:
        return self.key.host

    @property
    def queue_id(self) -> str | None:
        return self.key.queue_id

    def every(self, kind: type[Kind]) -> Iterator[tuple[Entry, Kind]]:
        """The entries, context included, whose event is of one type."""
        for one in (*self.entries, *self.context):
            if isinstance(one.event, kind):
                yield one, one.event

    def first(self, kind: type[Kind]) -> Kind | None:
        return next((event for _, event in self.every(kind)), None)

    @cached_property
    def client(self) -> Client | None:
        return self.first(Client)

    @cached_property
    def pickup(self) -> Pickup | None:
        return self.first(Pickup)

    @cached_property
    def message_id(self) -> str | None:
        """cleanup's message-id, None where no line tells it; empty for a mail that has none."""
        return next(
            (event.message_id for _, event in self.every(MessageId) if not event.resent), None
        )

    @cached_property
    def active(self) -> QueueActive | None:
        """The FIRST `queue active`: the only one that counts all recipients."""
        return self.first(QueueActive)

    @cached_property
    def sender(self) -> str | None:
        """The envelope sender as the queue manager has it, or as the mail came in."""
        for event in (self.active, self.pickup, self.first(Expired)):
            if event is not None:
                return event.sender
        return next((a.sender for a in self.decisions if a.sender is not None), None)

    @cached_property
    def arrived(self) -> datetime | None:
        """When the mail came in: its client or pickup line, or cleanup's for a mail made here."""
        stamps = (self._stamp(kind) for kind in (Client, Pickup, MessageId))
        return next((at for at in stamps if at is not None), None)

    @cached_property
    def removed(self) -> Entry | None:
        """The line that ends the life of the queue file."""
        return next((entry for entry, _ in self.every(Removed)), None)

    @property
    def started(self) -> datetime | None:
        return min(self._stamps, default=None)

    @property
    def ended(self) -> datetime | None:
        return max(self._stamps, default=None)

    @property
    def label(self) -> str | None:
        """The syslog_name under which it came in. An attribute, not an identity."""
        return next((one.frame.instance for one in self.entries), None)

    @cached_property
    def decisions(self) -> tuple[Action, ...]:
        return tuple(event for _, event in self.every(Action))

    @property
    def begins(self) -> bool:
        """Whether the line that starts a life was seen: client, pickup, or cleanup's message-id."""
        return self.arrived is not None

    @property
    def _stamps(self) -> list[datetime]:
        return [one.frame.at for one in self.entries if one.frame.at is not None]

    def _stamp(self, kind: type[Kind]) -> datetime | None:
        return next((entry.frame.at for entry, _ in self.every(kind)), None)
