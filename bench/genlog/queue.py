"""A queue file's way through the queue manager: deliveries, retries, bounces (qmgr, smtp, lmtp, local)."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from bench.genlog.people import DOMAIN, People
from bench.genlog.replies import BOUNCED, DEFERRED, TLS, accepted

_GIVEN_UP = 20_000.0  # seconds in the queue
_QMGR = 0  # the process


@dataclass(order=True)
class Queued:
    """A queue file that is tried at second `due`; `age` is how long it has waited then."""

    due: float
    queue_id: str
    sender: str = field(compare=False)
    recipients: list[str] = field(compare=False)
    size: int = field(compare=False)
    age: float = field(default=0.0, compare=False)


class Queue:
    """`lines` are (second, text without stamp and host), in no order."""

    def __init__(self, people: People, host: str) -> None:
        self.lines: list[tuple[float, str]] = []
        self._people = people
        self._host = host
        self._waiting: list[Queued] = []

    def line(self, at: float, text: str) -> None:
        self.lines.append((at, text))

    def retry_until(self, second: float) -> None:
        """The retries that are due by then."""
        while self._waiting and self._waiting[0].due <= second:
            self.run(heapq.heappop(self._waiting))

    def run(self, queued: Queued) -> None:
        """The queue manager tries a mail: those that are deferred are left for later."""
        at = queued.due
        self.active(at, queued)
        later: list[str] = []
        failed, last = False, at
        for one in queued.recipients:
            last = at + 0.05 + self._people.random.random() * 3
            status = self._deliver(last, queued, one)
            failed = failed or status == "bounced"
            if status == "deferred":
                later.append(one)
        end = max(at + 3.2, last)
        if failed and queued.sender:
            self._bounce(end, queued)
        if later and queued.age < _GIVEN_UP:
            pause = max(300.0, queued.age * 2) + self._people.random.random() * 60
            due, age = at + pause, queued.age + pause
            again = Queued(due, queued.queue_id, queued.sender, later, queued.size, age)
            heapq.heappush(self._waiting, again)
            return
        if later:
            returned = f"from=<{queued.sender}>, status=expired, returned to sender"
            self._about(end + 0.01, "qmgr", _QMGR, queued, returned)
        self.removed(end + 0.02, queued)

    def _deliver(self, at: float, queued: Queued, recipient: str) -> str:
        """One attempt for one recipient; its status word."""
        if self._people.is_own(recipient):
            return self._deliver_here(at, queued, recipient)
        people, bits = self._people, self._people.bits
        chance = people.random.random()
        domain = recipient.rpartition("@")[2]
        relay = people.relay(domain)
        if bits(2):
            level = "Trusted" if bits(1) else "Untrusted"
            tls = f"{level} TLS connection established to {relay}: {TLS[bits(4) % 3]}"
            self.line(at - 0.03, f"postfix/smtp[{people.pid()}]: {tls}")
        spent = at - queued.due + queued.age
        if chance < 0.90:
            ending = f"sent ({accepted(people, at, domain)})"
            self.delivery(at, "smtp", queued, recipient, relay, spent + 0.4, "2.0.0", ending)
            return "sent"
        deferred = chance < 0.965
        words = DEFERRED[bits(8) % 5] if deferred else BOUNCED[bits(2)]
        reason = words.format(h=relay.removesuffix(":25"), d=domain, r=recipient)
        if reason.startswith(("connect", "Host")):
            relay = "none"
        dsn, status = ("4.7.1", "deferred") if deferred else ("5.1.1", "bounced")
        self.delivery(at, "smtp", queued, recipient, relay, spent + 1, dsn, f"{status} ({reason})")
        return status

    def _deliver_here(self, at: float, queued: Queued, recipient: str) -> str:
        """To a mailbox, an alias or another host of ours."""
        people, bits = self._people, self._people.bits
        chance, spent = people.random.random(), at - queued.due + queued.age + 0.3
        if chance < 0.6:
            relay = f"{self._host}[private/dovecot-lmtp]"
            saved = f"sent (250 2.0.0 <{recipient}> {people.word(4)}{bits(24):06x}AA Saved)"
            self.delivery(at, "lmtp", queued, recipient, relay, spent, "2.0.0", saved)
        elif chance < 0.8:
            name = f"{recipient}>, orig_to=<{'' if bits(2) else 'alias-'}{recipient}"
            self.delivery(
                at, "local", queued, name, "local", spent, "2.0.0", "sent (delivered to maildir)"
            )
        elif chance < 0.985:
            number = 1 + bits(3)
            relay = f"mx{number}.{DOMAIN}[10.0.0.{number}]:25"
            queued_as = f"sent (250 2.0.0 Ok: queued as {people.queue_id(at)})"
            self.delivery(at, "smtp", queued, recipient, relay, spent, "2.0.0", queued_as)
        else:
            unknown = f'bounced (unknown user: "{recipient}")'
            self.delivery(at, "virtual", queued, recipient, "virtual", spent, "5.1.1", unknown)
            return "bounced"
        return "sent"

    def _bounce(self, at: float, queued: Queued) -> None:
        notice = self._people.queue_id(at)
        self._about(at, "bounce", None, queued, f"sender non-delivery notification: {notice}")
        self.cleaned(at, notice, f"<{20261120000000 + int(at)}.{notice}@{self._host}>")
        self.run(Queued(at + 0.01, notice, "", [queued.sender], queued.size + 2000))

    def active(self, at: float, queued: Queued) -> None:
        counts = f"size={queued.size}, nrcpt={len(queued.recipients)} (queue active)"
        self._about(at, "qmgr", _QMGR, queued, f"from=<{queued.sender}>, {counts}")

    def removed(self, at: float, queued: Queued) -> None:
        self._about(at, "qmgr", _QMGR, queued, "removed")

    def cleaned(self, at: float, queue_id: str, message_id: str) -> None:
        text = f"postfix/cleanup[{self._people.pid()}]: {queue_id}: message-id={message_id}"
        self.line(at, text)

    def _about(self, at: float, daemon: str, number: int | None, queued: Queued, text: str) -> None:
        self.line(at, f"postfix/{daemon}[{self._people.pid(number)}]: {queued.queue_id}: {text}")

    def delivery(
        self,
        at: float,
        daemon: str,
        queued: Queued,
        to: str,
        relay: str,
        spent: float,
        dsn: str,
        end: str,
    ) -> None:
        """A delivery line (global/log_adhoc.c); `end` is the status and its text."""
        parts = (spent * 0.2, self._people.random.random() * 0.02, spent * 0.3, spent * 0.5)
        delays = "/".join(f"{part:.2g}" if part < 100 else f"{part:.0f}" for part in parts)
        delay = f"{spent:.2g}" if spent < 100 else f"{spent:.0f}"
        self._about(
            at, daemon, None, queued,
            f"to=<{to}>, relay={relay}, delay={delay}, delays={delays}, dsn={dsn}, status={end}",
        )  # fmt: skip
