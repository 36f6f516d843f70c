"""Secrets out of texts: whatever a server says back, our password is not in it (SAFETY.md 9)."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

STARS = "****"
_SHORTEST_FRAGMENT = 6


class Mask:
    """Replaces secrets in texts, in the forms in which a server could quote them. Shows none itself."""

    def __init__(self, *secrets: str) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.hide(secret)

    def __repr__(self) -> str:
        return f"Mask({STARS})"

    def hide(self, secret: str) -> None:
        """From now on hide this text too: raw, in base64 at any place, and URL-quoted."""
        new = {form for form in _forms(secret) if form} - self._forms
        if not new:
            return
        self._forms |= new
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
        """The text with stars in the place of each secret."""
        return text if self._pattern is None else self._pattern.sub(STARS, text)


def _forms(secret: str) -> Iterator[str]:
    raw = secret.encode("utf-8", "surrogateescape")
    whole = b64encode(raw).decode()
    yield from (secret, quote(secret), quote(secret, safe=""), quote_plus(secret))
    yield from (whole, whole.rstrip("="))
    # In the middle of another base64 text (RFC 4648 4) a secret begins at one of three places; the
    # characters at its ends also depend on its neighbours.
    for before in range(3):
        shifted = b64encode(b"\0" * before + raw).decode().rstrip("=")
        inner = shifted[(before * 8 + 5) // 6 : (before + len(raw)) * 8 // 6]
        if len(inner) >= _SHORTEST_FRAGMENT:
            yield inner
