"""What to give grep for terms: bytes that stand in every line they match (match.py looks closely)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mailtrace_mcp.logs import Term

_ASCII_RUN = re.compile(rb"[\x21-\x7e]+")
_SHORTEST = 3  # characters; less is in nearly every line


class Needles(NamedTuple):
    """Search for `keys`, where `fold` is set whatever the case of ASCII letters."""

    keys: tuple[bytes, ...]
    fold: bool


def needles(terms: Iterable[Term]) -> Needles | None:
    """What to search for; None where only reading each line tells (everything, a term that holds no few
    ASCII characters in a row)."""
    keys: list[bytes] = []
    fold = False
    for term in terms:
        if term.kind == "everything":
            return None
        if not term.text or "\n" in term.text:
            continue
        own = list(_keys(term))
        if any(len(key) < _SHORTEST for key in own):
            return None
        keys += own
        fold = fold or term.kind in ("address", "domain")
    return Needles(tuple(dict.fromkeys(keys)), fold)


def _keys(term: Term) -> Iterator[bytes]:
    text = term.text.encode("utf-8", "surrogateescape")
    if term.kind in ("address", "domain"):
        text = text.lower() if term.kind == "address" else b"@" + text.removeprefix(b"@").lower()
        yield max(_ASCII_RUN.findall(text), key=len, default=b"") if not text.isascii() else text
    elif term.kind == "process":
        yield text
        name, bracket, pid = text.partition(b"[")
        if bracket and pid.endswith(b"]"):
            yield name + b" " + pid[:-1] + b" "  # as RFC 5424 writes it
    else:
        yield text
