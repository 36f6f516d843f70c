"""A mail with marks in the place of date and ids: our own, or one that the operator saved. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import HeaderParser
from typing import Literal, get_args

from mailtrace_mcp.errors import Code, MailtraceError
from mailtrace_mcp.send import headers
from mailtrace_mcp.send.addresses import Address, distinct
from mailtrace_mcp.send.extras import Extras, attach, checked_headers, saved_mail
from mailtrace_mcp.send.marks import Marks
from mailtrace_mcp.send.reparse import Planned
from mailtrace_mcp.send.words import one_line, plain_text

Notify = Literal["success", "failure", "delay", "never"]

_TEXT = """This is a test mail of mailtrace-mcp. It needs no answer.

Sent: {time}
Mailtrace: {unique}
"""
_ENTITY = {"MIME-Version", "Content-Type", "Content-Transfer-Encoding"}


@dataclass(frozen=True)
class MailPlan:
    """What a caller decides about a mail. `subject` None: "Test <time> – Mailtrace <id>"; `body` None:
    a fixed text. `dsn` is what the receiving servers shall tell the sender (RFC 3461 4.1)."""

    sender: Address
    to: tuple[Address, ...]
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    subject: str | None = None
    body: str | None = None
    html: str | None = None
    dsn: tuple[Notify, ...] = ()

    @property
    def recipients(self) -> tuple[Address, ...]:
        """Those of the envelope: each mailbox once."""
        return distinct((*self.to, *self.cc, *self.bcc))

    @property
    def plain(self) -> bool:
        """Whether every address can be sent without SMTPUTF8."""
        return all(one.plain for one in (self.sender, *self.recipients))


@dataclass(frozen=True)
class Draft:
    """A rendered mail with marks in it, and what its header must turn out to say."""

    header: str
    body: bytes
    subject: str
    planned: Planned


def draft(plan: MailPlan, extras: Extras, marks: Marks) -> Draft:
    """The mail of a plan. Raises MailtraceError INVALID_ARGUMENT, NOT_ALLOWED."""
    return _saved(plan, extras, marks) if extras.saved is not None else _own(plan, extras, marks)


def _own(plan: MailPlan, extras: Extras, marks: Marks) -> Draft:
    if plan.subject is None:
        subject = f"Test {marks.time} – Mailtrace {marks.unique}"
    else:
        subject = one_line(plan.subject, "subject")
    addressed = [("From", (plan.sender,)), ("To", plan.to), ("Cc", plan.cc)]
    specs = [(name, tuple(one.spec for one in some)) for name, some in addressed if some]
    fields = [(name, headers.addressees(some)) for name, some in specs]
    fields.append(("Subject", headers.words("Subject", subject, not plan.plain)))
    # RFC 3834 section 5: no vacation program answers, and no list takes it for a person's mail.
    fields.append(("Auto-Submitted", "auto-generated"))
    fields += _further(plan, extras)
    entity = _entity(plan, extras, marks)
    entity_header, _, body = entity.as_bytes().partition(b"\r\n\r\n")
    fields = [*_ours(plan, marks), *fields]
    names = (*(name for name, _ in fields), *entity.keys())
    header = _lines(fields) + entity_header.decode() + headers.CRLF
    return Draft(header, body, subject, Planned(names, tuple(specs), subject))


def _saved(plan: MailPlan, extras: Extras, marks: Marks) -> Draft:
    lines, body = saved_mail(extras.saved or b"")
    names = re.findall(r"^([!-9;-~]+):", lines, re.M | re.A)
    fields = [*_ours(plan, marks), *_further(plan, extras)]
    header = _lines(fields) + lines
    subject = str(HeaderParser(policy=policy.SMTPUTF8).parsestr(lines)["Subject"] or "").strip()
    return Draft(header, body, subject, Planned((*(n for n, _ in fields), *names), (), subject))


def _ours(plan: MailPlan, marks: Marks) -> list[tuple[str, str]]:
    return [
        ("Date", marks.date),
        ("Message-ID", f"<{marks.unique}@{plan.sender.domain}>"),
        ("X-Mailtrace-Id", marks.unique),
    ]


def _further(plan: MailPlan, extras: Extras) -> list[tuple[str, str]]:
    return [
        (name, headers.words(name, value, not plan.plain))
        for name, value in checked_headers(extras)
    ]


def _lines(fields: Iterable[tuple[str, str]]) -> str:
    return "".join(headers.line(name, value) for name, value in fields)


def _entity(plan: MailPlan, extras: Extras, marks: Marks) -> EmailMessage:
    """The body with its MIME header, in 7 bits: no server has to offer 8BITMIME for it."""
    rules = policy.SMTP.clone(cte_type="7bit")
    entity = EmailMessage(policy=rules)
    if plan.body is None:
        text = _TEXT.format(time=marks.time, unique=marks.unique)
    else:
        text = plain_text(plan.body, "body")
    entity.set_content(text)
    if plan.html is not None:
        entity.add_alternative(plain_text(plan.html, "html"), subtype="html")
    attach(entity, extras)
    # The library would make them up by chance.
    for number, part in enumerate(one for one in entity.walk() if one.is_multipart()):
        part.set_boundary(f"=_{marks.boundary}_{number}")
    if not set(entity.keys()) <= _ENTITY:
        raise MailtraceError(Code.INVALID_ARGUMENT, "the body would write header lines.")
    return entity


def notices(wanted: Sequence[Notify]) -> tuple[Notify, ...]:
    """What to ask for in NOTIFY, each once. Raises INVALID_ARGUMENT: `never` stands alone (RFC 3461 4.1)."""
    known = get_args(Notify)
    if any(one not in known for one in wanted):
        raise MailtraceError(Code.INVALID_ARGUMENT, f"dsn: use {', '.join(known)}.")
    if "never" in wanted and len(set(wanted)) > 1:
        raise MailtraceError(Code.INVALID_ARGUMENT, "dsn: never goes with no other word.")
    return tuple(dict.fromkeys(wanted))
