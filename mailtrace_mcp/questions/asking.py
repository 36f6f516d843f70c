"""What can be asked, and what a question means: its keywords, its hosts, its window, its first terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailtrace_mcp import times
from mailtrace_mcp.answers import Detail, Drawing, Manner
from mailtrace_mcp.config import Config
from mailtrace_mcp.errors import Code, MailtraceError, visible
from mailtrace_mcp.trace.coverage import Window
from mailtrace_mcp.trace.leads import Lead, LeadKind, Scope
from mailtrace_mcp.trace.matching import STATUS_WORDS, Keyword, Role, classify

MOST_KEYWORDS = 20
LONGEST_FOR_LITERALS = timedelta(days=1)


@dataclass(frozen=True)
class LogQuestion:
    """query_logs, as TOOLS.md names its parameters. Not checked yet: asking does that."""

    keywords: tuple[str, ...] = ()
    host: str | None = None
    time: str = "now"
    time_range: str = "1h"
    role: Role = "any"
    status: str | None = None
    limit: int = 20
    cursor: str | None = None
    detail: Detail = "concise"


@dataclass(frozen=True)
class MailQuestion:
    """trace_mail; exactly one of queue_id, message_id, keywords, headers."""

    queue_id: str | None = None
    message_id: str | None = None
    keywords: tuple[str, ...] = ()
    headers: str | None = None
    host: str | None = None
    time: str = "now"
    time_range: str = "1h"
    follow_seconds: float = 0
    graph: Drawing = "text"
    detail: Detail = "concise"
    limit: int = 5


@dataclass(frozen=True)
class Meaning:
    """A question understood: `hosts` are where it starts, `narrowed` whether it named them; `notes`
    what must be said about the window that was meant."""

    keywords: tuple[Keyword, ...]
    hosts: tuple[str, ...]
    narrowed: bool
    scope: Scope
    notes: tuple[str, ...] = ()

    def terms(self) -> list[Lead]:
        """The first terms: one for each keyword, on the hosts the question names."""
        hosts = frozenset(self.hosts) if self.narrowed else None
        leads = [
            Lead(kind, word.text, self.scope.window, hosts)
            for word in self.keywords
            if (kind := _LEADS.get(word.kind)) is not None
        ]
        # A message-id may be written without its angle brackets: then it looks like an address.
        leads += [
            Lead("message_id", word.text, self.scope.window, hosts)
            for word in self.keywords
            if word.kind == "address"
        ]
        return leads or [Lead("everything", "", self.scope.window, hosts)]


_LEADS: dict[str, LeadKind] = {
    "address": "address",
    "domain": "domain",
    "queue_id": "queue_id",
    "message_id": "message_id",
    "literal": "literal",
}


def understand(
    config: Config,
    words: Sequence[str],
    host: str | None,
    time: str,
    time_range: str,
    now: datetime,
    said: Sequence[str] = (),
) -> Meaning:
    """Check what both tools share; `said` are notes that go before ours. Raises MailtraceError naming the
    argument and what to do."""
    if len(words) > MOST_KEYWORDS:
        raise MailtraceError(
            Code.INVALID_ARGUMENT,
            f"{len(words)} keywords are too many; give at most {MOST_KEYWORDS}.",
        )
    if host is not None and not host.strip():
        raise MailtraceError(
            Code.INVALID_ARGUMENT, "host is empty; leave it out for all hosts, or name one."
        )
    if not config.hosts:
        raise MailtraceError(
            Code.CONFIG_INVALID,
            f"{config.path.name} names no hosts: say under `hosts:` where their logs lie.",
        )
    keywords = tuple(dict.fromkeys(classify(word, tuple(config.hosts)) for word in words))
    hosts = config.host_names(host)
    named = [word.text for word in keywords if word.kind == "host"]
    if named:
        hosts = tuple(one for one in hosts if one.casefold() in named)
    if not hosts:
        raise MailtraceError(
            Code.INVALID_ARGUMENT, "no host is left: the keywords name other hosts than host does."
        )
    meant = times.asked(time, time_range, config.zone, now, config.limits.window)
    _check_literals(keywords, meant.window)
    scope = Scope(meant.window, config.limits.window, now)
    return Meaning(keywords, hosts, host is not None or bool(named), scope, (*said, *meant.notes))


def _check_literals(keywords: Sequence[Keyword], meant: Window) -> None:
    """A literal is found by reading every line, so the window is short."""
    literal = next((word.text for word in keywords if word.kind == "literal"), None)
    if literal is not None and meant.end - meant.start > LONGEST_FOR_LITERALS:
        raise MailtraceError(
            Code.RANGE_TOO_WIDE,
            f"keyword {visible(literal)!r} is searched for as plain text, in a window of at most a day; "
            "ask for a shorter time_range, or for an address, a domain or an ID.",
        )


def check_status(status: str | None) -> str | None:
    """An outcome's name, whatever its case; None for `any`."""
    if status is None or status.casefold() == "any":
        return None
    if status.casefold() not in STATUS_WORDS:
        raise MailtraceError(
            Code.INVALID_ARGUMENT,
            f"status {visible(status)!r} is no outcome; use one of {', '.join(STATUS_WORDS)}, any.",
        )
    return status.casefold()


def check_limit(limit: int, most: int) -> int:
    if not 1 <= limit <= most:
        raise MailtraceError(Code.INVALID_ARGUMENT, f"limit {limit} is not in 1 to {most}.")
    return limit


def manner(config: Config, meaning: Meaning, detail: Detail, drawing: Drawing) -> Manner:
    """How the answer is to be shown: the configured zone, and the addresses the question named."""
    named = tuple(word.text for word in meaning.keywords if word.kind == "address")
    return Manner(config.zone, config.zone.key, detail, drawing, named, config.limits.answer_chars)


def whole_reach(config: Config) -> str:
    """The widest window that the configuration allows, as a time_range."""
    seconds = int(config.limits.window.total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{max(1, seconds)}s"
