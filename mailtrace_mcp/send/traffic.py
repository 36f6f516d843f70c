"""Mails on a schedule, over few connections, with retries where they are safe.

One mail is a run of one. A Run keeps what was done as it is done, so that nothing of it is lost when
it is cancelled.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from math import inf

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from mailtrace_mcp.errors import MailtraceError
from mailtrace_mcp.send import failures
from mailtrace_mcp.send.addresses import Address
from mailtrace_mcp.send.attempts import Attempt, Peer
from mailtrace_mcp.send.channel import Begun, Channel, Way, Ways
from mailtrace_mcp.send.counting import counted
from mailtrace_mcp.send.dialogue import MAIL_STAGES
from mailtrace_mcp.send.effort import Effort, Gate
from mailtrace_mcp.send.schedule import Load
from mailtrace_mcp.send.tally import Done, Job

__all__ = ["Done", "Effort", "Progress", "Run", "Told"]

Progress = Callable[[int, int, str], Awaitable[None]]
Told = Callable[[Attempt, Peer | None], None]

_ASK_AGAIN = 2.0  # seconds: another run may have ended by then, and left room


class Run:
    """A load sent over the first way, or over the next one where a server is not there at all.

    `now` gives each mail its time, aware, in the zone to show; `begun` hears of every attempt before
    the server does, `told` what came of it; `gate` lets each mail through (None: at once).
    """

    def __init__(
        self,
        ways: Sequence[Way],
        load: Load,
        effort: Effort,
        now: Callable[[], datetime],
        told: Told = lambda attempt, peer: None,
        begun: Begun | None = None,
        gate: Gate | None = None,
    ) -> None:
        self.done = Done()
        self._ways = Ways(ways)
        self._load, self._effort = load, effort
        self._now, self._begun, self._told, self._gate = now, begun, told, gate
        self._open = self._finished = 0
        self._waiting: list[Job] = []
        self._produced = False
        self._idle, self._stopped = anyio.Event(), anyio.Event()

    async def go(self, progress: Progress | None = None) -> None:
        """Send. Raises nothing for what servers do; cancelled, `done` holds what was done."""
        jobs, takers = anyio.create_memory_object_stream[Job](inf)
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

    async def _produce(self, jobs: MemoryObjectSendStream[Job]) -> None:
        """A job at each moment that a mail is due, until the run is stopped."""
        began = anyio.current_time()
        for moment in self._load.due():
            await self._pause(began + moment - anyio.current_time())
            if self._late:
                self._stop(failures.out_of_time("connect", self._ways.current.route.server))
            if self._stopped.is_set():
                return
            self._open += 1
            jobs.send_nowait(Job(secrets.token_hex(8)))

    async def _work(
        self,
        takers: MemoryObjectReceiveStream[Job],
        jobs: MemoryObjectSendStream[Job],
        tasks: TaskGroup,
        progress: Progress | None,
    ) -> None:
        """One connection's share of the mails."""
        effort = self._effort
        channel = Channel(self._ways, effort.timeouts, effort.deadline, self._begun)
        try:
            async with takers:
                async for job in takers:
                    if job in self._waiting:
                        self._waiting.remove(job)
                    if await self._try(job, channel):
                        self._waiting.append(job)
                        tasks.start_soon(self._later, job, jobs)
                    else:
                        await self._finish(job, progress)
            await channel.close()
        finally:
            self._account(channel)
            channel.drop()

    async def _try(self, job: Job, channel: Channel) -> bool:
        """One attempt at a mail; whether there is to be another."""
        try:
            if not await self._let_through(job):
                self._give_up(job)
                return False
            attempt = await channel.hand_over(lambda way: job.mail(way, self._now))
        except MailtraceError as error:
            self._stop(error)
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

    async def _let_through(self, job: Job) -> bool:
        """Wait for the mail's turn; False when the run is over before it comes."""
        while not self._stopped.is_set():
            if job.let_through or self._gate is None:
                return True
            seconds = await self._gate.ask()
            job.let_through = seconds == 0
            await self._pause(min(seconds, _ASK_AGAIN))
            if seconds and self._late:
                self._stop(self._gate.refusal)
        return False

    def _note(
        self, job: Job, attempt: Attempt, channel: Channel, final: Collection[Address]
    ) -> None:
        if attempt.reached_mail and not job.counted:
            job.counted = True
            self.done.spent += len(attempt.mail.recipients)
        if attempt.failure is not None and self.done.failure is None:
            self._account(channel)
        self.done.decide(attempt, final)
        try:
            self._told(attempt, channel.peer)
        except MailtraceError as error:  # it could not be written down: no more mails then
            self._stop(error)

    def _account(self, channel: Channel) -> None:
        """The first connection that failed is the one to be told about."""
        if self.done.failure is None or self.done.account is None or self._load.count == 1:
            self.done.account = channel.account() or self.done.account

    def _give_up(self, job: Job) -> None:
        """A mail that waited for another try does not get it."""
        if job.last is not None:
            self.done.decide(job.last, job.recipients or ())

    async def _later(self, job: Job, jobs: MemoryObjectSendStream[Job]) -> None:
        await self._pause(self._effort.pause * 2 ** (job.tries - 1))
        jobs.send_nowait(job)

    @property
    def _late(self) -> bool:
        return anyio.current_time() >= self._effort.deadline

    def _stop(self, failure: MailtraceError) -> None:
        """No more mails, for this reason unless there is one already."""
        self.done.failure = self.done.failure or failure
        self._stopped.set()

    async def _pause(self, seconds: float) -> None:
        """Wait; less when the run is stopped, and never past its deadline."""
        if seconds > 0:
            with anyio.move_on_after(min(seconds, self._effort.deadline - anyio.current_time())):
                await self._stopped.wait()

    async def _finish(self, job: Job, progress: Progress | None) -> None:
        """A mail is decided, or given up."""
        if self._gate is not None and job.let_through:
            self._gate.over(job.counted)
        self._open -= 1
        self._finished += 1
        if progress is not None:
            words = f"{counted(self._finished, 'mail')} handled"
            await progress(self._finished, self._load.count, words)
        if self._produced and not self._open:
            self._idle.set()
