"""What came of handing one mail to a server, and what its connection was like. Values only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from mailtrace_mcp.send import failures
from mailtrace_mcp.send.addresses import Address
from mailtrace_mcp.send.compose import Mail
from mailtrace_mcp.send.dialogue import MAIL_STAGES, Line, Stage, Timing
from mailtrace_mcp.send.failures import SmtpError
from mailtrace_mcp.send.tls import TlsFacts
from mailtrace_parsers.events import Reply

# accepted: for every recipient; partial: for some; refused: for nobody, and that is certain; unknown: the
# connection was lost after the final dot, so the server may have it (RFC 5321 4.5.3.2.6, RFC 1047).
SendOutcome = Literal["accepted", "partial", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A recipient for whom the server said no. The reply is a stranger's text, masked, not cleaned."""

    recipient: Address
    reply: Reply
    stage: Stage = "rcpt"

    @property
    def for_now(self) -> bool:
        """Whether a later try may be taken (4xx)."""
        return self.reply.code is not None and 400 <= self.reply.code < 500


@dataclass(frozen=True)
class Attempt:
    """One mail handed over, or not. `reply` is the server's answer to the content; `queue_id` what it
    calls the mail, where it says so; `failure` why it was not accepted for all."""

    mail: Mail
    outcome: SendOutcome
    refused: tuple[Refusal, ...] = ()
    reply: Reply | None = None
    failure: SmtpError | None = None
    warnings: tuple[str, ...] = ()

    @property
    def queue_id(self) -> str | None:
        return self.reply.queue_id if self.reply is not None else None

    @property
    def reached_mail(self) -> bool:
        """Whether the server was asked to take it."""
        return self.failure is None or self.failure.stage in MAIL_STAGES

    @property
    def again(self) -> tuple[Address, ...]:
        """For whom a later try of the same mail makes sense: never after the final dot was lost."""
        if self.outcome == "unknown":
            return ()
        later = tuple(one.recipient for one in self.refused if one.for_now)
        lost = self.failure is not None and self.failure.worth_a_retry
        if self.outcome != "refused" or not lost:
            return later
        answered = {one.recipient for one in self.refused}
        return later + tuple(one for one in self.mail.recipients if one not in answered)

    def code_for(self, recipient: Address) -> int | None:
        """The reply code that decided about this recipient."""
        for one in self.refused:
            if one.recipient == recipient:
                return one.reply.code
        if self.reply is not None:
            return self.reply.code
        reply = self.failure.reply if self.failure is not None else None
        return reply.code if reply is not None else None

    def success_for(self, recipient: Address) -> bool | None:
        """Whether the server took it for this recipient; None where nobody can tell."""
        if any(one.recipient == recipient for one in self.refused):
            return False
        return None if self.outcome == "unknown" else self.outcome in ("accepted", "partial")

    def failure_for(self, final: Collection[Address]) -> SmtpError | None:
        """Why the server did not take it for some of these; None where it did for all of them."""
        untaken = [one for one in final if not self.success_for(one)]
        told = [one for one in self.refused if one.recipient in untaken]
        if not told or len(told) < len(untaken):
            return self.failure if untaken else None
        return refusal_of(told, len(self.mail.recipients))


def refusal_of(refused: Sequence[Refusal], every: int) -> SmtpError:
    """The failure that the refusal of these out of `every` recipients is; of several, one that is worth
    a retry."""
    told = next((one for one in refused if one.for_now), refused[0])
    if told.stage != "rcpt":
        return failures.refused(told.stage, told.reply)
    many = len(refused)
    what = "every recipient" if many == every else f"{many} of {every} recipients"
    return failures.refused("rcpt", told.reply, what)


class Peer(NamedTuple):
    """The other end of a connection: `host[address]:port`, what encrypts it, and whose it is of the
    profiles."""

    server: str
    tls: TlsFacts | None
    profile: str


@dataclass(frozen=True)
class Account:
    """A connection: the stage it reached, the seconds of each, TLS, what was said (masked, not cleaned),
    and what the server offers (EHLO keywords in lower case, a stranger's text)."""

    server: str
    stage: Stage
    timings: tuple[Timing, ...] = ()
    tls: TlsFacts | None = None
    transcript: tuple[Line, ...] = ()
    extensions: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Handover:
    """A mail on its way to the server: becomes an Attempt when it is over, however that comes."""

    mail: Mail
    accepted: list[Address] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    dot_sent: bool = False
    reply: Reply | None = None
    failure: SmtpError | None = None

    def refuse(
        self, recipients: tuple[Address, ...] | list[Address], reply: Reply, stage: Stage
    ) -> None:
        """The server's answer to MAIL, RCPT or DATA is no for these."""
        self.refused += [Refusal(one, reply, stage) for one in recipients]
        self.accepted = [one for one in self.accepted if one not in recipients]

    def attempt(self) -> Attempt:
        return Attempt(
            mail=self.mail,
            outcome=self._outcome(),
            refused=tuple(self.refused),
            reply=self.reply,
            failure=self.failure,
            warnings=tuple(self.warnings),
        )

    def _outcome(self) -> SendOutcome:
        if self.dot_sent and self.reply is None:
            return "unknown"
        if self.reply is None or not self.accepted:
            return "refused"
        return "partial" if self.refused else "accepted"
