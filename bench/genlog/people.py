"""Who mails with whom: addresses, servers and processes, drawn from pools by a seed.

Few names are frequent and many are rare (Zipf), as in a real log: an index lives by that.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

DOMAIN = "example.net"  # ours
_OURS = (DOMAIN, "example.org", "corp.example.net", "lists.example.net")
_LARGE = tuple(f"{name}.example" for name in "bigmail outmail yamail icymail gmxmail qmail".split())
_ENDINGS = ("example", "test", "de.example", "fr.example", "co.test", "tw.example", "jp.test")
_SYLLABLES = (
    "ba co di fu ga he in jo ka lo ma ne or pa qu ri sa to ul ve wi xa yo za"
    " ber con del ful gra hel ing jor"
).split()
_BASE_52 = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
_POOL = 1 << 16  # as many draws are made beforehand: 16 random bits choose one


class People:
    """Each method draws anew. `long_ids`: queue IDs of enable_long_queue_ids."""

    def __init__(self, seed: int, long_ids: bool = False) -> None:
        self.random = random.Random(seed)
        self.bits = self.random.getrandbits
        self._long_ids = long_ids
        self.domains = [*_LARGE, *(self._domain() for _ in range(6000))]
        names = [self._name() for _ in range(30_000)]
        names[777:780] = ['"john doe"', "o'brien+tag=x", "jörg.müller"]
        self._domain_pool = self._drawn(self.domains, 1.05)
        self._name_pool = self._drawn(names, 0.6)
        self._own_pool = [
            f"{names[self.bits(16) % 4000]}@{_OURS[self.bits(2)] if not self.bits(2) else DOMAIN}"
            for _ in range(_POOL)
        ]
        self._clients = [self._client() for _ in range(8192)]
        self._relays: dict[str, str] = {}
        self._pids = [1000 + self.bits(15) for _ in range(64)]

    def word(self, syllables: int) -> str:
        """A word that nobody has heard before, perhaps."""
        return "".join(_SYLLABLES[self.bits(5)] for _ in range(syllables))

    def stranger(self) -> str:
        """An address of somebody else."""
        return f"{self._name_pool[self.bits(16)]}@{self.stranger_domain()}"

    def stranger_domain(self) -> str:
        return self._domain_pool[self.bits(16)]

    def own(self) -> str:
        """An address of ours."""
        return self._own_pool[self.bits(16)]

    def is_own(self, address: str) -> bool:
        return address.rpartition("@")[2] in _OURS

    def client(self) -> tuple[str, str]:
        """Name and address of an SMTP client."""
        return self._clients[self.bits(13)]

    def relay(self, domain: str) -> str:
        """The mail exchanger of a domain as smtp(8) writes it, always the same."""
        if domain not in self._relays:
            self._relays[domain] = f"mx{1 + self.bits(1)}.{domain}[{self.address()}]:25"
        return self._relays[domain]

    def address(self) -> str:
        """An IPv4 address of 198.18.0.0/15."""
        return f"198.{18 + self.bits(1)}.{self.bits(8)}.{1 + self.bits(8) % 254}"

    def port(self) -> int:
        return 1024 + self.bits(15)

    def pid(self, number: int | None = None) -> int:
        """Of any process, or always of the same one."""
        return self._pids[self.bits(6) if number is None else number]

    def queue_id(self, second: float) -> str:
        """A queue ID (global/mail_queue.h) that was made at this second of the log."""
        if not self._long_ids:
            return f"{self.bits(20):05X}{0x400000 + self.bits(20):06X}"
        left, digits = 1_700_000_000 + int(second), ""
        while left:
            left, digit = divmod(left, 52)
            digits = _BASE_52[digit] + digits
        tail = "".join(_BASE_52[self.bits(8) % 51] for _ in range(8))
        return f"{digits}{tail[:4]}z{tail[4:]}"

    def _drawn(self, some: Sequence[str], exponent: float) -> list[str]:
        weights = [1 / (rank + 1) ** exponent for rank in range(len(some))]
        return self.random.choices(some, weights, k=_POOL)

    def _domain(self) -> str:
        dashed = f"-{self.word(1)}" if not self.bits(2) else ""
        return f"{self.word(2 + self.bits(1))}{dashed}.{_ENDINGS[self.bits(8) % len(_ENDINGS)]}"

    def _name(self) -> str:
        if self.bits(1):
            return f"{self.word(2)}.{self.word(2)}"
        return f"{self.word(3)}{self.bits(6)}"

    def _client(self) -> tuple[str, str]:
        known = (
            f"mail-{self.word(1)}{self.bits(8)}.{self.domains[self.bits(16) % len(self.domains)]}"
        )
        return (known if self.bits(2) else "unknown"), self.address()
