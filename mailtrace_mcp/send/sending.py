"""A test mail, or a run of them: prepared, counted, sent, written down. Both faces come in here."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from secrets import token_hex

import anyio
import anyio.to_thread

from mailtrace_mcp.config import Config
from mailtrace_mcp.errors import Code, MailtraceError
from mailtrace_mcp.send.attempts import Account, Attempt, Peer, Refusal, SendOutcome
from mailtrace_mcp.send.compose import Mail
from mailtrace_mcp.send.counting import counted
from mailtrace_mcp.send.effort import RETRIES, Effort
from mailtrace_mcp.send.entries import By, begin_entry, refusal_entry, send_entry
from mailtrace_mcp.send.failures import SmtpError
from mailtrace_mcp.send.policy import (
    AuditPen,
    Decision,
    Quota,
    RateLimitedError,
    State,
    Turnstile,
    default_folder,
)
from mailtrace_mcp.send.policy.windows import caps
from mailtrace_mcp.send.prepare import Prepared, prepare
from mailtrace_mcp.send.records import Record, outcome_of
from mailtrace_mcp.send.request import OperatorWords, SendRequest
from mailtrace_mcp.send.routes import Route
from mailtrace_mcp.send.tally import Done
from mailtrace_mcp.send.traffic import Progress, Run

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Sent:
    """What came of it. `records`: one per mail and recipient that was decided, of `planned` mails;
    `refused` and `account` hold the server's own text, masked, to be cleaned before it is shown.

    `failure` is the first one, also where others were accepted: its code, `advice`, `retry_after`.
    """

    outcome: SendOutcome
    records: tuple[Record, ...]
    refused: tuple[Refusal, ...]
    account: Account | None
    warnings: tuple[str, ...]
    failure: MailtraceError | None
    planned: int

    @property
    def advice(self) -> str | None:
        """What to do, as one sentence of ours."""
        return self.failure.advice if isinstance(self.failure, SmtpError) else None

    @property
    def retry_after(self) -> float | None:
        """Seconds after which a temporary failure is worth another try."""
        known = isinstance(self.failure, SmtpError | RateLimitedError)
        return self.failure.retry_after if known else None  # type: ignore[union-attr]

    @property
    def message_ids(self) -> tuple[str, ...]:
        """Of the mails that were decided: the terms of a trace."""
        return tuple(dict.fromkeys(one.message_id for one in self.records))


@dataclass(frozen=True)
class DryRun:
    """What would be sent: `mail.data` are the bytes, `mail.recipients` the envelope (Bcc is only there).
    `routes` are the server and its fallbacks; `left` the recipients this minute and this day."""

    mail: Mail
    routes: tuple[Route, ...]
    decisions: tuple[Decision, ...]
    warnings: tuple[str, ...]
    mails: int
    left: tuple[int, int]

    @property
    def allowed(self) -> bool:
        """Whether policy and quota allow it now."""
        return all(one.allowed for one in self.decisions)


async def send(
    config: Config,
    request: SendRequest,
    operator: OperatorWords | None = None,
    state: State | None = None,
    effort: Effort | None = None,
    progress: Progress | None = None,
) -> Sent:
    """Send a test mail or a run of them; `Sending` is the same for who may be interrupted."""
    return await Sending(config, request, operator, state, effort).go(progress)


def dry_run(
    config: Config,
    request: SendRequest,
    operator: OperatorWords | None = None,
    state: State | None = None,
) -> DryRun:
    """Look, and nothing else: no connection, no name looked up, nothing counted. Raises as `prepare`.

    Blocks for some milliseconds.
    """
    ready = prepare(config, request, operator, _longest(config, operator))
    now = datetime.now(config.zone)
    quota = (state or State(default_folder())).quota
    return DryRun(
        mail=ready.ways[0].pattern.mail(now, token_hex(8)),
        routes=tuple(way.route for way in ready.ways),
        decisions=(*ready.decisions, _within_quota(ready, quota, now)),
        warnings=ready.all_warnings,
        mails=ready.load.count,
        left=quota.left(ready.policy, now),
    )


def _within_quota(ready: Prepared, quota: Quota, now: datetime) -> Decision:
    """What the quota would say if the run began now."""
    no = quota.refusal(ready.policy, ready.wanted, now)
    if no is not None:
        return Decision("quota", False, no.message.rstrip("."), Code.RATE_LIMITED)
    many = counted(sum(recipients for _, recipients in ready.wanted), "recipient")
    return Decision("quota", True, f"{many} in this run, and {caps(ready.policy)}")


class Sending:
    """One request. `operator` None: an agent asks, so there is one deadline and no retry.

    `result` tells what was done so far, also after `go` was cancelled. `now` gives aware times in the
    zone to show.
    """

    def __init__(
        self,
        config: Config,
        request: SendRequest,
        operator: OperatorWords | None = None,
        state: State | None = None,
        effort: Effort | None = None,
        now: Clock | None = None,
    ) -> None:
        self._config, self._request, self._operator = config, request, operator
        self._state = state
        self._effort = effort
        self._now = now or (lambda: datetime.now(config.zone))
        self._by: By = "agent" if operator is None else "operator"
        self._ready: Prepared | None = None
        self._done = Done()

    async def go(self, progress: Progress | None = None) -> Sent:
        """Send. Raises MailtraceError for what is not begun at all (NOT_ALLOWED, RATE_LIMITED,
        INVALID_ARGUMENT, UNKNOWN_PROFILE); what servers do is in the result, with its `failure`."""
        state = self._state if self._state is not None else await _usual_state()
        with state.audit.opened() as pen:
            ready, turnstile = await anyio.to_thread.run_sync(self._begin, state, pen)
            run = self._run(ready, pen, turnstile)
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(turnstile.keep)
                    await run.go(progress)
                    tasks.cancel_scope.cancel()
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(self._settle, pen, turnstile)
        return self.result()

    def result(self) -> Sent:
        """What was done so far."""
        done = self._done
        outcome = outcome_of(done.records)
        return Sent(
            outcome=outcome,
            records=tuple(done.records),
            refused=tuple(done.refused),
            account=_where(done, outcome),
            warnings=(*(self._ready.warnings if self._ready else ()), *done.warnings),
            failure=done.failure,
            planned=self._ready.load.count if self._ready else 0,
        )

    def _begin(self, state: State, pen: AuditPen) -> tuple[Prepared, Turnstile]:
        """Check and count; a refusal is written down."""
        longest = _longest(self._config, self._operator)
        try:
            ready = prepare(self._config, self._request, self._operator, longest)
            ready.enforce()
            reservation = state.quota.reserve(ready.policy, ready.wanted, self._now())
        except MailtraceError as error:
            pen.line(refusal_entry(error, self._request, self._by, self._now()))
            raise
        self._ready = ready
        each, at_once = len(ready.recipients), ready.load.most_per_second
        return ready, Turnstile(state.quota, ready.policy, reservation, each, at_once, self._now)

    def _run(self, ready: Prepared, pen: AuditPen, turnstile: Turnstile) -> Run:
        def begun(mail: Mail, peer: Peer) -> None:
            pen.line(begin_entry(mail, peer, self._by, self._now()))

        def told(attempt: Attempt, peer: Peer | None) -> None:
            pen.line(send_entry(attempt, peer, ready.profile, self._by, self._now()))

        effort = self._effort or _usual_effort(self._config, self._operator)
        run = Run(ready.ways, ready.load, effort, self._now, told, begun, turnstile)
        self._done = run.done
        return run

    def _settle(self, pen: AuditPen, turnstile: Turnstile) -> None:
        """What no server was asked to take does not count. The mails are out: nothing here may hide that."""
        with suppress(OSError):
            pen.keep()
        with suppress(MailtraceError):
            turnstile.settle(self._done.spent)


def _where(done: Done, outcome: SendOutcome) -> Account | None:
    """The connection; its stage is the one at which the server said no, though it said goodbye after it."""
    failure, said_no = done.failure, outcome in ("refused", "partial")
    if done.account is None or not said_no or not isinstance(failure, SmtpError):
        return done.account
    return replace(done.account, stage=failure.stage)


async def _usual_state() -> State:
    return await anyio.to_thread.run_sync(lambda: State.at())


def _usual_effort(config: Config, operator: OperatorWords | None) -> Effort:
    if operator is None:
        return Effort(deadline=anyio.current_time() + config.limits.deadline)
    return Effort(retries=RETRIES, parallel=operator.parallel, per_host=operator.per_host)


def _longest(config: Config, operator: OperatorWords | None) -> float | None:
    """How long a call may last, in seconds."""
    return config.limits.deadline if operator is None else None
