"""What was traced, as the answer of trace_mail. Pure: values in, the public types out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import cast

from mailtrace_mcp.answers.covering import coverage_report
from mailtrace_mcp.answers.ends import notices, recipient_end
from mailtrace_mcp.answers.hints import trace_hints
from mailtrace_mcp.answers.hops import hop, hop_link, where
from mailtrace_mcp.answers.manner import Manner, TracedMail
from mailtrace_mcp.answers.parts import MailOutcome
from mailtrace_mcp.answers.portion import Portion, fitted
from mailtrace_mcp.answers.screen import NOTHING, Screen, Shown
from mailtrace_mcp.answers.summaries import trace_summary
from mailtrace_mcp.answers.trace_types import ClockSkew, Slowest, TimeSpent, Trace, TraceAnswer
from mailtrace_mcp.trace.clocks import Skews
from mailtrace_mcp.trace.coverage import Coverage
from mailtrace_mcp.trace.endings import Ending, one_outcome
from mailtrace_mcp.trace.graph import Trail, follows
from mailtrace_mcp.trace.latency import FINAL, first_arrival, latency
from mailtrace_mcp.trace.transactions import Attempt, Key, Transaction
from mailtrace_mcp.views import drawing


def trace_answer(
    found: Sequence[TracedMail],
    coverage: Coverage,
    manner: Manner,
    matched: int | None = None,
    notes: Sequence[str] = (),
) -> TraceAnswer:
    """The answer of trace_mail: `found` in the order to show, `matched` how many mails matched (None:
    as many as were found), `notes` more hints of ours, told first."""
    total = len(found) if matched is None else max(matched, len(found))
    whole = _traces(found, manner, Portion(len(found)))

    def build(portion: Portion) -> TraceAnswer:
        """Summary and hints are of all that was found, also where less is shown."""
        report = coverage_report(coverage, manner, portion.files)
        return TraceAnswer(
            summary=trace_summary(whole, total, report),
            traces=_traces(found, manner, portion) if portion.left_out else whole,
            matched=total,
            coverage=report,
            hints=(*notes, *trace_hints(found, whole, total, report, portion.left_out)),
        )

    return fitted(build, len(found), manner.answer_chars)


def _traces(found: Sequence[TracedMail], manner: Manner, portion: Portion) -> tuple[Trace, ...]:
    numbers = count(1)
    shown = found[: portion.mails]
    return tuple(_Telling(one, manner, portion, numbers).trace() for one in shown)


@dataclass
class _Telling:
    """One mail on its way into an answer."""

    mail: TracedMail
    manner: Manner
    portion: Portion
    numbers: Iterator[int]

    def __post_init__(self) -> None:
        self.screen = Screen(self.numbers, self.manner.named, self.portion.untrusted)
        self.notice_keys = _notice_keys(self.mail.trail)
        trail = self.mail.trail
        self.own = [life for life in trail.transactions if life.key not in self.notice_keys]
        # Where it came in tells best who sent it: an alias or a list puts its own sender later.
        began = {one.path[0] for one in self.mail.endings}
        self.roots = [life for life in self.own if life.key in began]

    def trace(self) -> Trace:
        mail, manner, portion = self.mail, self.manner, self.portion
        message_id, sender = self._message_id(), self._sender()
        ends = mail.endings
        recipients = tuple(
            recipient_end(one, mail.trail, manner, self.screen)
            for one in ends[: portion.recipients]
        )
        lives = self._shown_lives()
        hops = tuple(hop(life, manner, portion, self.screen) for life in lives)
        links = mail.trail.links if portion.hops else ()
        told = Trace(
            message_id=message_id.value,
            message_id_ref=message_id.ref,
            sender=sender.value,
            sender_ref=sender.ref,
            outcome=cast(MailOutcome, one_outcome(ends)),
            complete=mail.complete,
            started=manner.local(self._started()),
            ended=manner.local(_ended(ends)),
            recipients=recipients,
            hops=hops,
            links=tuple(hop_link(link, self._attempts(link.source)) for link in links),
            notices=tuple(
                one for link, way in mail.notices for one in notices(link, way, self.screen)
            ),
            latency=_time_spent(self.own, ends, mail.trail.graph.links.skews),
            untrusted=self.screen.untrusted,
        )
        graph = drawing(told, manner.drawing) if portion.drawing else None
        return told.model_copy(update={"graph": graph})

    def _shown_lives(self) -> list[Transaction]:
        """Those of the mail and its notices; a refusal is evidence of an attempt and no hop."""
        if not self.portion.hops:
            return []
        trail = self.mail.trail
        refusals = {link.target for link in trail.links if link.kind == "refusal"}
        return [life for life in trail.transactions if life.key not in refusals]

    def _attempts(self, key: Key) -> Sequence[Attempt]:
        """Those of a hop that are told."""
        known = self.mail.trail.graph.transactions
        return known[key].attempts if self.portion.attempts and key in known else ()

    def _message_id(self) -> Shown:
        for life in (*self.roots, *self.own):
            if life.message_id:
                return self.screen.message_id(life.message_id, where(life.key))
        return NOTHING

    def _sender(self) -> Shown:
        for life in (*self.roots, *self.own):
            if life.sender is not None:
                return self.screen.address(life.sender, f"envelope sender at {where(life.key)}")
        return NOTHING

    def _started(self) -> datetime | None:
        return min(
            (at for life in self.roots or self.own if (at := first_arrival(life))), default=None
        )


def _notice_keys(trail: Trail) -> set[Key]:
    """The transactions of the notices that this mail caused, with their whole way."""
    reached = {link.target for link in trail.notices if link.target is not None}
    ring = set(reached)
    while ring:
        onward = {
            link.target
            for link in trail.links
            if link.source in ring and link.target is not None and follows(link)
        }
        ring = onward - reached
        reached |= ring
    return reached


def _ended(ends: Sequence[Ending]) -> datetime | None:
    if not ends or any(one.outcome not in FINAL for one in ends):
        return None
    return max((one.at for one in ends if one.at is not None), default=None)


def _time_spent(lives: Sequence[Transaction], ends: Sequence[Ending], skews: Skews) -> TimeSpent:
    spent = latency(lives, ends, skews)
    hosts = {life.host for life in lives}
    slowest = spent.slowest
    return TimeSpent(
        total_seconds=round(spent.total, 3) if spent.total is not None else None,
        slowest=Slowest(host=slowest.host, phase=slowest.phase, seconds=slowest.seconds)
        if slowest
        else None,
        skew=tuple(
            ClockSkew(
                source=one,
                target=other,
                seconds=(round(span.low.total_seconds(), 3), round(span.high.total_seconds(), 3)),
            )
            for one, other, span in skews.told()
            if one in hosts and other in hosts
        ),
    )
