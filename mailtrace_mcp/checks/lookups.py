"""The DNS. The only file that knows dnspython.

Only names that come from the configuration are asked for. Answers are strangers' text.
"""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver
from dns.rdatatype import AAAA, MX, TXT, A, RdataType
from dns.rdtypes.ANY import MX as MX_RECORD
from dns.rdtypes.ANY import TXT as TXT_RECORD

SECONDS = 8.0  # for one name, all servers and tries together
_ONE_TRY = 3.0
_MOST_AT_ONCE = 20


class LookupFailedError(Exception):
    """No answer came, which says nothing about the name: `str` tells what happened, `advice` what to do."""

    def __init__(self, words: str, advice: str) -> None:
        super().__init__(words)
        self.advice = advice


class NoSuchNameError(Exception):
    """The name does not exist, with any type of record (NXDOMAIN)."""


class Lookups:
    """Asks the servers of /etc/resolv.conf, or `servers` (addresses) on `port`. `seconds` for a name."""

    def __init__(
        self, servers: Sequence[str] = (), port: int = 53, seconds: float = SECONDS
    ) -> None:
        self._servers = list(servers)
        self._port = port
        self._seconds = seconds
        self._turns = anyio.CapacityLimiter(_MOST_AT_ONCE)

    async def texts(self, name: str) -> tuple[str, ...]:
        """The TXT records of a name, the strings of each joined; none if there is no such name.
        Bytes that are not UTF-8 come out as surrogates. Raises LookupFailedError."""
        try:
            found = await self._asked(name, TXT)
        except NoSuchNameError:
            return ()
        texts = [b"".join(one.strings) for one in found if isinstance(one, TXT_RECORD.TXT)]
        return tuple(text.decode("utf-8", "surrogateescape") for text in texts)

    async def mail_exchangers(self, name: str) -> tuple[tuple[int, str], ...]:
        """(preference, host name without its last dot; empty for the null MX), the preferred first.
        Raises NoSuchNameError, LookupFailedError."""
        found = await self._asked(name, MX)
        records = [
            (one.preference, one.exchange.to_text(omit_final_dot=True).removesuffix("."))
            for one in found
            if isinstance(one, MX_RECORD.MX)
        ]
        return tuple(sorted(records))

    async def has_address(self, name: str) -> bool:
        """Whether it has an A or AAAA record. Raises NoSuchNameError, LookupFailedError."""
        return bool(await self._asked(name, A) or await self._asked(name, AAAA))

    async def _asked(self, name: str, kind: RdataType) -> list[object]:
        try:
            whole = dns.name.from_text(name)
        except (dns.exception.DNSException, UnicodeError):
            raise NoSuchNameError from None
        async with self._turns:
            try:
                answer = await self._resolver().resolve(
                    whole, kind, raise_on_no_answer=False, search=False
                )
            except dns.resolver.NXDOMAIN:
                raise NoSuchNameError from None
            except (dns.exception.DNSException, OSError) as error:
                raise _failed(error, self._seconds) from None
        return list(answer.rrset or ())

    def _resolver(self) -> dns.asyncresolver.Resolver:
        """Raises dns.resolver.NoResolverConfiguration."""
        made = dns.asyncresolver.Resolver(configure=not self._servers)
        if self._servers:
            made.nameservers, made.port = list(self._servers), self._port
        made.timeout, made.lifetime = min(_ONE_TRY, self._seconds), self._seconds
        return made


def _failed(error: Exception, seconds: float) -> LookupFailedError:
    """What the library raises, without the names and addresses that it quotes."""
    if isinstance(error, dns.resolver.NoResolverConfiguration):
        return LookupFailedError(
            "this machine has no DNS server configured", "Name one in /etc/resolv.conf."
        )
    if isinstance(error, dns.exception.Timeout):
        return LookupFailedError(
            f"no DNS server answered within {seconds:g} s",
            "Check the DNS servers of this machine (/etc/resolv.conf) and the way to them (port 53, UDP "
            "and TCP).",
        )
    return LookupFailedError(
        "the DNS servers gave no usable answer",
        "Ask again. If it stays, either this machine's DNS servers fail, or the name servers of the domain "
        "do, or its DNSSEC is broken; others cannot look it up then, either.",
    )
