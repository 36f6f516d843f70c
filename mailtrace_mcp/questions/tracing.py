"""trace_mail: find the mails that are meant, follow each to its ends, and tell the trails."""

from __future__ import annotations

from datetime import datetime

import anyio

from mailtrace_mcp.answers import TraceAnswer
from mailtrace_mcp.config import Config
from mailtrace_mcp.errors import Code, MailtraceError
from mailtrace_mcp.logs.gather import Progress
from mailtrace_mcp.questions.asking import (
    MailQuestion,
    check_limit,
    manner,
    understand,
    whole_reach,
)
from mailtrace_mcp.questions.beginning import Beginning
from mailtrace_mcp.questions.clusters import whole
from mailtrace_mcp.questions.following import Onlooker, Patience, Watch
from mailtrace_mcp.questions.searching import search
from mailtrace_mcp.questions.wanted import wanted

MOST_TRACES = 20


async def trace_mail(
    config: Config,
    asked: MailQuestion,
    now: datetime,
    progress: Progress | None = None,
    onlooker: Onlooker | None = None,
) -> TraceAnswer:
    """The trails of the mails that match, newest first; where they are to be followed, again with
    growing pauses until every end is final or the time is over. With an `onlooker`, who sees each look,
    that may be as long as is wanted; else the call has one deadline.

    Raises MailtraceError for a question that cannot be asked.
    """
    deadline = config.limits.deadline
    check_seconds(asked.follow_seconds, deadline if onlooker is None else None)
    limit = check_limit(asked.limit, MOST_TRACES)
    config, said = await whole(config, asked.host)
    meaning = understand(
        config, asked.keywords, asked.host, asked.time, asked.time_range, now, said
    )
    shown = manner(config, meaning, asked.detail, asked.graph)
    watch = Watch(config, wanted(asked, meaning), limit, shown, now)
    until = anyio.current_time() + deadline if onlooker is None else None
    return await watch.follow(Patience(asked.follow_seconds, until), progress, onlooker)


def check_seconds(seconds: float, deadline: float | None) -> None:
    """Raise INVALID_ARGUMENT for a time to follow that is none, or is longer than a call may last."""
    if deadline is None and seconds >= 0:
        return
    if deadline is None or not 0 <= seconds <= deadline:
        most = "0 or more" if deadline is None else f"0 to {deadline:g}, the deadline of one call"
        raise MailtraceError(
            Code.INVALID_ARGUMENT,
            f"follow_seconds {seconds:g} is not in {most}; call again to follow longer.",
        )


async def mail_lines(config: Config, host: str, queue_id: str, now: datetime) -> list[str]:
    """The lines of one mail on one host, oldest first, as they stand in its log (a stranger's text:
    show it cleaned). Empty where there are none; raises UNKNOWN_HOST and INVALID_ARGUMENT."""
    asked = MailQuestion(queue_id=queue_id, host=host, time_range=whole_reach(config))
    meaning = understand(config, (), host, "now", asked.time_range, now)
    beginning = Beginning(wanted(asked, meaning), 1)
    found = await search(config, meaning, beginning.wanted.terms(), lambda _: (), None)
    return [
        entry.raw.decode(errors="surrogateescape")
        for life in found.graph.transactions.values()
        if beginning.wanted.means(life) and life.host in meaning.hosts
        for entry in life.entries
    ]
