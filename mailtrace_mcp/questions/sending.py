"""send_test_mail: policy, send, and follow the mail to its ends; in a tool call within one deadline."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from mailtrace_mcp.answers import Manner, SendAnswer, TraceAnswer
from mailtrace_mcp.answers.sending import TRACE_SHARE, dry_answer, send_answer
from mailtrace_mcp.checks.domains import doubts
from mailtrace_mcp.config import Config
from mailtrace_mcp.config.presets import Tls
from mailtrace_mcp.logs.gather import Progress
from mailtrace_mcp.questions.asking import Meaning, manner, understand, whole_reach
from mailtrace_mcp.questions.clusters import whole
from mailtrace_mcp.questions.following import Onlooker, Patience, Taken, Watch
from mailtrace_mcp.questions.tracing import MOST_TRACES, check_seconds
from mailtrace_mcp.questions.wanted import Wanted
from mailtrace_mcp.send import (
    Effort,
    OperatorWords,
    Record,
    Sending,
    SendRequest,
    dry_run,
)
from mailtrace_mcp.send.drafts import Notify

if TYPE_CHECKING:
    from mailtrace_mcp.checks.lookups import Lookups

# A mail that was sent just now is looked for from some time before on: clocks differ.
_LOOK_BACK = timedelta(minutes=15)
_SHORTEST_LOOK = 1.0  # seconds
_LOOK_UP = 1.5  # seconds, for the senders' domains in the DNS
_FAILED = (
    "Following it failed (the program's own log says how); what is told of sending holds. Trace the "
    "message_id with trace_mail."
)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SendQuestion:
    """send_test_mail, as TOOLS.md names its parameters. None: as the profile says."""

    to: tuple[str, ...] | None = None
    subject: str | None = None
    profile: str | None = None
    sender: str | None = None
    ssl_mode: Tls | None = None
    verify: bool | None = None
    auth: bool = True
    body: str | None = None
    html: str | None = None
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    dsn: tuple[Notify, ...] = ()
    rate: float | str = 1
    duration: float = 1
    follow: bool = False
    follow_seconds: float = 25
    dry_run: bool = False

    def request(self) -> SendRequest:
        """What is to be sent."""
        return SendRequest(**{one.name: getattr(self, one.name) for one in fields(SendRequest)})


def reads_only(config: Config) -> bool:
    """Whether MAILTRACE_READ_ONLY forbids sending, here and in the server: any value but 0, no, false."""
    return config.own.get("MAILTRACE_READ_ONLY", "").casefold() not in ("", "0", "no", "false")


async def send_test_mail(
    config: Config, asked: SendQuestion, now: datetime, progress: Progress | None = None
) -> SendAnswer:
    """Send a test mail, or tell what would be sent; with `follow`, follow it.

    Raises MailtraceError for what is not begun at all (NOT_ALLOWED, RATE_LIMITED, INVALID_ARGUMENT, …).
    What a server did is in the answer, also where nobody took the mail.
    """
    return await Dispatch(config, asked, now).run(progress)


class Dispatch:
    """One send_test_mail on its way; `answer` tells what was done so far, also after `run` was cancelled.

    `operator` None: an agent asks, and there is one deadline. An operator may follow as long as is
    wanted; `onlooker` sees each look, and `on_sent` what became of the mail before the first one.
    `lookups` None: the DNS servers of this machine are asked.
    """

    def __init__(
        self,
        config: Config,
        asked: SendQuestion,
        now: datetime,
        operator: OperatorWords | None = None,
        onlooker: Onlooker | None = None,
        on_sent: Callable[[SendAnswer], None] | None = None,
        lookups: Lookups | None = None,
    ) -> None:
        self._config, self._asked, self._now = config, asked, now
        self._operator, self._onlooker, self._on_sent = operator, onlooker, on_sent
        self._lookups = lookups
        self._notes: tuple[str, ...] = ()
        self._doubts: tuple[str, ...] = ()
        self._manner = Manner(config.zone, config.zone.key, answer_chars=config.limits.answer_chars)
        self._sending: Sending | None = None
        self._trace: TraceAnswer | None = None

    async def run(self, progress: Progress | None = None) -> SendAnswer:
        """Do it. Raises as send_test_mail does, before anything was sent."""
        asked, limits = self._asked, self._config.limits
        by_agent = self._operator is None
        check_seconds(asked.follow_seconds, limits.deadline if by_agent else None)
        if asked.dry_run:
            return await self._dry_run()
        meaning = self._meaning() if asked.follow else None
        began = anyio.current_time()
        deadline = began + limits.deadline if by_agent else None
        effort = Effort(deadline=deadline) if deadline is not None else None
        self._sending = Sending(
            self._config, asked.request(), self._operator, None, effort, self._clock
        )
        await self._sending.go(progress)
        await self._doubt(deadline)
        if meaning is not None:
            await self._tell(progress)
            patience = Patience(asked.follow_seconds, deadline)
            try:
                await self._follow(meaning, patience, progress, anyio.current_time() - began)
            except Exception:  # noqa: BLE001  the mail is out, whatever befell the tracing: both are told
                _log.exception("following failed")
                self._notes = (_FAILED,)
        return self.answer()

    async def _doubt(self, deadline: float | None) -> None:
        """Look the senders' domains up, in a moment or not at all: it is a warning, and no reason to wait."""
        from mailtrace_mcp.checks.lookups import Lookups

        domains = {one.sender.rpartition("@")[2] for one in self.records if one.success is not None}
        seconds = _LOOK_UP
        if deadline is not None:
            seconds = min(seconds, deadline - anyio.current_time() - _SHORTEST_LOOK)
        with anyio.move_on_after(max(0.0, seconds)):
            for domain in sorted(domains):
                self._doubts += await doubts(domain, self._lookups or Lookups(seconds=_LOOK_UP))

    async def _tell(self, progress: Progress | None) -> None:
        """What became of it, before following begins."""
        answer = self.answer()
        if self._on_sent is not None:
            self._on_sent(answer)
        if progress is not None:
            count = len(answer.records)
            await progress(count, count, answer.summary)

    @property
    def records(self) -> Sequence[Record]:
        """What was decided so far, one for each mail and recipient."""
        return self._sending.result().records if self._sending is not None else ()

    def answer(self) -> SendAnswer:
        """What is known by now. Only after `run` has begun to send."""
        if self._sending is None:
            raise RuntimeError("nothing was begun")
        found = self._sending.result()
        found = replace(found, warnings=(*found.warnings, *self._doubts))
        return send_answer(found, self._manner, self._trace, self._notes)

    @property
    def begun(self) -> bool:
        """Whether there is anything to tell."""
        return self._sending is not None

    def _clock(self) -> datetime:
        return datetime.now(self._config.zone)

    async def _dry_run(self) -> SendAnswer:
        request = self._asked.request()
        dry = await anyio.to_thread.run_sync(dry_run, self._config, request, self._operator)
        return dry_answer(dry, self._manner)

    def _meaning(self) -> Meaning:
        """Where and when the mail is to be looked for. Before sending: it must be possible."""
        wide = self._config.limits.window >= _LOOK_BACK
        span = f"{int(_LOOK_BACK.total_seconds())}s" if wide else whole_reach(self._config)
        return understand(self._config, (), None, "now", span, self._now)

    async def _follow(
        self, meaning: Meaning, patience: Patience, progress: Progress | None, late: float
    ) -> None:
        """Follow what was taken, or may have been, if there is time left to look."""
        records = [one for one in self.records if one.success is not False]
        taken = {one.message_id: None for one in records}
        ids, left = list(taken)[-MOST_TRACES:], patience.left()
        if not ids or (left is not None and left < _SHORTEST_LOOK):
            return
        scope = meaning.scope
        now = self._now + timedelta(seconds=late)
        window = replace(scope.window, end=now)
        meaning = replace(meaning, scope=replace(scope, window=window, now=now))
        if len(taken) > len(ids):
            note = f"Of {len(taken)} mails only the last {len(ids)} were followed."
            meaning = replace(meaning, notes=(*meaning.notes, note))
        wanted = Wanted(meaning, (), tuple(ids))
        named = tuple(one.recipient for one in self.records)
        chars = int(self._config.limits.answer_chars * TRACE_SHARE)
        shown = replace(manner(self._config, meaning, "concise", "text"), named=named)
        awaited = _taken([one for one in records if one.success and one.message_id in ids])
        shown = replace(shown, answer_chars=chars)
        config, _ = await whole(self._config)
        watch = Watch(config, wanted, MOST_TRACES, shown, now, awaited)
        await watch.follow(patience, progress, self._see)

    def _see(self, answer: TraceAnswer) -> None:
        self._trace = answer
        if self._onlooker is not None:
            self._onlooker(answer)


def _taken(records: Sequence[Record]) -> list[Taken]:
    """What the servers accepted, by the queue file that they named."""
    recipients: dict[tuple[str, str | None], set[str]] = {}
    for one in records:
        place = one.message_id, one.queue_id
        recipients.setdefault(place, set()).add(one.recipient.casefold())
    return [Taken(*place, frozenset(names)) for place, names in recipients.items()]
