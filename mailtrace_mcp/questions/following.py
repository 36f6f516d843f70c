"""Looking again: with growing pauses, until every recipient's outcome is final or the time is over.

One piece of code for trace_mail and send_test_mail; the command line sees every look (`Onlooker`), and
may follow for as long as is wanted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import anyio

from mailtrace_mcp.answers import TraceAnswer
from mailtrace_mcp.answers.manner import Manner, TracedMail
from mailtrace_mcp.answers.tracing import trace_answer
from mailtrace_mcp.config import Config
from mailtrace_mcp.logs.gather import Progress
from mailtrace_mcp.questions.asking import Meaning
from mailtrace_mcp.questions.beginning import Beginning
from mailtrace_mcp.questions.searching import search, traced
from mailtrace_mcp.questions.wanted import Wanted
from mailtrace_mcp.trace.graph import trails
from mailtrace_mcp.trace.latency import FINAL
from mailtrace_mcp.views.news import News

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
# The last look begins this long before the deadline at the latest: one that has no time to read the
# hosts would tell less than the one before.
LAST_LOOK = 5.0

Onlooker = Callable[[TraceAnswer], None]


@dataclass(frozen=True)
class Patience:
    """`seconds` to follow, 0: look once. `deadline` is a moment of anyio's clock, None: each look may
    take as long as the configuration says, and following as long as `seconds`."""

    seconds: float
    deadline: float | None = None

    def left(self) -> float | None:
        """Seconds until the deadline."""
        return None if self.deadline is None else max(0.0, self.deadline - anyio.current_time())


@dataclass(frozen=True)
class Look:
    """What one look found: the mails, how many matched, and the answer about them."""

    mails: Sequence[TracedMail]
    answer: TraceAnswer

    @property
    def final(self) -> bool:
        """Whether something was found, and nothing more can happen to it."""
        outcomes = (ending.outcome for mail in self.mails for ending in mail.endings)
        return bool(self.mails) and all(outcome in FINAL for outcome in outcomes)


@dataclass(frozen=True)
class Taken:
    """What a server took: it must be found before following is over."""

    message_id: str
    queue_id: str | None
    recipients: frozenset[str]

    def found_in(self, mails: Sequence[TracedMail]) -> bool:
        """Whether each recipient has an end in a mail of this message-id: a later try, or a server that
        splits the mail, makes several of it. Where names were changed on the way, as many ends in the
        queue file that the server named will do."""
        mine = [mail for mail in mails if self.message_id in _message_ids(mail)]
        if self.recipients <= {name for mail in mine for name in _names(mail)}:
            return True
        return any(
            len(mail.endings) >= len(self.recipients)
            for mail in mails
            if any(key.queue_id == self.queue_id for key in mail.trail.keys)
        )


def _message_ids(mail: TracedMail) -> set[str | None]:
    return {mail.trail.graph.transactions[key].message_id for key in mail.trail.keys}


def _names(mail: TracedMail) -> Iterator[str]:
    for ending in mail.endings:
        for name in (ending.recipient, ending.original_recipient):
            if name is not None:
                yield name.casefold()


class Watch:
    """One question about mails, looked at again and again: `wanted` is what it means at `now`. It is not
    over before all that was `taken` is found."""

    def __init__(
        self,
        config: Config,
        wanted: Wanted,
        limit: int,
        manner: Manner,
        now: datetime,
        taken: Sequence[Taken] = (),
    ) -> None:
        self._config, self._wanted, self._limit = config, wanted, limit
        self._manner, self._now, self._taken = manner, now, taken
        self._news = News()

    async def follow(
        self,
        patience: Patience,
        progress: Progress | None = None,
        onlooker: Onlooker | None = None,
    ) -> TraceAnswer:
        """The answer of the last look. `progress` hears of each hop and each end as it appears."""
        began = anyio.current_time()

        async def look() -> Look:
            elapsed = round(anyio.current_time() - began, 1)  # the first look is at `now` itself
            later = self._now + timedelta(seconds=elapsed)
            found = await self._look(later, patience.left(), progress)
            if onlooker is not None:
                onlooker(found.answer)
            if patience.seconds:
                await self._tell(found.answer, progress)
            return found

        def enough(found: Look) -> bool:
            return found.final and all(one.found_in(found.mails) for one in self._taken)

        return (await _again(look, enough, patience)).answer

    async def _look(self, now: datetime, seconds: float | None, progress: Progress | None) -> Look:
        wanted = replace(self._wanted, meaning=_later(self._wanted.meaning, now))
        beginning = Beginning(wanted, self._limit)
        found = await search(
            self._config, wanted.meaning, wanted.terms(), beginning.chosen, progress, seconds
        )
        mails = [traced(trail, found) for trail in found.trails]
        matched = len(trails(found.graph, beginning.meant(found.graph)))
        notes = wanted.meaning.notes
        return Look(mails, trace_answer(mails, found.coverage, self._manner, matched, notes))

    async def _tell(self, answer: TraceAnswer, progress: Progress | None) -> None:
        lines = self._news.lines(answer)
        if progress is not None:
            for said in lines:
                await progress(self._news.told, self._news.told, said)


async def _again(
    look: Callable[[], Awaitable[Look]], enough: Callable[[Look], bool], patience: Patience
) -> Look:
    """Look until it is enough or the time is over; pauses of 1, 2, 4 … seconds, and a last look at the
    end of the time."""
    end, pause = anyio.current_time() + patience.seconds, FIRST_PAUSE
    if patience.deadline is not None:
        end = min(end, patience.deadline - LAST_LOOK)
    while True:
        found = await look()
        left = end - anyio.current_time()
        if enough(found) or left <= 0:
            return found
        await anyio.sleep(min(pause, left))
        pause = min(2 * pause, LONGEST_PAUSE)


def _later(meaning: Meaning, now: datetime) -> Meaning:
    """The same question some seconds on: a window that reached to the present reaches to the new one."""
    scope, window = meaning.scope, meaning.scope.window
    if window.end >= scope.now:
        window = replace(window, end=max(window.end, now))
    return replace(meaning, scope=replace(scope, window=window, now=now))
