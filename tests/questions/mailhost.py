"""A host for a mail's whole way: a real aiosmtpd that takes it, and a log that grows as Postfix's would.

The log is what stands in for Postfix: each mail's lines come in two parts, as it is queued and as it is
delivered (or deferred, or bounced) `delay` seconds later.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal

from tests.send.peers.sink import Received, Sink, sink

FATES = {
    "deferred": "dsn=4.2.0, status=deferred (host mx.example.com[198.51.100.7] said: 450 4.2.0 later)",
    "bounced": "dsn=5.1.1, status=bounced (host mx.example.com[198.51.100.7] said: 550 5.1.1 unknown)",
}
SENT = "dsn=2.0.0, status=sent (delivered to maildir)"


@dataclass
class MailHost:
    """The server, the folder with its configuration and log, and how the mail of whom ends (`fates`).
    `split`: each recipient gets a queue file of its own, `pause` after the one before."""

    folder: Path
    delay: float = 0.3
    fates: dict[str, str] = field(default_factory=dict)
    server: Sink = field(default_factory=Sink)
    policy: str = "recipient_domains: [lab.example], per_minute: 100"
    rest: str = ""
    split: bool = False
    pause: float = 2.5

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    def write(self) -> None:
        """The configuration, and a log that begins before now."""
        policy = f"  policy: {{{self.policy}}}\n" if self.policy else ""
        self.config.write_text(
            "timezone: UTC\n"
            "hosts: {mx1: {address: 192.0.2.1, logs: {files: [mx1.log]}}}\n"
            f"smtp:\n{policy}  default: lab\n  profiles:\n"
            f"    lab: {{host: 127.0.0.1, port: {self.server.port}, tls: none, from: me@lab.example, "
            f"to: [a@lab.example]}}\n{self.rest}"
        )
        self.log("postfix-script[1]: starting the Postfix mail system", "2026-01-01T00:00:00+00:00")

    def log(self, text: str, stamp: str | None = None) -> None:
        stamp = stamp or datetime.now().astimezone().isoformat(timespec="microseconds")
        with (self.folder / "mx1.log").open("a") as file:
            file.write(f"{stamp} mx1 postfix/{text}\n")

    async def keep(self) -> None:
        """Log what the server takes, until cancelled."""
        known = 0
        while True:
            for mail in self.server.mails[known:]:
                known += 1
                for part in self._parts(mail):
                    self._queued(part, self.server.message_ids[known - 1])
                    await asyncio.sleep(self.delay)
                    self._ended(part)
                    await asyncio.sleep(self.pause if self.split else 0)
            await asyncio.sleep(0.01)

    def _parts(self, mail: Received) -> Iterator[Received]:
        """The mail, or with `split` one for each recipient, the second after the first has ended."""
        if not self.split:
            yield mail
            return
        for number, one in enumerate(mail.recipients):
            queue_id = mail.queue_id if not number else f"{mail.queue_id[:-1]}{number}"
            yield replace(mail, recipients=[one], queue_id=queue_id)

    def _queued(self, mail: Received, message_id: str) -> None:
        self.log(f"smtpd[1]: {mail.queue_id}: client=pc.example.net[203.0.113.9]")
        self.log(f"cleanup[2]: {mail.queue_id}: message-id=<{message_id}>")
        self.log(
            f"qmgr[3]: {mail.queue_id}: from=<{mail.sender}>, size=500, nrcpt={len(mail.recipients)} "
            "(queue active)"
        )

    def _ended(self, mail: Received) -> None:
        for one in mail.recipients:
            fate = FATES.get(self.fates.get(one, ""), SENT)
            agent = "local[4]" if fate is SENT else "smtp[4]"
            relay = "local" if fate is SENT else "mx.example.com[198.51.100.7]:25"
            self.log(
                f"{agent}: {mail.queue_id}: to=<{one}>, relay={relay}, delay=0.1, delays=0.1/0/0/0, {fate}"
            )
        if "deferred" not in self.fates.values():
            self.log(f"qmgr[3]: {mail.queue_id}: removed")


@asynccontextmanager
async def mailhost(
    folder: Path,
    refuse: dict[str, str] | None = None,
    fates: dict[str, str] | None = None,
    delay: float = 0.3,
    **more: Any,
) -> AsyncIterator[MailHost]:
    """The host, for as long as it is needed."""
    async with sink(refuse) as server:
        host = MailHost(folder, delay, fates or {}, server, **more)
        host.write()
        keeping = asyncio.create_task(host.keep())
        try:
            yield host
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping


@contextmanager
def mailhost_in_a_thread(folder: Path, **more: object) -> Iterator[MailHost]:
    """The same for what is not async."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(mailhost(folder, **more)) as host,  # type: ignore[arg-type]
    ):
        yield host


def own_state(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Quota and audit in the test's own folder; gives the audit file."""
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    return folder / "state" / "mailtrace" / "audit.jsonl"


def environment(folder: Path) -> dict[str, str]:
    """The same for a process."""
    return {**os.environ, "XDG_STATE_HOME": str(folder / "state")}
