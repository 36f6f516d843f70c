"""The one error of this program: what failed and what to do next, with a code of TOOLS.md.

Its words go to a person or an agent as they are, so a stranger's text (a name that was typed, a
key of a file) passes `visible` first and is never quoted at length.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import StrEnum

_QUOTE_LIMIT = 80


class Code(StrEnum):
    """What kind of failure it was; the names are part of the public contract (TOOLS.md)."""

    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    NOT_ALLOWED = "NOT_ALLOWED"
    UNKNOWN_HOST = "UNKNOWN_HOST"
    UNKNOWN_PROFILE = "UNKNOWN_PROFILE"
    TIME_INVALID = "TIME_INVALID"
    RANGE_TOO_WIDE = "RANGE_TOO_WIDE"
    RATE_LIMITED = "RATE_LIMITED"
    CONFIG_INVALID = "CONFIG_INVALID"
    SECRET_MISSING = "SECRET_MISSING"  # noqa: S105  a code, no secret
    HOST_UNREACHABLE = "HOST_UNREACHABLE"
    HOST_TIMEOUT = "HOST_TIMEOUT"
    HOST_KEY_UNKNOWN = "HOST_KEY_UNKNOWN"
    HOST_KEY_MISMATCH = "HOST_KEY_MISMATCH"
    AUTH_FAILED = "AUTH_FAILED"
    FILE_NOT_FOUND = "FILE_NOT_FOUND"
    FILE_DENIED = "FILE_DENIED"
    FILE_CORRUPT = "FILE_CORRUPT"
    REMOTE_COMMAND_FAILED = "REMOTE_COMMAND_FAILED"
    SMTP_TEMPFAIL = "SMTP_TEMPFAIL"
    SMTP_REJECTED = "SMTP_REJECTED"
    SMTP_TLS_REQUIRED = "SMTP_TLS_REQUIRED"
    SMTP_TLS_VERIFY = "SMTP_TLS_VERIFY"
    SMTP_AUTH = "SMTP_AUTH"
    SMTP_PROTOCOL = "SMTP_PROTOCOL"
    SMTP_UTF8 = "SMTP_UTF8"
    SMTP_TIMEOUT = "SMTP_TIMEOUT"
    SMTP_DISCONNECTED = "SMTP_DISCONNECTED"


class MailtraceError(ValueError):
    """A failure that was foreseen. `message` names the thing and says what to do next.

    `str(error)` is `CODE: message`, as a tool error and the command line show it.
    """

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def visible(text: str, limit: int = _QUOTE_LIMIT) -> str:
    """`text` in one line that cannot mislead: what is no plain ASCII is shown as `\\u{hex}`.

    For names that a reader must compare (hosts, keys, keywords). Letters of other scripts are shown
    as code points too: `mx1` with a Cyrillic x looks like the real one. At most `limit` characters.
    """
    shown = "".join(
        char if " " <= char <= "~" else f"\\u{{{ord(char):x}}}" for char in text[:limit]
    )
    return shown + ("…" if len(text) > limit else "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'timezone'?` for the nearest of `known`, or nothing; begins with a space."""
    nearest = difflib.get_close_matches(
        word[:_QUOTE_LIMIT].casefold(), list(known), n=1, cutoff=0.6
    )
    return f" Did you mean {nearest[0]!r}?" if nearest else ""
