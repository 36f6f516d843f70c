"""What to do next, in our own words. Only codes, configured names and queue IDs stand in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from mailtrace_mcp.answers.manner import TracedMail
from mailtrace_mcp.answers.parts import CoverageReport
from mailtrace_mcp.answers.summaries import unread
from mailtrace_mcp.answers.trace_types import Trace
from mailtrace_mcp.answers.words import counted, listed, moment

MOST_HINTS = 12


def trace_hints(
    found: Sequence[TracedMail],
    traces: Sequence[Trace],
    matched: int,
    coverage: CoverageReport,
    left_out: Sequence[str],
) -> tuple[str, ...]:
    """The hints of a trace, the most needed first."""
    hints = [*_cut(left_out)]
    if matched != 1 or not all(trace.complete for trace in traces):
        hints += _unread(coverage)
    if not matched:
        hints += [*_nothing(coverage), _REFUSED]
    elif matched > len(found):
        hints.append(
            f"{counted(matched, 'mail')} match, traced: {len(found)}: narrow the keywords, "
            "the host or the window, raise limit, or trace one by its queue_id."
        )
    for mail in found:
        hints.extend(f"Not complete: {gap}" for gap in mail.gaps[:3])
    for trace in traces:
        hints.extend(_of_one(trace, coverage))
    if any(mail.trail.cut for mail in found):
        hints.append("More than 500 queue files hang together: only the nearest were followed.")
    return tuple(islice(dict.fromkeys(hints), MOST_HINTS))


def query_hints(
    matched: int, coverage: CoverageReport, left_out: Sequence[str], more: bool
) -> tuple[str, ...]:
    """The hints of a listing of mails, the most needed first."""
    hints = [*_cut(left_out), *_unread(coverage)]
    if not matched:
        hints += [*_nothing(coverage), _BY_DOMAIN]
        if coverage.complete:
            hints.append(_NEVER_HERE)
    if more:
        hints.append("There are more: call again with cursor = next_cursor, or ask for less.")
    if matched:
        hints.append("trace_mail with a queue_id and its host tells a mail's whole way.")
    return tuple(islice(dict.fromkeys(hints), MOST_HINTS))


_REFUSED = (
    "A mail that was refused before it had a queue ID is found by an address: query_logs with "
    "status=rejected. One that was never sent, or came in by other hosts, leaves no line here."
)
_BY_DOMAIN = (
    "A domain means that domain alone: .example.com, with a dot before it, is looked for as text and "
    "finds its subdomains too. There are no wildcards. Queue IDs are as logged, upper and lower case."
)
_NEVER_HERE = (
    "If the window and the spelling are right, the mail was never sent, or came in by hosts that are "
    "not configured here."
)


def _cut(left_out: Sequence[str]) -> Iterator[str]:
    if left_out:
        yield (
            f"The answer was longer than it may be; left out: {', '.join(_last_of_a_kind(left_out))}. "
            "Ask for less: a smaller limit, detail=concise, graph=none, one queue_id."
        )


def _last_of_a_kind(left_out: Sequence[str]) -> list[str]:
    """Of `all mails but the first 8`, `… 6`, … only what holds in the end."""
    kinds = {name.rstrip("0123456789"): name for name in left_out}
    return list(kinds.values())


def _unread(coverage: CoverageReport) -> Iterator[str]:
    if not coverage.complete:
        yield f"{unread(coverage)}: see coverage for why. What only they know is missing here."


def _nothing(coverage: CoverageReport) -> Iterator[str]:
    """Why nothing may have been found."""
    silent = [host.host for host in coverage.hosts if host.state == "read" and host.oldest is None]
    if silent:
        yield (
            f"{listed(silent)} logged nothing at all in this window: rotated away, or the time zone of a "
            "host or of the question is wrong."
        )
    yield from islice(_begun_late(coverage), 3)
    yield "Widen time_range (2h, 1d), look at the spelling, or ask with fewer keywords."


def _begun_late(coverage: CoverageReport) -> Iterator[str]:
    """Hosts without a line in the first tenth of the window, though their logs reach further back."""
    window = coverage.window
    early = window.start + (window.end - window.start) / 10
    for host in coverage.hosts:
        if host.state == "read" and host.oldest is not None and host.oldest > early:
            yield (
                f"{host.host} logged nothing before {moment(host.oldest)} in this window: it was quiet, or "
                "lines are missing."
            )


def _of_one(trace: Trace, coverage: CoverageReport) -> Iterator[str]:
    for end in trace.recipients:
        here = f"{end.host} {end.queue_id}" if end.queue_id else end.host
        match end.outcome:
            case "held":
                yield f"{here} is in the hold queue: an administrator releases it with postsuper -H."
            case "deferred" if end.next_retry and end.next_retry > coverage.window.end:
                yield (
                    f"{here}: the next attempt is due about {moment(end.next_retry)} (Postfix's defaults). "
                    "If no line of it follows: is the queue manager running there, and its log still written?"
                )
            case "queued":
                yield f"{here} waits for its first attempt: trace it again in a minute."
            case "unknown":
                yield "Where the trail is lost, widen time_range and see coverage for what was read."
            case _:
                pass
    if any(link.candidates for link in trace.links):
        yield "Several mails fit what follows, and none was chosen: see candidates in links."
