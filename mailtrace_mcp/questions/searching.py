"""What both questions share: gather, then the trails with how they ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from mailtrace_mcp.answers.manner import TracedMail
from mailtrace_mcp.config import Config
from mailtrace_mcp.logs.gather import Choose, Gathered, Progress, Search, gather
from mailtrace_mcp.logs.open import sources
from mailtrace_mcp.questions.asking import Meaning
from mailtrace_mcp.trace.completeness import gaps
from mailtrace_mcp.trace.graph import Graph, Trail
from mailtrace_mcp.trace.leads import Lead
from mailtrace_mcp.trace.outcomes import endings, notice_endings
from mailtrace_mcp.trace.transactions import Key, Transaction


async def search(
    config: Config,
    meaning: Meaning,
    terms: Sequence[Lead],
    choose: Choose,
    progress: Progress | None,
    seconds: float | None = None,
) -> Gathered:
    """Gather what the terms lead to, in `seconds` or the configured deadline."""
    deadline = config.limits.deadline if seconds is None else seconds
    search = Search(terms, choose, meaning.scope, config, deadline)
    return await gather(sources(config), search, progress)


def traced(trail: Trail, found: Gathered) -> TracedMail:
    """A trail with how it ended, for each recipient and each notice, and whether that is all."""
    coverage = found.coverage
    ends = endings(trail, coverage)
    notices = tuple((link, notice_endings(trail, link, coverage)) for link in trail.notices)
    left_open = tuple(dict.fromkeys(gaps(trail, ends, coverage, found.cut)))
    return TracedMail(trail, ends, not left_open, notices, left_open)


def evidence_only(graph: Graph) -> dict[Key, Key]:
    """Refusals that are the other side of an attempt of ours → the mail that attempt was for: they are
    told with that mail, and are no mail of their own."""
    links = graph.links.all
    return {
        link.target: link.source
        for link in links
        if link.kind == "refusal" and link.target is not None
    }


def newest(lives: Iterable[Transaction]) -> list[Transaction]:
    """Newest first; a mail without a stamp comes last."""
    return sorted(lives, key=age, reverse=True)


def age(life: Transaction) -> tuple[datetime, str]:
    """By what mails are put in order: the first line that is known of it, and its host."""
    return life.started or _NEVER, life.key.host


_NEVER = datetime.min.replace(tzinfo=UTC)
