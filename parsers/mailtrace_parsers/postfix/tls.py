"""TLS lines, written by the libraries of smtpd(8), smtp(8), lmtp(8) and tlsproxy(8) alike."""

from __future__ import annotations

from mailtrace_parsers.events import Event, Tls
from mailtrace_parsers.peer import peer


def tls(text: str) -> Event | None:
    """`LEVEL TLS connection established|reused from|to PEER[ to SNI]: VERSION with cipher CIPHER (…`
    (tls/tls_misc.c tls_log_summary)."""
    words = text.split(" ", 6)
    if len(words) < 7 or words[1] != "TLS" or words[2] != "connection":
        return None
    name, rest = words[5], words[6]
    if not name.endswith(":"):  # the server's SNI stands behind its peer
        _, _, rest = rest.partition(": ")
    version, with_cipher, cipher = rest.partition(" with cipher ")
    who = peer(name.removesuffix(":"))
    if who is None or not with_cipher:
        return None
    return Tls(
        words[0], "to" if words[4] == "to" else "from", who, version, cipher.partition(" ")[0], text
    )
