"""A connection to a mail server: opened as the route says, used for mails one after the other, closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf

import anyio.to_thread

from mailtrace_mcp.errors import Code
from mailtrace_mcp.send import commands, failures
from mailtrace_mcp.send.attempts import Account, Attempt, Handover, Peer, refusal_of
from mailtrace_mcp.send.compose import Mail
from mailtrace_mcp.send.credentials import Credentials
from mailtrace_mcp.send.dialogue import Dialogue
from mailtrace_mcp.send.failures import SmtpError
from mailtrace_mcp.send.masking import Mask
from mailtrace_mcp.send.routes import Route, Timeouts
from mailtrace_mcp.send.smtp import Answer, Wire
from mailtrace_mcp.send.tls import TlsFacts, context
from mailtrace_parsers.events import Reply

_LOOK_SECONDS = 3.0


class Connection:
    """`open`, `deliver` any number of mails, `close`. Cancelled, any of them drops the connection with
    whatever was not written yet.

    `deadline` is a moment of anyio's clock, after which nothing is waited for.
    """

    def __init__(
        self,
        route: Route,
        login: Credentials | None = None,
        timeouts: Timeouts | None = None,
        deadline: float = inf,
    ) -> None:
        self.route = route
        self.mails = 0
        self._login = login
        self._deadline = deadline
        mask = Mask() if login is None else Mask(login.secret.get_secret_value())
        self._dialogue = Dialogue(mask)
        self._wire = Wire(route, self._dialogue, timeouts or Timeouts(), deadline)
        self._offered: Mapping[str, str] = {}
        self._handover: Handover | None = None

    @property
    def usable(self) -> bool:
        """Whether another mail can be handed over on it."""
        return self._wire.usable

    def account(self) -> Account:
        """The connection so far; of its mails, the latest."""
        return Account(
            server=self._wire.peer,
            stage=self._dialogue.stage,
            timings=self._dialogue.timings,
            tls=self._wire.tls,
            transcript=self._dialogue.lines,
            extensions=self._offered,
        )

    @property
    def peer(self) -> Peer:
        """Who is at the other end, and how encrypted."""
        return Peer(self._wire.peer, self._wire.tls, self.route.name)

    def interrupted(self) -> Attempt | None:
        """What is known of a mail that was on its way when `deliver` was cancelled."""
        return self._handover.attempt() if self._handover is not None else None

    async def open(self) -> None:
        """Connect, encrypt and log in. Raises SmtpError; CONFIG_INVALID for a file that is no use."""
        wire, route = self._wire, self.route
        tls = None if route.tls == "none" else await anyio.to_thread.run_sync(context, route)
        try:
            await wire.connect(tls)
            self._offered = await wire.hello()
            if route.tls == "starttls":
                await wire.start_tls()
                self._offered = await wire.hello()
            if self._login is not None:
                await self._log_in(self._login)
        except SmtpError as failure:
            wire.drop()
            if failure.code != Code.SMTP_TLS_VERIFY or not route.verify:
                raise
            raise failures.with_certificate(failure, await self._certificate()) from None
        except BaseException:
            wire.drop()
            raise
        finally:
            self._dialogue.rest()

    async def deliver(self, mail: Mail) -> Attempt:
        """Hand over one mail. Never raises for what the network or the server does."""
        self.mails += 1
        handover = self._handover = Handover(mail)
        self._dialogue.begin("mail")
        try:
            await self._say_envelope(handover)
            await self._say_content(handover)
        except SmtpError as failure:
            handover.failure = failure
            await self._reset()
        except BaseException:
            self._wire.drop()
            raise
        finally:
            self._dialogue.rest()
        self._handover = None
        return handover.attempt()

    async def noop(self) -> None:
        """See whether the connection answers. Raises SmtpError."""
        answer = await self._wire.command(b"NOOP")
        if answer.code != 250:
            raise failures.refused(self._dialogue.stage, self._read(answer), "NOOP")

    async def close(self) -> None:
        """Say goodbye and hang up; what the server answers does not matter."""
        try:
            if self.usable:
                self._dialogue.begin("quit")
                await self._wire.quit()
                self._dialogue.rest()
        finally:
            self.drop()

    def drop(self) -> None:
        """Hang up at once; what was not written yet is not written."""
        self._wire.drop()

    async def _certificate(self) -> TlsFacts | None:
        """What the server shows, looked at once more without verifying and without a word of ours but
        EHLO and STARTTLS: Python tells nothing of a certificate that it did not trust."""
        route = replace(self.route, verify=False, login=None)
        wire = Wire(route, Dialogue(Mask()), Timeouts(_LOOK_SECONDS, _LOOK_SECONDS), self._deadline)
        try:
            await wire.connect(await anyio.to_thread.run_sync(context, route))
            if route.tls == "starttls":
                await wire.hello()
                await wire.start_tls()
            return wire.tls
        except SmtpError:
            return None
        finally:
            wire.drop()

    async def _log_in(self, login: Credentials) -> None:
        wire, server = self._wire, self.route.server
        self._dialogue.begin("auth")
        safe = wire.tls is not None and wire.tls.verified
        if not safe and not self.route.allow_insecure:
            raise failures.unsafe_login(server, wire.tls is not None)
        mechanism = commands.chosen(login.mechanism, wire.mechanisms, wire.tls is not None)
        if mechanism is None:
            raise failures.no_mechanism(server, bool(wire.mechanisms))
        await wire.log_in(mechanism, login)

    async def _say_envelope(self, handover: Handover) -> None:
        """MAIL, and RCPT for each. Raises where nobody is left to send to."""
        wire, mail = self._wire, handover.mail
        wire.dot_sent = False
        options = commands.mail_options(mail, self._offered, self.route.server)
        handover.warnings += commands.warnings(mail, self._offered)
        sender = f"FROM:<{mail.sender.spec}>".encode()
        answer = self._understood(await wire.command(b"MAIL", sender, *options))
        if not _is_yes(answer):
            refusal = self._read(answer)
            handover.refuse(mail.recipients, refusal, "mail")
            raise failures.refused("mail", refusal)
        self._dialogue.begin("rcpt")
        notify = commands.rcpt_options(mail, self._offered)
        for one in mail.recipients:
            recipient = f"TO:<{one.spec}>".encode()
            answer = self._understood(await wire.command(b"RCPT", recipient, *notify))
            if _is_yes(answer):  # 251 and 252 too: the server takes the mail (RFC 5321 3.4, 3.5.3)
                handover.accepted.append(one)
            else:
                handover.refuse((one,), self._read(answer), "rcpt")
        if handover.refused:
            handover.failure = refusal_of(handover.refused, len(mail.recipients))
            if not handover.accepted:
                raise handover.failure

    async def _say_content(self, handover: Handover) -> None:
        self._dialogue.begin("data")
        answer = await self._wire.command(b"DATA")
        if answer.code == 354:
            try:
                answer = await self._wire.content(handover.mail.data)
            finally:
                handover.dot_sent = self._wire.dot_sent
            if _is_yes(self._understood(answer)):
                handover.reply = self._read(answer)
                return
        elif not _is_no(answer):  # whether it waits for content now nobody knows
            raise self._out_of_step()
        handover.reply = refusal = self._read(answer)
        handover.refuse(tuple(handover.accepted), refusal, "data")
        raise failures.refused("data", refusal)

    def _understood(self, answer: Answer) -> Answer:
        """The answer if it is a yes or a no (RFC 5321 4.2.1)."""
        if not (_is_yes(answer) or _is_no(answer)):
            raise self._out_of_step()
        return answer

    def _out_of_step(self) -> SmtpError:
        """Nothing more may be said on this connection: it could be taken for content."""
        self._wire.drop()
        return failures.garbled(self._dialogue.stage, self.route.server)

    def _read(self, answer: Answer) -> Reply:
        return self._dialogue.read(answer.code, answer.message)

    async def _reset(self) -> None:
        """After a refusal the server still holds the envelope (RFC 5321 4.1.1.5)."""
        try:
            if self.usable and (await self._wire.command(b"RSET")).code == 250:
                return
        except SmtpError:
            pass
        self._wire.drop()


def _is_yes(answer: Answer) -> bool:
    return 200 <= answer.code < 300


def _is_no(answer: Answer) -> bool:
    return 400 <= answer.code < 600
