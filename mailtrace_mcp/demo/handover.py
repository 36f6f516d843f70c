"""One mail handed to the next relay, as smtp(8) does it. Blocks for as long as that relay takes."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

from mailtrace_mcp.demo.logbook import Outcome, written
from mailtrace_mcp.demo.notice import enhanced
from mailtrace_parsers.events import Peer

LOOPBACK = "127.0.0.1"
_LONGEST = 10.0  # seconds for any one answer


@dataclass
class Handed:
    """How it went for each recipient, and the seconds until the connection was there."""

    setup: float = 0.0
    ends: dict[str, Outcome] = field(default_factory=dict)
    replies: dict[str, str] = field(default_factory=dict)

    @property
    def refused(self) -> Mapping[str, str]:
        """Who was refused for good, and with what reply."""
        return {one: self.replies[one] for one, end in self.ends.items() if end.status == "bounced"}

    @property
    def deferred(self) -> tuple[str, ...]:
        return tuple(one for one, end in self.ends.items() if end.status == "deferred")


class Handover:
    """A mail on its way to `peer`, which listens on `port` of this machine."""

    def __init__(self, peer: Peer, port: int, own_name: str) -> None:
        self._peer, self._port, self._own_name = peer, port, own_name
        self._handed = Handed()
        self._doing = ""

    def go(self, sender: str, recipients: Sequence[str], data: bytes) -> Handed:
        """Hand it over; once, and nothing is raised for what the next relay does."""
        began = monotonic()
        try:
            client = smtplib.SMTP(LOOPBACK, self._port, self._own_name, timeout=_LONGEST)
        except OSError as error:
            why = f"connect to {written(self._peer)}: {error.strerror or type(error).__name__}"
            self._all(recipients, Outcome("none", "4.4.1", "deferred", why))
            return self._handed
        with client:
            self._handed.setup = monotonic() - began
            try:
                self._talk(client, sender, recipients, data)
            except OSError:  # smtplib's exceptions are
                where = f"{self._peer.name}[{self._peer.address}]"
                why = f"lost connection with {where} while {self._doing}"
                lost = Outcome(written(self._peer), "4.4.2", "deferred", why)
                self._all([one for one in recipients if one not in self._handed.ends], lost)
        return self._handed

    def _talk(
        self, client: smtplib.SMTP, sender: str, recipients: Sequence[str], data: bytes
    ) -> None:
        self._doing = "performing the EHLO handshake"
        client.ehlo()
        self._doing = "sending MAIL FROM"
        code, said = client.mail(sender)
        if code != 250:
            self._refuse(recipients, code, said, "MAIL FROM command")
            return
        taken = []
        self._doing = "sending RCPT TO"
        for one in recipients:
            code, said = client.rcpt(one)
            if code == 250:
                taken.append(one)
            else:
                self._refuse([one], code, said, "RCPT TO command")
        if not taken:
            return
        self._doing = "sending message body"
        code, said = client.data(data)
        if code != 250:
            self._refuse(taken, code, said, "end of DATA command")
            return
        text = f"{code} {said.decode('ascii', 'replace')}"
        self._all(taken, Outcome(written(self._peer), enhanced(text), "sent", text))

    def _refuse(self, recipients: Sequence[str], code: int, said: bytes, stage: str) -> None:
        """Postfix's own words for a refusal (smtp/smtp_trouble.c)."""
        reply = f"{code} {said.decode('ascii', 'replace')}".replace("\n", " ")
        where = f"{self._peer.name}[{self._peer.address}]"
        text = f"host {where} said: {reply} (in reply to {stage})"
        status = "bounced" if code >= 500 else "deferred"
        self._all(recipients, Outcome(written(self._peer), enhanced(reply), status, text))
        self._handed.replies.update(dict.fromkeys(recipients, reply))

    def _all(self, recipients: Sequence[str], end: Outcome) -> None:
        self._handed.ends.update(dict.fromkeys(recipients, end))
