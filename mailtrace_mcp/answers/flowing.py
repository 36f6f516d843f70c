"""What came into a cluster and how it ended, as the answer of check_flow. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

from mailtrace_mcp.answers import trust
from mailtrace_mcp.answers.covering import coverage_report
from mailtrace_mcp.answers.flow_types import FlowAnswer, StoppedMail
from mailtrace_mcp.answers.hops import where
from mailtrace_mcp.answers.manner import Manner
from mailtrace_mcp.answers.parts import CoverageReport
from mailtrace_mcp.answers.portion import Portion, fitted
from mailtrace_mcp.answers.screen import Screen
from mailtrace_mcp.answers.summaries import outcomes_told, unread
from mailtrace_mcp.answers.words import counted
from mailtrace_mcp.trace.coverage import Coverage
from mailtrace_mcp.trace.flow import Stop
from mailtrace_mcp.trace.transactions import Transaction


@dataclass(frozen=True)
class Stopped:
    """A mail that came in and stands still: where (`life`), and when it came in."""

    life: Transaction
    stop: Stop
    arrived: datetime | None


@dataclass(frozen=True)
class Flow:
    """What became of the mails that came into `cluster`: outcomes of those that ended, the others, in how
    many mails, longest first."""

    cluster: str
    ended: Counter[str]
    unended: int
    stopped: Sequence[Stopped]


def flow_answer(
    flow: Flow, limit: int, coverage: Coverage, manner: Manner, notes: Sequence[str]
) -> FlowAnswer:
    """The answer of check_flow with at most `limit` stopped mails; `notes` are hints told first."""
    page = flow.stopped[:limit]

    def build(portion: Portion) -> FlowAnswer:
        screen = Screen(count(1), manner.named, portion.untrusted)
        report = coverage_report(coverage, manner, portion.files)
        shown = tuple(_stopped(one, manner, screen) for one in page[: portion.mails])
        left_out = len(flow.stopped) - len(shown)
        ended: Any = dict(flow.ended)
        return FlowAnswer(
            summary=_summary(flow, report),
            cluster=flow.cluster,
            came_in=flow.unended + flow.ended.total(),
            ended=ended,
            stopped=shown,
            not_shown=left_out or None,
            coverage=report,
            hints=(*notes, *_hints(flow, report, left_out)),
            untrusted=screen.untrusted,
        )

    return fitted(build, len(page), manner.answer_chars)


def _stopped(one: Stopped, manner: Manner, screen: Screen) -> StoppedMail:
    life, stop = one.life, one.stop
    sender = screen.address(life.sender, f"envelope sender at {where(life.key)}")
    return StoppedMail.model_validate(
        {
            "host": life.host,
            "queue_id": trust.queue_id(life.queue_id),
            "sender": sender.value,
            "sender_ref": sender.ref,
            "arrived": manner.local(one.arrived),
            "last_seen": manner.local(life.ended),
            "last_status": stop.outcome,
            "recipients": stop.recipients,
            "why": trust.clean(stop.reason) if stop.reason else None,
        }
    )


def _summary(flow: Flow, report: CoverageReport) -> str:
    came = flow.unended + flow.ended.total()
    incomplete = "" if report.complete else f"; {unread(report)}"
    if not came and incomplete:
        return f"Unknown: no mail was seen to come into {flow.cluster}, but {unread(report)}."
    if not came:
        return f"No mail came into {flow.cluster} in this window."
    told = [outcomes_told(flow.ended)] if flow.ended else []
    told += [f"{flow.unended} not ended"] if flow.unended else []
    what = f"{counted(came, 'mail')} came into {flow.cluster}"
    return f"{what}: {', '.join(told)}{incomplete}."


def _hints(flow: Flow, report: CoverageReport, left_out: int) -> Iterator[str]:
    if not report.complete:
        yield "What only an unread host knows is told as unknown: check_hosts says how to reach it."
    if left_out:
        yield f"{left_out} more have stopped: raise limit, or ask for a shorter time_range."
    if flow.stopped:
        yield "trace_mail with queue_id and host tells the whole way of one of them."
