"""Names and addresses under which hosts are known: one spelling for each, and whose it is.

Only exact matches count. The first label of a name says nothing: `mx1.example.com` may be a
stranger's.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache


@lru_cache(maxsize=8192)  # the same few hosts stand in every line
def canonical(name: str) -> str:
    """`name` as it is compared: lower case, without brackets and trailing dot; an IP address in its
    shortest form (an IPv4-mapped IPv6 address as IPv4)."""
    bare = name.strip()
    if bare.startswith("[") and bare.endswith("]"):
        bare = bare[1:-1]
    bare = bare.casefold().removeprefix("ipv6:").removesuffix(".")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return bare
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)


def is_loopback(name: str) -> bool:
    """localhost and its addresses: every host is meant by them, so they name none."""
    bare = canonical(name)
    if bare in ("localhost", "localhost.localdomain"):
        return True
    try:
        return ipaddress.ip_address(bare).is_loopback
    except ValueError:
        return False


class TakenError(Exception):
    """A name stands for `owner` already."""

    def __init__(self, owner: str) -> None:
        super().__init__(owner)
        self.owner = owner


class Names:
    """Whose a name or an address is; filled once, while the configuration is loaded."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}

    def add(self, name: str, owner: str) -> None:
        """Raises TakenError if it is another's. A loopback name or address is left out."""
        if is_loopback(name):
            return
        present = self._owners.setdefault(canonical(name), owner)
        if present != owner:
            raise TakenError(present)

    def owner(self, name: str) -> str | None:
        return self._owners.get(canonical(name))
