"""trace_mail: find the mails that are meant, follow each to its ends, and tell the trails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import anyio

from mailtrace_mcp.answers import TraceAnswer
from mailtrace_mcp.answers.manner import TracedMail
from mailtrace_mcp.answers.tracing import trace_answer
from mailtrace_mcp.config import Config
from mailtrace_mcp.errors import Code, MailtraceError
from mailtrace_mcp.logs.gather import Progress
from mailtrace_mcp.questions.asking import (
    MailQuestion,
    Meaning,
    check_limit,
    manner,
    understand,
)
from mailtrace_mcp.questions.searching import evidence_only, newest, search, traced
from mailtrace_mcp.questions.wanted import Wanted, wanted
from mailtrace_mcp.trace.graph import Graph, trails
from mailtrace_mcp.trace.latency import FINAL
from mailtrace_mcp.trace.recipients import is_probe
from mailtrace_mcp.trace.transactions import Key, Transaction

MOST_TRACES = 20


async def trace_mail(
    config: Config, asked: MailQuestion, now: datetime, progress: Progress | None = None
) -> TraceAnswer:
    """The trails of the mails that match, newest first; where they are to be followed, again with
    growing pauses until every end is final or the time is over.

    Raises MailtraceError for a question that cannot be asked.
    """
    _check_seconds(asked.follow_seconds, config.limits.deadline)
    limit = check_limit(asked.limit, MOST_TRACES)
    meaning = understand(config, asked.keywords, asked.host, asked.time, asked.time_range, now)
    began, pause = anyio.current_time(), 1.0
    while True:
        beginning = _Beginning(wanted(asked, meaning), limit)
        left = config.limits.deadline - (anyio.current_time() - began)
        found = await search(
            config, meaning, beginning.wanted.terms(), beginning.chosen, progress, left
        )
        mails = [traced(trail, found) for trail in found.trails]
        waited = anyio.current_time() - began
        if waited + pause >= asked.follow_seconds or (mails and all(map(_is_final, mails))):
            shown = manner(config, meaning, asked.detail, asked.graph)
            matched = len(trails(found.graph, beginning.meant(found.graph)))
            return trace_answer(mails, found.coverage, shown, matched, meaning.notes)
        await anyio.sleep(pause)
        pause *= 2
        meaning = _later(meaning, now + timedelta(seconds=waited + pause))


def _check_seconds(seconds: int, deadline: float) -> None:
    if not 0 <= seconds <= deadline:
        raise MailtraceError(
            Code.INVALID_ARGUMENT,
            f"follow_seconds {seconds} is not in 0 to {deadline:g}, the deadline of one call; "
            "call again to follow longer.",
        )


class _Beginning:
    """Which transactions a trace begins with, out of what is known so far."""

    def __init__(self, wanted: Wanted, limit: int) -> None:
        self.wanted = wanted
        self.limit = limit

    def chosen(self, graph: Graph) -> Sequence[Key]:
        """One transaction of each of the newest trails."""
        return [trail.keys[0] for trail in trails(graph, self.meant(graph))[: self.limit]]

    def meant(self, graph: Graph) -> list[Key]:
        """Newest first: inside the window if any are; else what only names the ID."""
        hosts, aside = self.wanted.meaning.hosts, evidence_only(graph)
        here = [
            life
            for life in graph.transactions.values()
            if life.host in hosts and not is_probe(life)
        ]
        meant = [one for one in here if self.wanted.means(one)]
        meant = [one for one in meant if self._inside(one)] or meant
        meant = meant or [one for one in here if self.wanted.mentions(one)]
        return [aside.get(one.key, one.key) for one in newest(meant)]

    def _inside(self, life: Transaction) -> bool:
        window = self.wanted.meaning.scope.window
        return any(window.holds(entry.frame.at) for entry in life.entries)


def _is_final(mail: TracedMail) -> bool:
    return all(ending.outcome in FINAL for ending in mail.endings)


def _later(meaning: Meaning, now: datetime) -> Meaning:
    """The same question some seconds on: the window reaches to the new present."""
    window = replace(meaning.scope.window, end=max(meaning.scope.window.end, now))
    return replace(meaning, scope=replace(meaning.scope, window=window, now=now))


async def mail_lines(config: Config, host: str, queue_id: str, now: datetime) -> list[str]:
    """The lines of one mail on one host, oldest first, as they stand in its log (a stranger's text:
    show it cleaned). Empty where there are none; raises UNKNOWN_HOST and INVALID_ARGUMENT."""
    asked = MailQuestion(queue_id=queue_id, host=host, time_range=_whole_reach(config))
    meaning = understand(config, (), host, "now", asked.time_range, now)
    beginning = _Beginning(wanted(asked, meaning), 1)
    found = await search(config, meaning, beginning.wanted.terms(), lambda _: (), None)
    return [
        entry.raw.decode(errors="surrogateescape")
        for life in found.graph.transactions.values()
        if beginning.wanted.means(life) and life.host in meaning.hosts
        for entry in life.entries
    ]


def _whole_reach(config: Config) -> str:
    """The widest window that the configuration allows, as a time_range."""
    seconds = int(config.limits.window.total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{max(1, seconds)}s"
