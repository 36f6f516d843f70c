"""Secrets out of texts: whatever a server says back, our password is not in it (SAFETY.md 9)."""

from __future__ import annotations

import html
import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

STARS = "****"
_RUN = 6  # characters that a text and a form of a secret may not have in common one after the other
# What parts the pieces of a text that a server folds: blanks, and the enhanced code that it repeats at
# the beginning of each line (RFC 2034 section 4).
_BETWEEN = re.compile(r"\s+|^[245]\.[0-9]{1,3}\.[0-9]{1,3}(?=\s|$)", re.MULTILINE)


class Mask:
    """Replaces secrets in texts, in the forms in which a server could quote them, whole or cut off or
    folded. Shows none itself."""

    def __init__(self, *secrets: str) -> None:
        self._forms: set[str] = set()
        self._runs: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.hide(secret)

    def __repr__(self) -> str:
        return f"Mask({STARS})"

    def hide(self, secret: str) -> None:
        """From now on hide this text too: raw, in base64 at any place, in hex, and URL-quoted."""
        new = {form for form in _forms(secret) if form} - self._forms
        if not new:
            return
        self._forms |= new
        for form in new:
            self._runs.update(run for _, run in _runs(_folded(_BETWEEN.sub("", form))))
        longest_first = sorted(self._forms, key=len, reverse=True)
        # Whatever the case: some servers quote a command in capitals.
        self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE)

    def hide_sent(self, word: bytes) -> None:
        """Hide a word of an AUTH exchange (RFC 4954 4), and the digest in it (CRAM-MD5, RFC 2195)."""
        text = word.decode("ascii", "replace")
        self.hide(text)
        try:
            plain = b64decode(word, validate=True).decode()
        except ValueError:
            return
        digest = plain.rpartition(" ")[2]
        if re.fullmatch("[0-9a-f]{32}", digest):
            self.hide(digest)

    def __call__(self, text: str) -> str:
        """The text, of one line or several, with stars in the place of each secret and of each longer
        part of one."""
        if self._pattern is None:
            return text
        shown = self._pattern.sub(STARS, text)
        for start, end in reversed(self._parts(shown)):
            shown = f"{shown[:start]}{STARS}{shown[end:]}"
        return shown

    def _parts(self, text: str) -> list[tuple[int, int]]:
        """From where to where parts of secrets stand, whatever the text is folded by."""
        between = {place for one in _BETWEEN.finditer(text) for place in range(*one.span())}
        places = [place for place in range(len(text)) if place not in between]
        joined = _folded("".join(text[place] for place in places))
        found: list[tuple[int, int]] = []  # first and last run of each part
        for at, run in _runs(joined):
            if run not in self._runs:
                continue
            if found and at < found[-1][1] + _RUN:
                found[-1] = (found[-1][0], at)
            else:
                found.append((at, at))
        return [(places[first], places[last + _RUN - 1] + 1) for first, last in found]


def _runs(text: str) -> Iterator[tuple[int, str]]:
    return ((at, text[at : at + _RUN]) for at in range(len(text) - _RUN + 1))


def _folded(text: str) -> str:
    """In lower case, and as long as before."""
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def _forms(secret: str) -> Iterator[str]:
    raw = secret.encode("utf-8", "surrogateescape")
    yield from (secret, quote(secret), quote(secret, safe=""), quote_plus(secret))
    yield html.escape(secret)
    if len(raw) * 2 >= _RUN:
        yield raw.hex()
    for encode in (b64encode, urlsafe_b64encode):
        whole = encode(raw).decode()
        yield from (whole, whole.rstrip("="))
        # In the middle of another base64 text (RFC 4648 4) a secret begins at one of three places; the
        # characters at its ends also depend on its neighbours.
        for before in range(3):
            shifted = encode(b"\0" * before + raw).decode().rstrip("=")
            inner = shifted[(before * 8 + 5) // 6 : (before + len(raw)) * 8 // 6]
            if len(inner) >= _RUN:
                yield inner
