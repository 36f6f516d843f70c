"""check_flow: did every mail that came into a cluster reach an end, and where are those that did not?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mailtrace_mcp.answers import FlowAnswer
from mailtrace_mcp.answers.flowing import Flow, Stopped, flow_answer
from mailtrace_mcp.config import Config
from mailtrace_mcp.errors import Code, MailtraceError
from mailtrace_mcp.logs.gather import Gathered, Progress
from mailtrace_mcp.questions.asking import Meaning, check_limit, manner, understand
from mailtrace_mcp.questions.clusters import whole
from mailtrace_mcp.questions.searching import evidence_only, search
from mailtrace_mcp.trace.coverage import Coverage
from mailtrace_mcp.trace.endings import Ending, one_outcome
from mailtrace_mcp.trace.flow import came_in, stops
from mailtrace_mcp.trace.graph import Graph, Trail
from mailtrace_mcp.trace.matching import matches
from mailtrace_mcp.trace.outcomes import endings, notice_endings
from mailtrace_mcp.trace.recipients import is_probe
from mailtrace_mcp.trace.transactions import Key

MOST_STOPPED = 200
MOST_MAILS = 20_000


@dataclass(frozen=True)
class FlowQuestion:
    """check_flow, as TOOLS.md names its parameters."""

    cluster: str
    time: str = "now"
    time_range: str = "1h"
    keywords: tuple[str, ...] = ()
    limit: int = 50


async def check_flow(
    config: Config, asked: FlowQuestion, now: datetime, progress: Progress | None = None
) -> FlowAnswer:
    """The mails that came in within the window, counted by how they ended, and each that did not end.

    `cluster` may also be one host. Raises MailtraceError for a question that cannot be asked, and
    RANGE_TOO_WIDE for more than MOST_MAILS.
    """
    limit = check_limit(asked.limit, MOST_STOPPED)
    config, said = await whole(config, asked.cluster)
    meaning = understand(
        config, asked.keywords, asked.cluster, asked.time, asked.time_range, now, said
    )
    entries = _Entries(meaning)
    found = await search(config, meaning, meaning.terms(), entries.chosen, progress)
    if len(entries.keys) > MOST_MAILS:
        words = (
            f"{len(entries.keys)} mails came in, and at most {MOST_MAILS} are followed: ask for a shorter "
            "time_range."
        )
        raise MailtraceError(Code.RANGE_TOO_WIDE, words)
    flow = _flow(asked.cluster, frozenset(entries.keys), found)
    shown = manner(config, meaning, "concise", "none")
    return flow_answer(flow, limit, found.coverage, shown, meaning.notes)


class _Entries:
    """The choice of the mails to follow; `keys` are the transactions by which they came in, as far as the
    last look knew."""

    def __init__(self, meaning: Meaning) -> None:
        self._meaning = meaning
        self.keys: list[Key] = []

    def chosen(self, graph: Graph) -> Sequence[Key]:
        aside = evidence_only(graph)
        self.keys = [
            life.key
            for life in came_in(graph, self._meaning.hosts, self._meaning.scope.window)
            if life.key not in aside
            and not is_probe(life)
            and matches(life, self._meaning.keywords, "any")
        ]
        return self.keys[:MOST_MAILS]


def _flow(cluster: str, entries: Collection[Key], found: Gathered) -> Flow:
    ended, unended, stopped = Counter[str](), 0, list[Stopped]()
    for trail in found.trails:
        for mail, notices in _units(trail, entries, found.coverage):
            still = stops([*mail, *notices])
            if not still:
                ended[one_outcome(mail)] += 1
                continue
            unended += 1
            since = _arrived(trail, mail, entries)
            lives = trail.graph.transactions
            stopped += [Stopped(lives[stop.key], stop, since) for stop in still]
    stopped.sort(key=lambda one: one.arrived or _NEVER)
    return Flow(cluster, ended, unended, stopped)


def _units(
    trail: Trail, entries: Collection[Key], coverage: Coverage
) -> Iterator[tuple[Sequence[Ending], Sequence[Ending]]]:
    """The mail's endings and those of the notices that were written here. A notice about a mail of other
    hosts, which came in by itself, is a mail of its own here."""
    mail, notices = endings(trail, coverage), list[Ending]()
    for link in trail.notices:
        ends = notice_endings(trail, link, coverage)
        if _entered(ends, entries):
            yield ends, ()
        else:
            notices += ends
    if _entered(mail, entries):
        yield mail, notices


def _entered(ends: Sequence[Ending], entries: Collection[Key]) -> bool:
    return any(key in entries for one in ends for key in one.path)


def _arrived(trail: Trail, ends: Sequence[Ending], entries: Collection[Key]) -> datetime | None:
    keys = {key for one in ends for key in one.path if key in entries}
    times = (trail.graph.transactions[key].started for key in keys)
    return min((at for at in times if at is not None), default=None)


_NEVER = datetime.max.replace(tzinfo=UTC)
