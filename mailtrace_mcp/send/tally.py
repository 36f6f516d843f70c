"""What came of a run so far, and each of its mails while it is open."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime

from mailtrace_mcp.errors import MailtraceError
from mailtrace_mcp.send.addresses import Address
from mailtrace_mcp.send.attempts import Account, Attempt, Refusal
from mailtrace_mcp.send.channel import Way
from mailtrace_mcp.send.compose import Mail
from mailtrace_mcp.send.records import Record, record


@dataclass
class Done:
    """What came of a run so far: a record per mail and recipient once that is decided; those refused;
    `account` of the first connection that failed, else of the latest; the first `failure`; `spent`, the
    recipients that a server was asked to take."""

    records: list[Record] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    account: Account | None = None
    failure: MailtraceError | None = None
    spent: int = 0

    def decide(self, attempt: Attempt, final: Collection[Address]) -> None:
        """What the attempt was for these recipients, who get no other one."""
        self.records += [record(attempt, one) for one in final]
        self.refused += [one for one in attempt.refused if one.recipient in final]
        self.failure = self.failure or attempt.failure_for(final)
        if final:
            self.warnings += [one for one in attempt.warnings if one not in self.warnings]


@dataclass(eq=False)
class Job:
    """A mail that is due: its id and time from the first try on, and for whom it is still open.
    `counted` once a server was asked to take it."""

    unique: str
    at: datetime | None = None
    recipients: tuple[Address, ...] | None = None
    tries: int = 0
    last: Attempt | None = None
    let_through: bool = False
    counted: bool = False

    def mail(self, way: Way, now: Callable[[], datetime]) -> Mail:
        """The mail as it goes this way; the same Message-ID at every try."""
        self.at = self.at or now()
        mail = way.pattern.mail(self.at, self.unique)
        return mail if self.recipients is None else mail.only(self.recipients)
