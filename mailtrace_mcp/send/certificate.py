"""From when to when a certificate is valid, out of its DER bytes (X.690, RFC 5280 4.1). Pure.

Python shows the fields of a certificate only after it was verified; that one has expired is what
somebody wants to know when it was not.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

_VERSION, _UTC_TIME, _GENERALIZED_TIME = 0xA0, 0x17, 0x18


def validity(der: bytes) -> tuple[datetime, datetime] | None:
    """The first and the last moment, or None for bytes that are no certificate."""
    try:
        certificate = next(_values(der))[1]
        fields = list(_values(next(_values(certificate))[1]))
        # TBSCertificate: [0] version (optional), serial, signature, issuer, validity, subject, …
        place = 4 if fields[0][0] == _VERSION else 3
        first, last = _values(fields[place][1])
        return _moment(*first), _moment(*last)
    except (StopIteration, IndexError, ValueError):
        return None


def _values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The tag and content of each value that stands in `data`."""
    place = 0
    while place < len(data):
        tag, length = data[place], data[place + 1]
        place += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[place : place + size])
            place += size
        if place + length > len(data):
            raise ValueError("cut off")
        yield tag, data[place : place + length]
        place += length


def _moment(tag: int, content: bytes) -> datetime:
    text = content.decode("ascii")
    if tag == _UTC_TIME:  # RFC 5280 4.1.2.5.1: two digits of the year, 50 and more are 19xx
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("no time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
