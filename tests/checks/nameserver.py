"""A real DNS server on loopback, by UDP and TCP, that knows what a test tells it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from mailtrace_mcp.checks.lookups import Lookups

LARGEST_UDP = 512  # bytes, RFC 1035 4.2.1


@dataclass
class NameServer:
    """`records`: (name, type) → rdata as a zone file has it. Names without a record do not exist. Of
    `failing` names it says SERVFAIL, of `silent` ones nothing. `asked` is what came, by which way."""

    records: Mapping[tuple[str, str], Sequence[str]]
    failing: Sequence[str] = ()
    silent: Sequence[str] = ()
    port: int = 0
    asked: list[tuple[str, str, str]] = field(default_factory=list)

    def lookups(self, seconds: float = 5.0) -> Lookups:
        return Lookups(["127.0.0.1"], self.port, seconds)

    def answer(self, wire: bytes, way: str) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True)
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind, way))
        if name in self.silent:
            return None
        reply = dns.message.make_response(query)
        if name in self.failing:
            reply.set_rcode(dns.rcode.SERVFAIL)
        elif name not in {known for known, _ in self.records}:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif found := self.records.get((name, kind)):
            reply.answer.append(
                dns.rrset.from_text(question.name, 60, dns.rdataclass.IN, question.rdtype, *found)
            )
        made = reply.to_wire(max_size=65535)
        if way == "udp" and len(made) > LARGEST_UDP:
            reply.answer.clear()
            reply.flags |= dns.flags.TC
            made = reply.to_wire()
        return made


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = self._server.answer(data, "udp")
        if answer is not None:
            self._transport.sendto(answer, addr)


@asynccontextmanager
async def nameserver(
    records: Mapping[tuple[str, str], Sequence[str]],
    failing: Sequence[str] = (),
    silent: Sequence[str] = (),
) -> AsyncIterator[NameServer]:
    """The server, for as long as it is needed."""
    server = NameServer(records, failing, silent)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = int.from_bytes(await reader.readexactly(2))
        answer = server.answer(await reader.readexactly(size), "tcp")
        if answer is not None:
            writer.write(len(answer).to_bytes(2) + answer)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    streams = await asyncio.start_server(talk, "127.0.0.1", 0)
    server.port = streams.sockets[0].getsockname()[1]
    udp, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Udp(server), ("127.0.0.1", server.port)
    )
    try:
        yield server
    finally:
        udp.close()
        streams.close()
        await asyncio.sleep(0)
