"""What only the operator can add to a mail, on the command line: attachments, headers, a saved mail.

Never part of MailPlan, so that no tool argument can reach it. Pure: the files were read elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import policy
from email.message import EmailMessage
from email.parser import HeaderParser

from mailtrace_mcp.errors import Code, MailtraceError, visible
from mailtrace_mcp.send.words import one_line

LARGEST = 25 << 20  # bytes of all attachments, or of a saved mail
LONGEST_VALUE = 900  # characters; with its name below the 998 of RFC 5322 2.1.1
_FIELD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,76}", re.ASCII)
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,63}/[a-z0-9][a-z0-9.+-]{0,63}", re.ASCII)
# Ours (the plan says them), and those that say where a mail goes or has been.
OWN_HEADERS = frozenset(
    ("from", "sender", "to", "cc", "bcc", "subject", "date", "message-id", "auto-submitted",
     "x-mailtrace-id", "mime-version", "return-path", "received", "delivered-to", "x-original-to")
)  # fmt: skip
# Of a saved mail: what would make it another mail's copy, or tell who was addressed in secret.
_REPLACED = frozenset(
    ("date", "message-id", "x-mailtrace-id", "bcc", "resent-bcc", "return-path", "delivered-to")
)


@dataclass(frozen=True)
class Attachment:
    """A file to attach: its name without folders, its media type, its bytes."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True)
class Extras:
    """`headers` are further (name, value) pairs; `saved` a whole mail, which stands in place of subject,
    bodies and attachments. Its header stays, but for its date and ids and whatever says Bcc."""

    attachments: tuple[Attachment, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    saved: bytes | None = None

    @property
    def content(self) -> bool:
        """Whether they bring content of their own, which the policy may not allow."""
        return bool(self.attachments or self.headers or self.saved is not None)


NO_EXTRAS = Extras()


def checked_headers(extras: Extras) -> list[tuple[str, str]]:
    """The further headers, fit to be written. Raises INVALID_ARGUMENT."""
    found = []
    for name, value in extras.headers:
        lowered = name.lower()
        if not _FIELD_NAME.fullmatch(name) or lowered.startswith(("content-", "resent-")):
            raise _invalid(f"header '{visible(name)}' cannot be given here.")
        if lowered in OWN_HEADERS:
            raise _invalid(f"header '{visible(name)}' is written by the program: leave it out.")
        found.append((name, one_line(value, f"header {name}", LONGEST_VALUE)))
    return found


def attach(message: EmailMessage, extras: Extras) -> None:
    """Add the attachments. Raises INVALID_ARGUMENT, NOT_ALLOWED where they are too large."""
    if sum(len(one.data) for one in extras.attachments) > LARGEST:
        raise _too_large("the attachments are")
    for one in extras.attachments:
        name = one_line(one.name, "the name of an attachment", 255)
        if not name or "/" in name or not _MEDIA_TYPE.fullmatch(one.media_type):
            raise _invalid(f"attachment '{visible(name)}' needs a plain name and a type like a/b.")
        kind, _, subtype = one.media_type.partition("/")
        if kind in ("text", "message", "multipart"):  # so that its bytes stay what they are
            kind, subtype = "application", "octet-stream"
        message.add_attachment(one.data, maintype=kind, subtype=subtype, filename=name)


def saved_mail(saved: bytes) -> tuple[str, bytes]:
    """A saved mail's header lines that are kept (CRLF after each, as they were folded), and its body.

    Raises INVALID_ARGUMENT for what is no mail, NOT_ALLOWED for one that is too large.
    """
    if len(saved) > LARGEST:
        raise _too_large("the saved mail is")
    whole = saved.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    # The line that a mailbox file puts before a mail is no header.
    whole = re.sub(rb"\AFrom [^\n]*\n", b"", whole)
    head, _, body = whole.partition(b"\n\n")
    try:
        text = head.decode()
    except UnicodeDecodeError:
        raise _invalid("the saved mail's header is not UTF-8.") from None
    fields = re.findall(r"^[!-9;-~]+:.*\n?(?:[ \t].*\n?)*", text, re.M | re.A)
    if "\0" in text or b"\0" in body or "".join(fields) != text or not fields:
        raise _invalid("the saved file is no mail: header lines, an empty line, the text.")
    if any(len(one) > 998 for one in whole.split(b"\n")):
        raise _invalid("the saved mail has a line over 998 octets (RFC 5322 2.1.1).")
    kept = [one for one in fields if one.partition(":")[0].lower() not in _REPLACED]
    lines = "".join(one.rstrip("\n") + "\n" for one in kept).replace("\n", "\r\n")
    return lines, body.replace(b"\n", b"\r\n").rstrip(b"\r\n") + b"\r\n"


def saved_senders(header: str) -> list[str]:
    """The addresses of From, Sender and the Resent- ones in a saved mail's header: as whom it speaks."""
    parsed = HeaderParser(policy=policy.SMTPUTF8).parsestr(header)
    return [
        one.addr_spec
        for name in ("From", "Sender", "Resent-From", "Resent-Sender")
        for field in parsed.get_all(name, [])
        for one in field.addresses
    ]


def _too_large(what: str) -> MailtraceError:
    return MailtraceError(Code.NOT_ALLOWED, f"{what} larger than {LARGEST >> 20} MB.")


def _invalid(words: str) -> MailtraceError:
    return MailtraceError(Code.INVALID_ARGUMENT, words)
