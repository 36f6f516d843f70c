"""Header lines as they stand in the bytes: checked values in, folded lines out. Pure.

Our own writer, because the email package decodes what it is given before it writes it: what a caller
typed never goes through that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from email.header import Header
from itertools import groupby

CRLF = "\r\n"


def line(name: str, value: str) -> str:
    """One header line; `value` holds no line break but those of a folding."""
    return f"{name}: {value}{CRLF}"


def addressees(specs: Iterable[str]) -> str:
    """The value of To or Cc: one address a line (RFC 5322 2.1.1: no line over 998)."""
    return f",{CRLF} ".join(specs)


def words(name: str, text: str, utf8: bool) -> str:
    """The value of an unstructured header (RFC 5322 3.2.5).

    With `utf8` as it is (RFC 6532); else what is not ASCII becomes encoded words (RFC 2047), and the
    other words stay as they are, so that a time or an id can be found in the raw bytes.
    """
    if utf8 or text.isascii():
        return text
    runs = list(_runs(text.split(" ")))
    return " ".join(run if run.isascii() else _encoded(name, run) for run in runs)


def _runs(parts: list[str]) -> Iterator[str]:
    """Neighbours that need encoding in one: between two encoded words a blank would be lost."""
    # An empty part is a doubled blank: it goes with what must be encoded, or it would be folded away.
    for plain, run in groupby(parts, key=lambda part: part.isascii() and part != ""):
        if plain:
            yield from run
        else:
            yield " ".join(run)


def _encoded(name: str, run: str) -> str:
    return Header(run, "utf-8", maxlinelen=75, header_name=name).encode(linesep=CRLF)
