"""The demo's relays without a pause, and a mail given to them as any client would."""

from __future__ import annotations

import re
import smtplib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from mailtrace_mcp.demo.cluster import Cluster, cluster
from mailtrace_mcp.demo.relay import Tempo
from mailtrace_mcp.demo.sites import SENDER, SITES, Site
from mailtrace_mcp.demo.throttle import Throttle
from mailtrace_parsers.entry import Clock, Entry
from mailtrace_parsers.read import read, records

AT_ONCE = Tempo(pause=0.0, backoff=(300.0,))
MAIL = (
    b"From: <mailtrace@demo.example>\r\nMessage-ID: <1@demo.example>\r\nSubject: one\r\n\r\n.\r\n"
)
LONGEST = 60.0


@asynccontextmanager
async def relays(
    folder: Path,
    tempo: Tempo = AT_ONCE,
    throttle: Throttle | None = None,
    sites: tuple[Site, ...] = SITES,
) -> AsyncIterator[Cluster]:
    """All relays."""
    with anyio.fail_after(LONGEST):
        async with cluster(folder, tempo, throttle or Throttle(60, 1), sites) as found:
            yield found


async def give(
    port: int, recipients: Sequence[str], sender: str = SENDER, mail: bytes = MAIL
) -> dict[str, tuple[int, bytes]]:
    """Hand a mail to the relay on this port; gives who was refused, and how."""
    return await anyio.to_thread.run_sync(partial(_give, port, tuple(recipients), sender, mail))


def _give(
    port: int, recipients: Sequence[str], sender: str, mail: bytes
) -> dict[str, tuple[int, bytes]]:
    with smtplib.SMTP("127.0.0.1", port, "client.example", timeout=LONGEST) as client:
        return client.sendmail(sender, recipients, mail)


def entries(folder: Path, host: str) -> list[Entry]:
    """Every line of a relay's log, as our reader understands it."""
    raw = (folder / f"{host}.log").read_bytes()
    assert raw.endswith(b"\n")
    clock = Clock(UTC, datetime.now(UTC))
    return [read(line, clock, host=host, order=order) for order, line in enumerate(records(raw))]


async def until(so: Callable[[], bool]) -> None:
    """Wait until it is so; `relays` ends what would never be."""
    while True:
        if so():
            return
        await anyio.sleep(0.02)


def way(mail: bytes) -> list[tuple[str, str]]:
    """Host and queue ID of each hop, the first one first, out of the mail itself."""
    headers = mail.partition(b"\r\n\r\n")[0]
    found = re.findall(rb"by (\w+)\.demo\.example \(.*?\) with ESMTP id (\w+);", headers)
    return [(host.decode(), queue_id.decode()) for host, queue_id in reversed(found)]
