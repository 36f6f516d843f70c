"""The mail servers of the world outside: an address each, and each its vendor's words.

Every mail that was taken is kept in /var/spool/lab, so that a test can see what really arrived.
`down.example.com` is nobody: its address exists and nothing listens there.
"""

import asyncio
import itertools
import json
import time
from pathlib import Path

from smtp_session import Envelope, Policy, listen

KEPT = Path("/var/spool/lab")
NUMBERS = itertools.count(1)


def keep(server: str, envelope: Envelope, reply: str) -> None:
    """Write down what was taken and what was answered."""
    record = vars(envelope) | {"data": envelope.data.decode("utf-8", "surrogateescape")}
    text = json.dumps(record | {"server": server, "reply": reply})
    (KEPT / f"outside.{next(NUMBERS):05d}.json").write_text(text)


class Outside(Policy):
    """Takes everything, except for people who by their name are not there or have no room."""

    async def recipient(self, envelope: Envelope, recipient: str) -> str:
        person = recipient.partition("@")[0]
        if person == "full":
            return f"452 4.2.2 <{recipient}>: Mailbox full"
        if person == "nosuch":
            return f"550 5.1.1 <{recipient}>: Recipient address rejected: User unknown"
        return "250 2.1.5 Ok"

    async def message(self, envelope: Envelope) -> str:
        reply = self.accepted(next(NUMBERS), envelope)
        keep(self.name, envelope, reply)
        return reply

    def accepted(self, number: int, envelope: Envelope) -> str:
        """The vendor's words for "I have it"."""
        return f"250 2.0.0 Ok: queued as {0x4C8F100000 + number:X}"


class GmailLike(Outside):
    name = "mail.example.net"

    def accepted(self, number: int, envelope: Envelope) -> str:
        mark = f"d2e1a72fcca58-7c3f{number:06x}si8123456b3a.{number}"
        return f"250 2.0.0 OK  {int(time.time())} {mark} - gsmtp"


class ExchangeLike(Outside):
    name = "mail.example.com"

    async def recipient(self, envelope: Envelope, recipient: str) -> str:
        if recipient.partition("@")[0] == "nosuch":
            said = "RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"
            return f"550 5.1.10 {said}"
        return await super().recipient(envelope, recipient)

    def accepted(self, number: int, envelope: Envelope) -> str:
        marks = f"[InternalId={8100000000000 + number}, Hostname=MBX1.example.com]"
        speed = f"{len(envelope.data)} bytes in 0.102, 61.4 KB/sec"
        said = f"<{number:08x}@MBX1.example.com> {marks} {speed} Queued mail for delivery"
        return f"250 2.6.0 {said}"


class Greylisting(Outside):
    """Sends everybody away once, and until some seconds have passed."""

    name = "gray.example.org"
    seconds = 10.0

    def __init__(self) -> None:
        self.first_seen: dict[tuple[str, str], float] = {}

    async def recipient(self, envelope: Envelope, recipient: str) -> str:
        first = self.first_seen.setdefault((envelope.sender, recipient), time.monotonic())
        if time.monotonic() - first < self.seconds:
            return f"450 4.2.0 <{recipient}>: Recipient address rejected: Greylisted, see https://greylist.example.org/{recipient}"
        return await super().recipient(envelope, recipient)


class Refusing(Outside):
    name = "refuse.example.com"

    async def recipient(self, envelope: Envelope, recipient: str) -> str:
        said = "Recipient address rejected: User unknown in local recipient table"
        return f"550 5.1.1 <{recipient}>: {said}"


# The same addresses as in hosts.py.
SERVERS = (
    (GmailLike(), ("192.0.2.40", "2001:db8::40")),
    (Greylisting(), ("192.0.2.41",)),
    (Refusing(), ("192.0.2.42",)),
    (ExchangeLike(), ("192.0.2.44",)),
)


async def main() -> None:
    for policy, addresses in SERVERS:
        for address in addresses:
            await listen(policy, address, 25)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
