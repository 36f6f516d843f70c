"""Mails on a schedule, over few connections, with retries where they are safe.

One mail is a run of one. A Run keeps what was done as it is done, so that nothing of it is lost when
it is cancelled.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import inf

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from mailtrace_mcp.errors import MailtraceError
from mailtrace_mcp.send import failures
from mailtrace_mcp.send.addresses import Address
from mailtrace_mcp.send.attempts import Account, Attempt, Peer, Refusal
from mailtrace_mcp.send.channel import Channel, Way, Ways
from mailtrace_mcp.send.compose import Mail
from mailtrace_mcp.send.dialogue import MAIL_STAGES
from mailtrace_mcp.send.records import Record, record
from mailtrace_mcp.send.routes import Timeouts
from mailtrace_mcp.send.schedule import Load

Progress = Callable[[int, int, str], Awaitable[None]]
Told = Callable[[Attempt, Peer | None], None]

MOST_PARALLEL = 20
MOST_PER_HOST = 10
RETRIES, PAUSE = 3, 5.0


@dataclass(frozen=True)
class Effort:
    """How hard to try. `retries` of what is temporary, after `pause` seconds × 2^n; connections in
    `parallel`, of which one host gets `per_host` at most; `deadline` a moment of anyio's clock."""

    retries: int = 0
    pause: float = PAUSE
    parallel: int = 1
    per_host: int = MOST_PER_HOST
    deadline: float = inf
    timeouts: Timeouts = field(default_factory=Timeouts)

    @property
    def connections(self) -> int:
        """A run talks to one host at a time, so the smaller limit counts."""
        return max(1, min(self.parallel, self.per_host, MOST_PARALLEL))


@dataclass
class Done:
    """What came of a run so far: a record per mail and recipient once that is decided; those refused;
    `account` of the first connection that failed, else of the latest; the first `failure`; `spent`, the
    recipients that a server was asked to take."""

    records: list[Record] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    account: Account | None = None
    failure: MailtraceError | None = None
    spent: int = 0

    def asked(self, attempt: Attempt) -> None:
        """A mail was tried for the first time."""
        if attempt.failure is None or attempt.failure.stage in MAIL_STAGES:
            self.spent += len(attempt.mail.recipients)

    def decide(self, attempt: Attempt, final: Collection[Address]) -> None:
        """What the attempt was for these recipients, who get no other one."""
        self.records += [record(attempt, one) for one in final]
        self.refused += [one for one in attempt.refused if one.recipient in final]
        self.warnings += [one for one in attempt.warnings if one not in self.warnings]
        if final and self.failure is None:
            self.failure = attempt.failure


@dataclass(eq=False)
class _Job:
    """A mail that is due: its id and time from the first try on, and for whom it is still open."""

    unique: str
    at: datetime | None = None
    recipients: tuple[Address, ...] | None = None
    tries: int = 0
    last: Attempt | None = None

    def mail(self, way: Way, now: Callable[[], datetime]) -> Mail:
        """The mail as it goes this way; the same Message-ID at every try."""
        self.at = self.at or now()
        mail = way.pattern.mail(self.at, self.unique)
        return mail if self.recipients is None else mail.only(self.recipients)


