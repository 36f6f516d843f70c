"""All checks at once, within one deadline: whatever hangs costs its own part of the answer only."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from mailtrace_mcp.checks import domains, hosts, profiles
from mailtrace_mcp.checks.finding import Examined, Sheet, timed_out
from mailtrace_mcp.config import Config
from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.gather import Progress

if TYPE_CHECKING:
    from mailtrace_mcp.checks.lookups import Lookups

_MOST_THREADS = 32
_MOST_PROFILES = 20  # connections at once
_SHARE = 0.95  # of the time: a profile then has words of its own for what was too slow


@dataclass(frozen=True)
class Wanted:
    """What is to be looked at: hosts by name, profiles, and the DNS of sending domains."""

    hosts: Sequence[str]
    profiles: bool = True
    dns: bool = True


@dataclass(frozen=True)
class Report:
    """What was found."""

    hosts: tuple[Examined, ...]
    profiles: tuple[Examined, ...]
    domains: tuple[Examined, ...]


class Round:
    """One look at all that is wanted."""

    def __init__(
        self,
        config: Config,
        wanted: Wanted,
        now: datetime,
        lookups: Lookups | None = None,
        progress: Progress | None = None,
    ) -> None:
        self._config = config
        self._lookups = lookups
        self._progress = progress
        self._stop = threading.Event()
        self._machines = hosts.machines(config, wanted.hosts, now, self._stop.is_set)
        smtp = config.smtp
        self._profiles = [Sheet(name) for name in smtp.profiles] if wanted.profiles else []
        selectors = domains.sending_domains(smtp) if wanted.dns else {}
        self._domains = [(Sheet(name), some) for name, some in selectors.items()]
        by_name = {name: sheet for one in self._machines for name, sheet in one.sheets.items()}
        self._hosts = [by_name[name] for name in wanted.hosts]
        self._done = 0

    async def run(self) -> Report:
        """Never raises for what a host, a server or the DNS does."""
        seconds = self._config.limits.deadline
        threads = anyio.CapacityLimiter(_MOST_THREADS)
        connections = anyio.CapacityLimiter(_MOST_PROFILES)
        try:
            with anyio.move_on_after(seconds):
                async with anyio.create_task_group() as group:
                    for machine in self._machines:
                        group.start_soon(self._machine, machine, threads)
                    for sheet in self._profiles:
                        group.start_soon(self._profile, sheet, seconds * _SHARE, connections)
                    for sheet, selectors in self._domains:
                        group.start_soon(self._domain, sheet, selectors)
        finally:
            self._stop.set()
        words, code = timed_out(seconds)
        return Report(
            _closed(self._hosts, words, code),
            _closed(self._profiles, words, Code.SMTP_TIMEOUT),
            _closed((sheet for sheet, _ in self._domains), words),
        )

    async def _machine(self, machine: hosts.Machine, threads: anyio.CapacityLimiter) -> None:
        await anyio.to_thread.run_sync(machine.examine, abandon_on_cancel=True, limiter=threads)
        for name in machine.sheets:
            await self._tell(name)

    async def _profile(
        self, sheet: Sheet, seconds: float, connections: anyio.CapacityLimiter
    ) -> None:
        sheet.begin("connect")
        until = anyio.current_time() + seconds
        async with connections:
            left = max(0.1, until - anyio.current_time())
            await profiles.examine(sheet, self._config, sheet.name, left)
        await self._tell(f"profile {sheet.name}")

    async def _domain(self, sheet: Sheet, selectors: Sequence[str]) -> None:
        await domains.examine(sheet, sheet.name, selectors, self._resolver())
        await self._tell(sheet.name)

    def _resolver(self) -> Lookups:
        if self._lookups is None:
            from mailtrace_mcp.checks.lookups import Lookups  # a tenth of a second to import

            self._lookups = Lookups()
        return self._lookups

    async def _tell(self, what: str) -> None:
        self._done += 1
        if self._progress is not None:
            total = len(self._hosts) + len(self._profiles) + len(self._domains)
            said = f"checked {what}, {self._done} of {total}"
            await self._progress(self._done, total, said)


def _closed(sheets: Iterable[Sheet], words: str, code: str | None = None) -> tuple[Examined, ...]:
    return tuple(sheet.closed(words, code) for sheet in sheets)
