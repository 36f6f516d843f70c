"""What a line of a header or a body may hold, so that it stays the line it was meant to be. Pure."""

from __future__ import annotations

import re
import unicodedata

from mailtrace_mcp.errors import Code, MailtraceError

LONGEST_SUBJECT = 200  # characters
LONGEST_BODY = 256 << 10  # bytes of a typed text; what is larger is no test mail

# RFC 2047 section 2. CPython decodes such a word on its way into a header and writes what was hidden
# in it, line breaks too (CVE-2024-6923); a subject that wants them has no need to spell them out.
_ENCODED_WORD = re.compile(r"=\?[^?\s]*\?[BbQq]\?")
# Cc holds CR, LF, NUL, NEL; Zl and Zp are U+2028 and U+2029; Cs are halves of a character.
_BREAKS = ("Cc", "Cs", "Zl", "Zp")


def one_line(text: str, where: str, longest: int = LONGEST_SUBJECT) -> str:
    """`text` as it may stand in a header, without blanks at its ends. Raises INVALID_ARGUMENT."""
    if len(text) > longest:
        raise _invalid(f"{where} is longer than {longest} characters.")
    if any(unicodedata.category(char) in _BREAKS for char in text):
        raise _invalid(f"{where} holds a line break or a control character: give one plain line.")
    if _ENCODED_WORD.search(text):
        raise _invalid(f"{where} holds an encoded word (=?…?=): write the words themselves.")
    return text.strip(" ")


def plain_text(text: str, where: str) -> str:
    """A body with `\\n` at the end of each line. Raises INVALID_ARGUMENT, NOT_ALLOWED for its size."""
    check_size(text, where)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if any(char not in "\n\t" and unicodedata.category(char) in ("Cc", "Cs") for char in text):
        raise _invalid(f"{where} holds a NUL or another control character: give plain text.")
    return text if text.endswith("\n") else text + "\n"


def check_size(text: str, where: str) -> None:
    """Raise NOT_ALLOWED for a body that is too large; quickly, however large it is."""
    if len(text) > LONGEST_BODY or len(text.encode(errors="replace")) > LONGEST_BODY:
        words = f"{where} is larger than {LONGEST_BODY >> 10} KB."
        raise MailtraceError(Code.NOT_ALLOWED, words)


def _invalid(words: str) -> MailtraceError:
    return MailtraceError(Code.INVALID_ARGUMENT, words)
