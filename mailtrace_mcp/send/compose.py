"""A planned test mail into bytes. Pure: the time and the unique id are arguments.

A Pattern is rendered once. Its mails differ in their date and ids, and in the time that our own subject
and text tell; these are put in where the marks are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from mailtrace_mcp.send.addresses import Address
from mailtrace_mcp.send.drafts import MailPlan, Notify, draft
from mailtrace_mcp.send.extras import NO_EXTRAS, Extras
from mailtrace_mcp.send.marks import Marks
from mailtrace_mcp.send.reparse import check_names, check_whole
from mailtrace_mcp.send.words import check_size

__all__ = ["Mail", "MailPlan", "Notify", "Pattern", "compose"]

_UNIQUE = re.compile(r"[0-9a-f]{8,32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, ready to be sent. `data` has CRLF line ends and no dot-stuffing; `message_id` no angle
    brackets; `utf8` tells that it needs SMTPUTF8 (RFC 6531), `eight_bit` 8BITMIME (RFC 6152)."""

    unique: str
    message_id: str
    subject: str
    at: datetime
    sender: Address
    recipients: tuple[Address, ...]
    data: bytes = field(repr=False)
    utf8: bool
    eight_bit: bool
    dsn: tuple[Notify, ...] = ()

    def only(self, recipients: Sequence[Address]) -> Mail:
        """The same mail for fewer recipients: a second try for those that were refused for now."""
        return replace(self, recipients=tuple(recipients))


def compose(plan: MailPlan, at: datetime, unique: str, extras: Extras = NO_EXTRAS) -> Mail:
    """The one mail of a plan. `at` is aware, in the zone to show; `unique` is 8 to 32 hex digits.

    Raises MailtraceError INVALID_ARGUMENT or NOT_ALLOWED for what cannot be written into a mail.
    """
    return Pattern(plan, extras).mail(at, unique)


class Pattern:
    """A plan rendered once, for any number of mails. Raises as `compose` does."""

    def __init__(self, plan: MailPlan, extras: Extras = NO_EXTRAS) -> None:
        self.plan = plan
        self.recipients = plan.recipients
        check_size(plan.body or "", "body")
        check_size(plan.html or "", "html")
        content = [one.data for one in extras.attachments] + [extras.saved or b""]
        # repr: a text may hold half a character, which no encoding takes; that is told later.
        self._marks = Marks.of(repr((plan, extras.headers)).encode(), *content)
        rendered = draft(plan, extras, self._marks)
        raw = rendered.header.encode() + b"\r\n" + rendered.body
        check_whole(raw, rendered.planned)
        self.utf8 = not plan.plain or not rendered.header.isascii()
        self.eight_bit = not raw.isascii()
        self.size = len(raw)
        self._subject = rendered.subject
        self._names = rendered.planned.names
        self._parts = self._marks.split(raw)

    def mail(self, at: datetime, unique: str) -> Mail:
        """The mail of this time and id; the names in its header are looked at once more."""
        if not _UNIQUE.fullmatch(unique):
            raise ValueError("unique must be 8 to 32 hex digits")
        values = self._marks.values(at, unique)
        data = b"".join([values.get(part, part) for part in self._parts])
        check_names(data, self._names)
        return Mail(
            unique=unique,
            message_id=f"{unique}@{self.plan.sender.domain}",
            subject=self._marks.fill(self._subject, at, unique),
            at=at,
            sender=self.plan.sender,
            recipients=self.recipients,
            data=data,
            utf8=self.utf8,
            eight_bit=self.eight_bit,
            dsn=self.plan.dsn,
        )
