"""The relays of the demo on 127.0.0.1, for as long as they are needed, and a config.yaml over their logs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from mailtrace_mcp.demo.door import Door, Visit
from mailtrace_mcp.demo.handover import LOOPBACK
from mailtrace_mcp.demo.logbook import LogBook
from mailtrace_mcp.demo.relay import Relay, Tempo
from mailtrace_mcp.demo.sites import DOMAIN, OUT, RECIPIENTS, SENDER, SITES, Site
from mailtrace_mcp.demo.throttle import Throttle

BULK = "bulk"
_LARGEST = 1 << 20  # bytes of a mail


@dataclass(frozen=True)
class Cluster:
    """The relays by name, the ports of their doors (the throttled one's is `bulk`), and the configuration
    that lies over their logs in `folder`."""

    folder: Path
    relays: dict[str, Relay]
    ports: dict[str, int]

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    async def settled(self) -> None:
        """Wait until nothing is to be expected soon: all delivered, given back, or put off for long."""
        while not all(relay.settled for relay in self.relays.values()):
            for relay in self.relays.values():  # from each a mail may come to the next
                await relay.calm()


@asynccontextmanager
async def cluster(
    folder: Path, tempo: Tempo, throttle: Throttle, sites: tuple[Site, ...] = SITES
) -> AsyncIterator[Cluster]:
    """All relays, with logs and config.yaml in `folder`. The first one has a second door, `bulk`, with
    the throttle. Mails that are in a queue at the end are gone."""
    neighbours: dict[str, tuple[Site, int]] = {}
    async with anyio.create_task_group() as tasks, AsyncExitStack() as stack:
        relays = {}
        for site in sites:
            log = LogBook(folder / f"{site.name}.log", site.name)
            stack.callback(log.close)
            relays[site.name] = Relay(site, log, neighbours, tempo, tasks)
        for name, relay in relays.items():
            port = await stack.enter_async_context(_listening(relay))
            neighbours[name] = (relay.site, port)
        first = relays[sites[0].name]
        ports = {name: port for name, (_, port) in neighbours.items()}
        ports[BULK] = await stack.enter_async_context(_listening(first, BULK, throttle))
        whole = Cluster(folder, relays, ports)
        whole.config.write_text(_config(sites, ports))
        yield whole
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def _listening(
    relay: Relay, service: str = "", throttle: Throttle | None = None
) -> AsyncIterator[int]:
    """A door of the relay on a free port; gives the port."""
    loop = asyncio.get_running_loop()

    def door() -> Door:
        return Door(
            Visit(relay, service, throttle), loop=loop, hostname=relay.site.full_name,
            ident="ESMTP relay of the demo", data_size_limit=_LARGEST,
        )  # fmt: skip

    server = await loop.create_server(door, LOOPBACK, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def _config(sites: tuple[Site, ...], ports: Mapping[str, int]) -> str:
    """What a user would write; quota enough for the demo, and nobody but its own domain."""
    hosts = "".join(
        f"  {one.name}: {{address: {one.address}, aliases: [{one.full_name}], timezone: UTC, "
        f"logs: {{kind: files, files: [{one.name}.log]}}}}\n"
        for one in sites
    )
    return (
        f"timezone: UTC\nhosts:\n{hosts}index: {{path: index}}\nsmtp:\n"
        f"  policy: {{recipient_domains: [{DOMAIN}], per_minute: 20, per_day: 20}}\n"
        f"  default: {OUT.name}\n  profiles:\n"
        f"    {OUT.name}: {{host: {LOOPBACK}, port: {ports[OUT.name]}, tls: none, from: {SENDER}, "
        f"to: [{', '.join(RECIPIENTS)}]}}\n"
        f"    {BULK}: {{host: {LOOPBACK}, port: {ports[BULK]}, tls: none, from: {SENDER}}}\n"
    )
