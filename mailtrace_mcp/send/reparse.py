"""The bytes to be sent, read again: they must say what was planned (SAFETY.md 12). Pure.

CPython's email package can be made to write a header that nobody asked for (CVE-2024-6923). So the
header is looked at twice: as lines of bytes, as a server will see them, and as a mail reader parses it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email import policy
from email.parser import HeaderParser

from mailtrace_mcp.errors import Code, MailtraceError

# What stands at the beginning of each line that is no continuation (RFC 5322 2.2.3), up to a colon.
_NAME = re.compile(rb"(?:\A|\r\n)([^ \t\r\n][^:\r\n]*)")
_STRAY = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0")


@dataclass(frozen=True)
class Planned:
    """What the header must say: its names in order, the addresses of each, and the subject."""

    names: tuple[str, ...]
    addresses: tuple[tuple[str, tuple[str, ...]], ...]
    subject: str


def check_whole(data: bytes, planned: Planned) -> None:
    """Compare names, addresses and subject. Raises MailtraceError INVALID_ARGUMENT where they differ."""
    check_names(data, planned.names)
    header = data.partition(b"\r\n\r\n")[0].decode()
    parsed = HeaderParser(policy=policy.SMTPUTF8).parsestr(header)
    if tuple(parsed.keys()) != planned.names:
        raise _changed("header names")
    for name, expected in planned.addresses:
        found = [one.addr_spec for field in parsed.get_all(name, []) for one in field.addresses]
        if tuple(found) != expected:
            raise _changed(name)
    if str(parsed["Subject"] or "").strip() != planned.subject:
        raise _changed("Subject")


def check_names(data: bytes, names: Sequence[str]) -> None:
    """Compare the names of the header lines, in order, and look for stray line breaks and NUL.

    Cheap: for every mail of a run, after the first was checked whole.
    """
    header, end, _ = data.partition(b"\r\n\r\n")
    found = [name.decode("latin-1") for name in _NAME.findall(header)]
    if not end or found != list(names) or _STRAY.search(header):
        raise _changed("header names")


def _changed(what: str) -> MailtraceError:
    return MailtraceError(
        Code.INVALID_ARGUMENT,
        f"the mail would not say what was planned ({what}); nothing was sent. Write it in plain words.",
    )
