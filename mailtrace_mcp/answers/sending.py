"""What was sent, or would be, as the answer of send_test_mail. Pure: values in, the public types out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from mailtrace_mcp.answers import trust
from mailtrace_mcp.answers.manner import Manner
from mailtrace_mcp.answers.screen import Screen
from mailtrace_mcp.answers.send_types import (
    DecisionMade,
    QuotaLeft,
    RefusedRecipient,
    SendAnswer,
    SendPlan,
    SendRecord,
    StageTime,
    TlsUsed,
)
from mailtrace_mcp.answers.sent_words import dry_summary, sent_hints, sent_summary
from mailtrace_mcp.answers.trace_types import TraceAnswer
from mailtrace_mcp.send import Account, DryRun, Record, Refusal, Sent
from mailtrace_mcp.send.dialogue import Line

# With a trace beside it, how much of the answer each of the two may be.
SENT_SHARE, TRACE_SHARE = 0.3, 0.65
_LONGEST_LINE = 998  # RFC 5322 2.1.1
_MOST_LINES = 400  # of a mail that is shown


@dataclass(frozen=True)
class _Portion:
    """How much is told; what matters least goes first."""

    lines: int = 1_000_000
    texts: bool = True
    records: int = 1_000_000


_SMALLER = (
    _Portion(100), _Portion(20), _Portion(0), _Portion(0, False),
    *(_Portion(0, False, records) for records in (1000, 300, 100, 30, 10, 1)),
)  # fmt: skip


def send_answer(
    sent: Sent, manner: Manner, trace: TraceAnswer | None = None, notes: Sequence[str] = ()
) -> SendAnswer:
    """The answer of send_test_mail; `trace` is what following has found so far, `notes` more hints of
    ours, told first."""
    limit = manner.answer_chars * (1 if trace is None else SENT_SHARE)
    answer = _Telling(sent, trace, _Portion(), notes).answer()
    smaller = iter(_SMALLER)
    while _own_length(answer) > limit and (portion := next(smaller, None)) is not None:
        answer = _Telling(sent, trace, portion, notes).answer()
    return answer


def _own_length(answer: SendAnswer) -> int:
    return len(answer.model_dump_json(exclude={"trace"}))


@dataclass
class _Telling:
    """A send on its way into an answer."""

    sent: Sent
    trace: TraceAnswer | None
    portion: _Portion
    notes: Sequence[str]

    def __post_init__(self) -> None:
        # Refs go on where the trace's end, so that they are unique in the answer.
        taken = sum(len(one.untrusted) for one in self.trace.traces) if self.trace else 0
        self.screen = Screen(count(taken + 1), keep=self.portion.texts)

    def answer(self) -> SendAnswer:
        sent, account = self.sent, self.sent.account
        failure = sent.failure
        records = tuple(map(self._record, sent.records[: self.portion.records]))
        refused = tuple(map(self._refused, sent.refused[: self.portion.records]))
        lines = account.transcript if account is not None else ()
        cut = len(lines) > self.portion.lines or len(sent.records) > self.portion.records
        return SendAnswer(
            summary=sent_summary(sent, self.trace),
            outcome=sent.outcome,
            records=records,
            planned=sent.planned,
            refused=refused,
            stage=account.stage if account is not None else None,
            server=trust.clean(account.server) if account is not None else None,
            tls=_tls(account),
            timings=_timings(account),
            transcript=tuple(_line(one) for one in lines[: self.portion.lines]),
            warnings=tuple(trust.clean(one) for one in sent.warnings),
            code=str(failure.code) if failure is not None else None,
            reason=trust.clean(failure.message) if failure is not None else None,
            advice=sent.advice,
            retry_after=sent.retry_after,
            trace=self.trace,
            hints=(*self.notes, *sent_hints(sent, self.trace, cut)),
            untrusted=self.screen.untrusted,
        )

    def _record(self, one: Record) -> SendRecord:
        queue_id = trust.queue_id(one.queue_id)
        if one.queue_id is not None and queue_id is None:
            self.screen.keep("queue ID", f"that the server gave {one.message_id}", one.queue_id)
        said = one.as_json() | {"queue_id": queue_id}
        texts = ("message_id", "subject", "from", "to")
        return SendRecord.model_validate(said | {name: trust.clean(said[name]) for name in texts})

    def _refused(self, one: Refusal) -> RefusedRecipient:
        who = trust.clean(one.recipient.spec)
        return RefusedRecipient(
            recipient=who,
            code=trust.reply_code(one.reply.code),
            dsn=trust.enhanced_code(one.reply.enhanced),
            reply_ref=self.screen.keep("reply", f"to {who}", one.reply.text),
        )


def _tls(account: Account | None) -> TlsUsed | None:
    facts = account.tls if account is not None else None
    if facts is None:
        return None
    return TlsUsed(
        version=trust.clean(facts.version),
        cipher=trust.clean(facts.cipher),
        peer=trust.clean(facts.peer),
        verified=facts.verified,
    )


def _timings(account: Account | None) -> tuple[StageTime, ...]:
    timings = account.timings if account is not None else ()
    return tuple(StageTime(stage=one.stage, seconds=round(one.seconds, 4)) for one in timings)


def _line(one: Line) -> str:
    """`C: EHLO …`, `S: 250 …`."""
    return f"{'C' if one.side == 'client' else 'S'}: {trust.clean(one.text)}"


def dry_answer(dry: DryRun, manner: Manner) -> SendAnswer:
    """The answer of a dry run: nobody was asked to take anything."""
    lines = list(_shown(dry.mail.data))
    kept = _MOST_LINES
    answer = _dry(dry, lines[:kept])
    while len(answer.model_dump_json()) > manner.answer_chars and kept:
        kept //= 2
        answer = _dry(dry, lines[:kept])
    return answer


def _dry(dry: DryRun, lines: list[str]) -> SendAnswer:
    plan = _plan(dry, lines)
    return SendAnswer(
        summary=dry_summary(plan),
        outcome=None,
        records=(),
        planned=dry.mails,
        refused=(),
        stage=None,
        timings=(),
        transcript=(),
        warnings=tuple(trust.clean(one) for one in dry.warnings),
        plan=plan,
        hints=("Nothing was sent: call again without dry_run.",) if plan.allowed else (),
        untrusted=(),
    )


def _plan(dry: DryRun, lines: list[str]) -> SendPlan:
    route, *others = dry.routes
    minute, day = dry.left
    return SendPlan(
        allowed=dry.allowed,
        mails=dry.mails,
        server=trust.clean(route.server),
        ssl_mode=route.tls,
        verify=route.verify,
        login=route.login is not None,
        fallbacks=tuple(trust.clean(one.server) for one in others),
        sender=trust.clean(dry.mail.sender.spec),
        recipients=tuple(trust.clean(one.spec) for one in dry.mail.recipients),
        decisions=tuple(
            DecisionMade(
                about=trust.clean(one.about), allowed=one.allowed, why=trust.clean(one.why)
            )
            for one in dry.decisions
        ),
        left=QuotaLeft(minute=minute, day=day),
        size=len(dry.mail.data),
        message=tuple(lines),
    )


def _shown(data: bytes) -> Iterator[str]:
    lines = data.removesuffix(b"\r\n").split(b"\r\n")
    for line in lines[:_MOST_LINES]:
        yield trust.clean(line.decode("utf-8", "surrogateescape"), _LONGEST_LINE)
    if len(lines) > _MOST_LINES:
        yield f"… ({len(lines) - _MOST_LINES} more lines)"
