"""query_logs: the mails on each host that match, newest first, each with how it ended in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from mailtrace_mcp.answers import FoundMail, QueryAnswer
from mailtrace_mcp.answers.listing import query_answer
from mailtrace_mcp.config import Config
from mailtrace_mcp.errors import Code, MailtraceError
from mailtrace_mcp.logs.gather import Gathered, Progress
from mailtrace_mcp.questions.asking import (
    LogQuestion,
    Meaning,
    check_limit,
    check_status,
    manner,
    understand,
)
from mailtrace_mcp.questions.clusters import whole
from mailtrace_mcp.questions.cursor import Cursor, opened, signed
from mailtrace_mcp.questions.searching import age, evidence_only, search
from mailtrace_mcp.trace.endings import Ending
from mailtrace_mcp.trace.graph import Graph
from mailtrace_mcp.trace.matching import matches
from mailtrace_mcp.trace.outcomes import endings, notice_endings
from mailtrace_mcp.trace.recipients import is_probe
from mailtrace_mcp.trace.transactions import Key, Transaction

MOST_MAILS = 200
# With a status to look for, every mail that matches has to be followed to its end before it can be
# told whether it belongs to the answer; for more than these the question is refused.
MOST_FOLLOWED = 20_000


@dataclass(frozen=True)
class _Listing:
    """One question about the logs, understood.

    `places` are the mails in the order in which each was first seen to match. More lines of a mail that
    is followed may tell that it began earlier; its place does not change for that, or the next page,
    which follows other mails, would show a mail again or leave one out.
    """

    asked: LogQuestion
    meaning: Meaning
    status: str | None
    after: Key | None
    places: dict[Key, tuple[datetime, str]] = field(default_factory=dict)

    def matching(self, graph: Graph) -> list[Transaction]:
        """What matches, newest first; how it ended is not looked at."""
        aside = evidence_only(graph)
        found = [
            life
            for life in graph.transactions.values()
            if life.host in self.meaning.hosts
            and life.key not in aside
            and not is_probe(life)
            and matches(life, self.meaning.keywords, self.asked.role)
            and any(self.meaning.scope.window.holds(entry.frame.at) for entry in life.entries)
        ]
        for life in found:
            self.places.setdefault(life.key, age(life))
        return sorted(found, key=lambda life: self.places[life.key], reverse=True)

    def chosen(self, graph: Graph) -> Sequence[Key]:
        """The mails whose end must be known: those of the page, or all where a status is asked for."""
        keys = _after([life.key for life in self.matching(graph)], self.after)
        return keys[: self.asked.limit if self.status is None else MOST_FOLLOWED]


async def query_logs(
    config: Config, asked: LogQuestion, now: datetime, progress: Progress | None = None
) -> QueryAnswer:
    """The mails that match, newest first. Raises MailtraceError for a question that cannot be asked."""
    config, said = await whole(config, asked.host)
    listing = _understood(config, asked, now, said)
    terms = listing.meaning.terms()
    found = await search(config, listing.meaning, terms, listing.chosen, progress)
    matching = listing.matching(found.graph)
    _check_followed(listing, matching)
    mails = _mails(found, listing, matching)
    page, rest = mails[: asked.limit], mails[asked.limit :]
    more = (
        rest if listing.status else _after([m.key for m in matching], listing.after)[asked.limit :]
    )
    return query_answer(
        page,
        mails if listing.status else [FoundMail(life, ()) for life in matching],
        found.coverage,
        manner(config, listing.meaning, asked.detail, "none"),
        _cursor(listing, page) if more else None,
        listing.meaning.notes,
        partial(_cursor, listing),
    )


def _understood(config: Config, asked: LogQuestion, now: datetime, said: Sequence[str]) -> _Listing:
    check_limit(asked.limit, MOST_MAILS)
    status = check_status(asked.status)
    if not asked.keywords and asked.host is None and status is None:
        raise MailtraceError(
            Code.INVALID_ARGUMENT, "give at least one keyword, a host or a status to look for."
        )
    meaning = understand(
        config, asked.keywords, asked.host, asked.time, asked.time_range, now, said
    )
    if asked.cursor is None:
        return _Listing(asked, meaning, status, None)
    cursor = opened(asked.cursor, _identity(asked), config.limits.window)
    scope = replace(meaning.scope, window=cursor.window)
    return _Listing(asked, replace(meaning, scope=scope), status, cursor.after)


def _identity(asked: LogQuestion) -> list[object]:
    """What decides which mails match; the page's size and detail may change from page to page."""
    return [asked.keywords, asked.host, asked.time, asked.time_range, asked.role, asked.status]


def _mails(found: Gathered, listing: _Listing, matching: list[Transaction]) -> list[FoundMail]:
    """The mails of this page and after it that were followed, with how they ended."""
    ended: dict[Key, tuple[Ending, ...]] = {}
    for trail in found.trails:
        ends = [*endings(trail, found.coverage)]
        for notice in trail.notices:
            ends.extend(notice_endings(trail, notice, found.coverage))
        for ending in ends:
            for key in ending.path:
                ended[key] = (*ended.get(key, ()), ending)
    lives = {life.key: life for life in matching}
    keys = [key for key in _after(list(lives), listing.after) if key in set(found.chosen)]
    mails = [FoundMail(lives[key], ended.get(key, ())) for key in keys]
    if listing.status is None:
        return mails
    return [one for one in mails if any(e.outcome == listing.status for e in one.endings)]


def _after(keys: list[Key], last: Key | None) -> list[Key]:
    if last is None or last not in keys:
        return keys
    return keys[keys.index(last) + 1 :]


def _cursor(listing: _Listing, page: Sequence[FoundMail]) -> str | None:
    if not page:
        return None
    cursor = Cursor(listing.meaning.scope.window, page[-1].life.key)
    return signed(cursor, _identity(listing.asked))


def _check_followed(listing: _Listing, matching: list[Transaction]) -> None:
    if listing.status is not None and len(matching) > MOST_FOLLOWED:
        raise MailtraceError(
            Code.RANGE_TOO_WIDE,
            f"{len(matching)} mails match, and to look for status={listing.status} each has to be followed "
            f"to its end: at most {MOST_FOLLOWED}. Ask for a shorter time_range, one host or more keywords.",
        )
