"""Quoted local parts, as Postfix writes them (global/quote_822_local.c, RFC 5321 section 4.1.2)."""

from __future__ import annotations


def after_quotes(text: str, start: int) -> int:
    """Where to look on for the end of an address that begins at `start`: behind its quoted local part.

    It is `start` itself where the address has no quoted local part, or where the quotes do not close
    before `@` or `>` (then they are part of an unquoted address, as before Postfix 3.5).
    """
    opening = start
    if text.startswith("@", start):  # a source route, @a,@b:user@c, stands before the local part
        opening = text.find(":", start, text.find(">", start)) + 1
    if not text.startswith('"', opening):
        return start
    closing = _closing_quote(text, opening)
    return closing + 1 if text.startswith((">", "@"), closing + 1) and closing > 0 else start


def _closing_quote(text: str, opening: int) -> int:
    at = opening
    while (at := text.find('"', at + 1)) >= 0:
        backslashes = at
        while text[backslashes - 1] == "\\":  # ends at the opening quote at the latest
            backslashes -= 1
        if (at - backslashes) % 2 == 0:
            return at
    return -1