class Run:
    """A load sent over the first way, or over the next one where a server is not there at all.

    `now` gives each mail its time, aware, in the zone to show; `told` hears of every attempt.
    """

    def __init__(
        self,
        ways: Sequence[Way],
        load: Load,
        effort: Effort,
        now: Callable[[], datetime],
        told: Told = lambda attempt, peer: None,
    ) -> None:
        self.done = Done()
        self._ways = Ways(ways)
        self._load, self._effort = load, effort
        self._now, self._told = now, told
        self._open = self._finished = 0
        self._waiting: list[_Job] = []
        self._produced = False
        self._idle, self._stopped = anyio.Event(), anyio.Event()

    async def go(self, progress: Progress | None = None) -> None:
        """Send. Raises nothing for what servers do; cancelled, `done` holds what was done."""
        jobs, takers = anyio.create_memory_object_stream[_Job](inf)
        try:
            async with anyio.create_task_group() as tasks, jobs, takers:
                for _ in range(min(self._effort.connections, self._load.count)):
                    tasks.start_soon(self._work, takers.clone(), jobs, tasks, progress)
                await self._produce(jobs)
                self._produced = True
                if self._open:
                    await self._idle.wait()
        finally:
            for job in self._waiting:  # cancelled: what was refused for now is refused
                self._give_up(job)

    async def _produce(self, jobs: MemoryObjectSendStream[_Job]) -> None:
        """A job at each moment that a mail is due, until the run is stopped."""
        began = anyio.current_time()
        for moment in self._load.due():
            await self._pause(began + moment - anyio.current_time())
            if anyio.current_time() >= self._effort.deadline:
                late = failures.out_of_time("connect", self._ways.current.route.server)
                self.done.failure = self.done.failure or late
                self._stopped.set()
            if self._stopped.is_set():
                return
            self._open += 1
            jobs.send_nowait(_Job(secrets.token_hex(8)))

    async def _work(
        self,
        takers: MemoryObjectReceiveStream[_Job],
        jobs: MemoryObjectSendStream[_Job],
        tasks: TaskGroup,
        progress: Progress | None,
    ) -> None:
        """One connection's share of the mails."""
        effort = self._effort
        channel = Channel(self._ways, effort.timeouts, effort.deadline)
        try:
            async with takers:
                async for job in takers:
                    if job in self._waiting:
                        self._waiting.remove(job)
                    if await self._try(job, channel):
                        self._waiting.append(job)
                        tasks.start_soon(self._later, job, jobs)
                    else:
                        await self._finish(progress)
            await channel.close()
        finally:
            self._account(channel)
            channel.drop()

    async def _try(self, job: _Job, channel: Channel) -> bool:
        """One attempt at a mail; whether there is to be another."""
        if self._stopped.is_set():
            self._give_up(job)
            return False
        try:
            attempt = await channel.hand_over(lambda way: job.mail(way, self._now))
        except MailtraceError as error:
            self.done.failure = self.done.failure or error
            self._stopped.set()
            self._give_up(job)
            return False
        except BaseException:
            if cut_off := channel.interrupted():
                self._note(job, cut_off, channel, cut_off.mail.recipients)
            raise
        again = attempt.again if job.tries < self._effort.retries else ()
        final = [one for one in attempt.mail.recipients if one not in again]
        self._note(job, attempt, channel, final)
        job.tries, job.recipients, job.last = job.tries + 1, again, attempt
        failure = attempt.failure
        if failure is not None and failure.stage not in MAIL_STAGES and not again:
            self._stopped.set()  # the next mail would fare no better, and a login be locked
        return bool(again)

    def _note(
        self, job: _Job, attempt: Attempt, channel: Channel, final: Collection[Address]
    ) -> None:
        if job.tries == 0:
            self.done.asked(attempt)
        if attempt.failure is not None and self.done.failure is None:
            self._account(channel)
        self.done.decide(attempt, final)
        try:
            self._told(attempt, channel.peer)
        except MailtraceError as error:  # it could not be written down: no more mails then
            self.done.failure = self.done.failure or error
            self._stopped.set()

    def _account(self, channel: Channel) -> None:
        """The first connection that failed is the one to be told about."""
        if self.done.failure is None or self.done.account is None or self._load.count == 1:
            self.done.account = channel.account() or self.done.account

    def _give_up(self, job: _Job) -> None:
        """A mail that waited for another try does not get it."""
        if job.last is not None:
            self.done.decide(job.last, job.recipients or ())

    async def _later(self, job: _Job, jobs: MemoryObjectSendStream[_Job]) -> None:
        await self._pause(self._effort.pause * 2 ** (job.tries - 1))
        jobs.send_nowait(job)

    async def _pause(self, seconds: float) -> None:
        """Wait; less when the run is stopped, and never past its deadline."""
        if seconds > 0:
            with anyio.move_on_after(min(seconds, self._effort.deadline - anyio.current_time())):
                await self._stopped.wait()

    async def _finish(self, progress: Progress | None) -> None:
        """A mail is decided, or given up."""
        self._open -= 1
        self._finished += 1
        if progress is not None:
            await progress(self._finished, self._load.count, f"{self._finished} mails handled")
        if self._produced and not self._open:
            self._idle.set()
