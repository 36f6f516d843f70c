"""What came into a cluster and what of it stopped, as plain text."""

from __future__ import annotations

from collections.abc import Iterator

from mailtrace_mcp.answers.flow_types import FlowAnswer, StoppedMail
from mailtrace_mcp.answers.words import moment
from mailtrace_mcp.views.text import coverage_lines, shown, untrusted_lines


def flow_text(answer: FlowAnswer) -> str:
    """The answer of check_flow, enough by itself."""
    blocks = [answer.summary]
    if answer.stopped:
        lines = [line for one in answer.stopped for line in _lines(one)]
        more = [f"  … and {answer.not_shown} more"] if answer.not_shown else []
        blocks.append("\n".join(["Not ended, the longest first:", *lines, *more]))
    blocks.append("\n".join(coverage_lines(answer.coverage)))
    if answer.hints:
        blocks.append("\n".join(f"Hint: {hint}" for hint in answer.hints))
    blocks += untrusted_lines(answer.untrusted)
    return "\n\n".join(blocks)


def _lines(one: StoppedMail) -> Iterator[str]:
    many = f" for {one.recipients} recipients" if one.recipients > 1 else ""
    since = f", here since {moment(one.arrived)}" if one.arrived else ""
    sender = shown(one.sender, one.sender_ref) or "<>"
    yield f"  {one.host} {one.queue_id or '(no queue ID)'} from {sender}: {one.last_status}{many}{since}"
    if one.why:
        yield f"    {one.why}"
