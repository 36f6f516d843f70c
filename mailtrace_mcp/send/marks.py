"""Where a rendered mail differs from the next one of its kind: its id, its date, the time in words. Pure."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime


@dataclass(frozen=True)
class Marks:
    """Texts that stand for the values until these are known; nothing else in the mail is equal to them.
    `boundary` stays as it is: between the parts of a multipart body (RFC 2046 5.1.1)."""

    unique: str
    time: str
    date: str
    boundary: str

    @classmethod
    def of(cls, *content: bytes) -> Marks:
        """Marks that the content cannot hold: they are made of its SHA-256."""
        digest = hashlib.sha256(b"\0".join(content)).hexdigest()
        other = hashlib.sha256(digest.encode()).hexdigest()
        return cls(digest[:16], digest[16:35], digest[35:64], other[:32])

    def split(self, raw: bytes) -> tuple[bytes, ...]:
        """The rendered mail in parts; every second one is a mark."""
        return tuple(re.split(f"({self.unique}|{self.time}|{self.date})".encode(), raw))

    def values(self, at: datetime, unique: str) -> dict[bytes, bytes]:
        """What stands for each mark: RFC 5322 3.3 for the date; all of them ASCII."""
        return {
            self.unique.encode(): unique.encode(),
            self.time.encode(): time_in_words(at).encode(),
            self.date.encode(): format_datetime(at).encode(),
        }

    def fill(self, text: str, at: datetime, unique: str) -> str:
        """A text with its marks filled in."""
        return text.replace(self.unique, unique).replace(self.time, time_in_words(at))


def time_in_words(at: datetime) -> str:
    """`2026-11-21 15:04:05`."""
    return at.isoformat(" ", "seconds")[:19]
