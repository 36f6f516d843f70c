"""The first sentence of an answer: the answer itself. Our own words and trusted values only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import get_args

from mailtrace_mcp.answers.parts import CoverageReport, Outcome
from mailtrace_mcp.answers.trace_types import RecipientEnd, Trace
from mailtrace_mcp.answers.words import between, counted, listed, spent
from mailtrace_mcp.trace.coverage import State

_ORDER: tuple[str, ...] = (*get_args(Outcome), "mixed")
_STATES: dict[State, str] = {
    "partial": "could be read only in part",
    "unreachable": "could not be read",
    "denied": "may not be read",
    "timeout": "did not answer in time",
}


def trace_summary(traces: Sequence[Trace], matched: int, coverage: CoverageReport) -> str:
    """`1 mail: sent to bob@example.com, 3 hops, 2.1 s.` for one; the outcomes counted for several."""
    if not matched:
        return nothing(coverage)
    if len(traces) == 1 and matched == 1:
        return f"{_one_mail(traces[0])}{_not_seen(traces[0], coverage)}."
    outcomes = outcomes_told(Counter(trace.outcome for trace in traces))
    shown = "" if len(traces) == matched else f" among the {len(traces)} traced"
    incomplete = "" if coverage.complete else f"; {unread(coverage)}"
    return f"{counted(matched, 'mail')}: {outcomes}{shown}{incomplete}."


def query_summary(
    outcomes: Counter[str], shown: int, matched: int, coverage: CoverageReport
) -> str:
    """How many mails match, and how many recipients of those shown ended how."""
    if not matched:
        return nothing(coverage)
    ended = f"; recipients of those shown: {outcomes_told(outcomes)}" if outcomes else ""
    some = "" if shown == matched else f", {shown} shown"
    incomplete = "" if coverage.complete else f"; {unread(coverage)}"
    return f"{counted(matched, 'mail')}{some}{ended}{incomplete}."


def nothing(coverage: CoverageReport) -> str:
    """Nothing found, and whether that says anything."""
    window = coverage.window
    span = f"between {between(window.start, window.end)} ({window.zone})"
    if coverage.complete:
        return f"Nothing found on {counted(len(coverage.hosts), 'host')} {span}."
    return f"Unknown: nothing was found {span}, but {unread(coverage)}."


def unread(coverage: CoverageReport) -> str:
    """Which hosts could not be read: `csmx2 could not be read`."""
    found: dict[str, list[str]] = {}
    for host in coverage.hosts:
        if host.state != "read":
            found.setdefault(_STATES[host.state], []).append(host.host)
    return ", ".join(f"{listed(hosts)} {how}" for how, hosts in found.items())


def _one_mail(trace: Trace) -> str:
    ends = [one for one in trace.recipients if one.added_by is None] or list(trace.recipients)
    own = {place.host for end in ends for place in end.path}
    steps = {(place.host, place.queue_id) for end in ends for place in end.path if place.queue_id}
    said = f"1 mail: {_one_end(ends[0])}" if len(ends) == 1 else f"1 mail to {_several(ends)}"
    if steps:
        said += f", {counted(len(steps), 'hop')}"
    elif own:
        said += f", at {listed(sorted(own))}"
    if trace.ended is not None and trace.latency.total_seconds:
        said += f", {spent(trace.latency.total_seconds)}"
    return said


def _not_seen(trace: Trace, coverage: CoverageReport) -> str:
    if trace.complete:
        return ""
    if not coverage.complete:
        return f"; {unread(coverage)}"
    return "" if trace.outcome == "unknown" else "; not all of its way was found"


def _several(ends: Sequence[RecipientEnd]) -> str:
    total = sum(end.count or 1 for end in ends)
    outcomes = Counter[str]()
    for end in ends:
        outcomes[end.outcome] += end.count or 1
    return f"{counted(total, 'recipient')}: {outcomes_told(outcomes)}"


def _one_end(end: RecipientEnd) -> str:
    who = end.recipient or end.original_recipient
    if who is None:
        many = end.count or 1
        who = "1 recipient" if many == 1 else f"{many} recipients whom no line names"
    said = f"sent to {who}" if end.outcome == "sent" else f"{end.outcome} for {who}"
    if end.outcome == "sent" or not end.reason:
        return said
    return f"{said}, because {end.reason}" if end.outcome == "unknown" else f"{said} ({end.reason})"


def outcomes_told(outcomes: Mapping[str, int]) -> str:
    """`2 sent, 1 bounced`, always in the same order."""
    return ", ".join(f"{outcomes[one]} {one}" for one in _ORDER if one in outcomes)
