"""A relay's queue: mails that were taken, sent on by the route table, put off, or given back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from email.utils import format_datetime
from itertools import count

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from mailtrace_mcp.demo.handover import Handed, Handover
from mailtrace_mcp.demo.logbook import LogBook, Outcome
from mailtrace_mcp.demo.notice import notice
from mailtrace_mcp.demo.queue_ids import queue_id
from mailtrace_mcp.demo.sites import LOCAL, Site
from mailtrace_parsers.events import Delays, Peer


@dataclass(frozen=True)
class Tempo:
    """Seconds: `pause` before a mail is sent on, so that its way can be watched; `backoff` before each
    further attempt, the last of them again and again."""

    pause: float = 0.7
    backoff: tuple[float, ...] = (2.0, 300.0)


@dataclass
class QueueFile:
    """A mail in the queue. `recipients`: for whom it is still to be delivered; `nrcpt`: how many at first."""

    queue_id: str
    sender: str
    recipients: list[str]
    data: bytes
    arrived: datetime
    nrcpt: int = field(init=False)

    def __post_init__(self) -> None:
        self.nrcpt = len(self.recipients)

    @property
    def message_id(self) -> str:
        """As cleanup(8) logs it: printable, `<>` where there is none."""
        said = BytesHeaderParser().parsebytes(self.data)["Message-ID"]
        text = " ".join(str(said).split()) if said else "<>"
        return "".join(char if char.isprintable() else "?" for char in text)


class Relay:
    """One host: its queue, its log, its mailboxes (address → mails, the oldest first).

    `neighbours`: name → the relay's names and its port. Lives are tasks of `tasks`.
    """

    def __init__(
        self,
        site: Site,
        log: LogBook,
        neighbours: Mapping[str, tuple[Site, int]],
        tempo: Tempo,
        tasks: TaskGroup,
    ) -> None:
        self.site, self.log = site, log
        self.mailboxes: dict[str, list[bytes]] = {}
        self._neighbours, self._tempo, self._tasks = neighbours, tempo, tasks
        self._inodes = count(1_970_201)
        self._stirring: set[str] = set()
        self._calm = anyio.Event()

    @property
    def settled(self) -> bool:
        """Whether nothing is to be expected before the longest pause is over."""
        return not self._stirring

    async def calm(self) -> None:
        """Wait until it is settled."""
        while self._stirring:
            await self._calm.wait()

    def new_id(self) -> str:
        return queue_id(datetime.now(UTC), next(self._inodes))

    def take(
        self, queue_id: str, sender: str, recipients: list[str], data: bytes, by: Peer
    ) -> None:
        """A mail that came in whole; from here on it is this relay's."""
        now = datetime.now(UTC)
        received = (
            f"Received: from {by.name} ({by.name} [{by.address}])\r\n"
            f"\tby {self.site.full_name} (relay of the demo) with ESMTP id {queue_id};\r\n"
            f"\t{format_datetime(now)}\r\n"
        )
        self._queue(QueueFile(queue_id, sender, recipients, received.encode() + data, now))

    def _queue(self, mail: QueueFile) -> None:
        self.log.message_id(mail.queue_id, mail.message_id)
        self._stirring.add(mail.queue_id)
        self._tasks.start_soon(self._live, mail)

    async def _live(self, mail: QueueFile) -> None:
        """Queue runs until nobody is left."""
        for number in count():
            active = datetime.now(UTC)
            self.log.active(mail.queue_id, mail.sender, len(mail.data), mail.nrcpt)
            await anyio.sleep(self._tempo.pause if number == 0 else 0)
            await self._run(mail, active)
            if not mail.recipients:
                self.log.removed(mail.queue_id)
                self._rest(mail)
                return
            last = len(self._tempo.backoff) - 1
            if number >= last:
                self._rest(mail)
            await anyio.sleep(self._tempo.backoff[min(number, last)])

    def _rest(self, mail: QueueFile) -> None:
        """Nothing happens to it any more, or not for long."""
        self._stirring.discard(mail.queue_id)
        if not self._stirring:
            self._calm.set()
            self._calm = anyio.Event()

    async def _run(self, mail: QueueFile, active: datetime) -> None:
        """One attempt for each recipient who is left; those refused for good are told to the sender."""
        refused: dict[str, str] = {}
        deferred: list[str] = []
        waited = (active - mail.arrived).total_seconds()
        for hop, recipients in _by_hop(self.site, mail.recipients):
            started, pid = datetime.now(UTC), self.log.pid()
            if hop == LOCAL:
                agent, handed = "local", self._deliver(recipients, mail.data)
            else:
                agent, handed = "smtp", await self._send(hop, mail, recipients)
            talked = (datetime.now(UTC) - started).total_seconds() - handed.setup
            spent = Delays(waited, (started - active).total_seconds(), handed.setup, talked)
            for recipient, end in handed.ends.items():
                self.log.attempt(agent, pid, mail.queue_id, recipient, spent, end)
            refused |= handed.refused
            deferred += handed.deferred
        mail.recipients = deferred
        # About a notice there is none (RFC 5321 6.1).
        if refused and mail.sender and self.site.next_hop(mail.sender):
            self._give_back(mail, refused)

    def _deliver(self, recipients: list[str], data: bytes) -> Handed:
        for one in recipients:
            self.mailboxes.setdefault(one.lower(), []).append(data)
        end = Outcome("local", "2.0.0", "sent", "delivered to maildir")
        return Handed(ends=dict.fromkeys(recipients, end))

    async def _send(self, hop: str, mail: QueueFile, recipients: list[str]) -> Handed:
        site, port = self._neighbours[hop]
        handover = Handover(site.peer, port, self.site.full_name)
        return await anyio.to_thread.run_sync(
            handover.go, mail.sender, tuple(recipients), mail.data
        )

    def _give_back(self, mail: QueueFile, refused: Mapping[str, str]) -> None:
        new, host = self.new_id(), self.site.full_name
        told = notice(host, new, mail.sender, mail.data, refused)
        self._queue(QueueFile(new, "", [mail.sender], told, datetime.now(UTC)))
        self.log.notified(mail.queue_id, new)


def _by_hop(site: Site, recipients: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The recipients by the next relay, in their order."""
    hops: dict[str, list[str]] = {}
    for one in recipients:
        # Who cannot be routed was refused at RCPT TO.
        hops.setdefault(site.next_hop(one) or LOCAL, []).append(one)
    yield from hops.items()
