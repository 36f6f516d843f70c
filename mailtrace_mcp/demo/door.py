"""Where a relay takes mail: aiosmtpd, and the lines that smtpd(8) would write."""

from __future__ import annotations

from asyncio import Transport
from time import monotonic
from typing import AnyStr, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from mailtrace_mcp.demo.logbook import counters, written
from mailtrace_mcp.demo.relay import Relay
from mailtrace_mcp.demo.sites import CLIENT, named
from mailtrace_mcp.demo.throttle import Throttle


class Visit:
    """One connection: aiosmtpd's handler. `service` is the label of its lines (`-o syslog_name`, empty
    for the usual one)."""

    def __init__(self, relay: Relay, service: str = "", throttle: Throttle | None = None) -> None:
        self._relay, self._throttle = relay, throttle
        self._daemon, self._pid = f"{service}/smtpd".removeprefix("/"), relay.log.pid()
        self._peer = CLIENT
        self._commands: dict[str, tuple[int, int]] = {}
        self._queue_id: str | None = None
        self._last, self._ended = "", False

    async def handle_EHLO(  # noqa: N802  aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        """Only here it is known who comes (sites.py), so here the connection is logged."""
        session.host_name = hostname
        self._peer = named(hostname)
        self._log(f"connect from {written(self._peer)}")
        self._count("ehlo")
        return replies

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        sender = address.removeprefix("<").removesuffix(">")  # the empty one comes as <>
        refused = self._throttle.refusal(sender, monotonic()) if self._throttle else None
        self._count("mail", good=refused is None)
        if refused is not None:
            self._reject("MAIL", refused, sender)
            self._ended = refused.startswith("421")
            return refused
        self._queue_id = None
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refused = self._relay.site.refusal(address)
        self._count("rcpt", good=refused is None)
        if refused is not None:
            sender = (envelope.mail_from or "").strip("<>")
            self._reject("RCPT", refused, sender, f" to=<{address}>")
            return refused
        if self._queue_id is None:
            self._queue_id = self._relay.new_id()
            self._log(f"{self._queue_id}: client={written(self._peer)}")
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self._count("data")
        queue_id, self._queue_id = self._queue_id or self._relay.new_id(), None
        sender = (envelope.mail_from or "").strip("<>")
        data = envelope.original_content or b""
        self._relay.take(queue_id, sender, list(envelope.rcpt_tos), data, self._peer)
        return f"250 2.0.0 Ok: queued as {queue_id}"

    async def handle_RSET(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self._count("rset")
        self._queue_id = None
        return "250 2.0.0 Ok"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self._count("quit")
        self._ended = True
        return "221 2.0.0 Bye"

    def gone(self) -> None:
        """The connection is over; who never said EHLO is not told of."""
        if not self._commands:
            return
        if not self._ended:
            self._log(f"lost connection after {self._last} from {written(self._peer)}")
        self._log(f"disconnect from {written(self._peer)} {counters(self._commands)}")

    def _reject(self, stage: str, reply: str, sender: str, more: str = "") -> None:
        about = f"from=<{sender}>{more} proto=ESMTP helo=<{self._peer.name}>"
        head = f"{self._queue_id or 'NOQUEUE'}: reject: {stage} from {written(self._peer)}"
        self._log(f"{head}: {reply}; {about}")

    def _count(self, command: str, good: bool = True) -> None:
        accepted, seen = self._commands.get(command, (0, 0))
        self._commands[command] = (accepted + good, seen + 1)
        self._last = command.upper()

    def _log(self, text: str) -> None:
        self._relay.log.line(self._daemon, self._pid, text)


class Door(SMTP):
    """aiosmtpd for one visit; it hangs up after 421, and tells when the connection is over."""

    async def push(self, status: AnyStr) -> None:
        await super().push(status)
        if status[:3] in ("421", b"421") and self.transport is not None:
            cast(Transport, self.transport).close()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        cast(Visit, self.event_handler).gone()
