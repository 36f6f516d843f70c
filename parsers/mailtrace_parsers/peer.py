"""The other end of a connection, as Postfix writes it."""

from __future__ import annotations

import re
from functools import lru_cache

from mailtrace_parsers.events import Peer

# A host name has at most 255 characters, a socket's path 108. Neither holds a blank or a bracket.
_PEER = re.compile(
    r"([^\s\[\]<>]{0,255})\[(?:([0-9A-Fa-f.:]{2,45}(?:%[A-Za-z0-9._-]{1,32})?)|([^\s\[\]]{1,108}))\](?::(\d{1,5}))?",
    re.ASCII,
)
_LONGEST = 400


def peer(text: str) -> Peer | None:
    """Read `NAME[ADDRESS]`, `NAME[ADDRESS]:PORT`, `[ADDRESS]:PORT` or `NAME[private/socket]`.

    Written by smtpd/smtpd.h SMTPD_BUILD_NAMADDRPORT, smtp/smtp_session.c and postscreen. An address that
    was not known (`unknown[unknown]`) gives None as `address`. None where the text is none of these.
    """
    if len(text) > _LONGEST:
        return None
    # With a client's port nothing comes twice; without, a client has several lines.
    return _read(text) if text.startswith("[") else _kept(text)


def _read(text: str) -> Peer | None:
    found = _PEER.fullmatch(text)
    if found is None:
        return None
    name, address, socket, port = found.groups()
    return Peer(
        name or None, address, int(port) if port else None, None if socket == "unknown" else socket
    )


_kept = lru_cache(maxsize=16384)(_read)
