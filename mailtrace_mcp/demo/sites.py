"""The relays of the demo: who they are, where they send what, and whose mailboxes they have. Pure.

All of them listen on 127.0.0.1, each on a port of its own. In their logs they bear the addresses below
(RFC 5737), as hosts do: to whoever reads a log, a loopback address is the host itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mailtrace_parsers.events import Peer

DOMAIN = "demo.example"
LOCAL = "local"
EVERYWHERE = "*"
SENDER, DELIVERED, DEFERRED, BOUNCED = (
    f"{name}@{DOMAIN}" for name in ("mailtrace", "alice", "bob", "nobody")
)
RECIPIENTS = (DELIVERED, DEFERRED, BOUNCED)

DENIED = "554 5.7.1 <{0}>: Relay access denied"
UNKNOWN = "550 5.1.1 <{0}>: Recipient address rejected: User unknown in local recipient table"
FULL = "452 4.2.2 <{0}>: Recipient address rejected: Mailbox is full"


@dataclass(frozen=True)
class Site:
    """One relay. `routes`: domain, or `*` for all others → the next relay's name, or `local`;
    `mailboxes`: address → None, or the reply with which it refuses (`{0}` is the address)."""

    name: str
    address: str
    routes: Mapping[str, str]
    mailboxes: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def full_name(self) -> str:
        return f"{self.name}.{DOMAIN}"

    @property
    def peer(self) -> Peer:
        """As the others' logs name it; the port that mail servers have."""
        return Peer(self.full_name, self.address, 25)

    def next_hop(self, recipient: str) -> str | None:
        """Where a mail to this address goes: a relay's name, `local`, or None: nowhere."""
        domain = recipient.rpartition("@")[2].lower()
        return self.routes.get(domain, self.routes.get(EVERYWHERE))

    def refusal(self, recipient: str) -> str | None:
        """The reply to RCPT TO with which this recipient is refused; None: it is taken."""
        hop = self.next_hop(recipient)
        if hop is None:
            return DENIED.format(recipient)
        if hop != LOCAL:
            return None
        refused = self.mailboxes.get(recipient.lower(), UNKNOWN)
        return None if refused is None else refused.format(recipient)


OUT = Site("out1", "192.0.2.11", {EVERYWHERE: "mx1"})
MX = Site("mx1", "192.0.2.21", {DOMAIN: "box1"})
BOX = Site("box1", "192.0.2.31", {DOMAIN: LOCAL}, {SENDER: None, DELIVERED: None, DEFERRED: FULL})
SITES = (OUT, MX, BOX)
CLIENT = Peer(f"pc.{DOMAIN}", "192.0.2.101")


def named(helo: str, sites: tuple[Site, ...] = SITES) -> Peer:
    """Who says HELO: one of the relays, else the machine where the test mail begins. In place of the DNS."""
    for site in sites:
        if site.full_name == helo:
            return Peer(site.full_name, site.address)
    return CLIENT
