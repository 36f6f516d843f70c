"""The rounds: what is asked for, in what order, and what one host's failure costs the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from textwrap import dedent

import anyio

from mailtrace_mcp.logs import FoundLine, LogSource, Reading, Term
from mailtrace_mcp.logs.gather import Gathered, Search, gather
from mailtrace_mcp.logs.match import Matcher
from mailtrace_mcp.trace.coverage import HostCoverage, Window
from mailtrace_mcp.trace.graph import Graph
from mailtrace_mcp.trace.leads import Lead, Scope
from mailtrace_mcp.trace.outcomes import endings
from mailtrace_mcp.trace.transactions import Key
from mailtrace_parsers.entry import Clock
from mailtrace_parsers.syslog import frame
from tests.trace.plain import Table

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = Window(NOON - timedelta(hours=1), NOON + timedelta(hours=1))
KNOWN = Table({"192.0.2.1": "a", "192.0.2.2": "b", "192.0.2.3": "c"})
CLOCK = Clock(UTC, NOW)


@dataclass
class Plain:
    """A source over lines in memory: `HH:MM:SS daemon[pid]: text` of one day. It notes what it was
    asked for, and can take its time."""

    host: str
    text: str
    seconds: float = 0.0
    asked: list[tuple[Term, ...]] = field(default_factory=list)

    @property
    def hosts(self) -> tuple[str, ...]:
        return (self.host,)

    async def read(self, terms: Sequence[Term], window: Window) -> Reading:
        self.asked.append(tuple(terms))
        await anyio.sleep(self.seconds)
        matcher, lines = Matcher(terms), []
        for order, line in enumerate(dedent(self.text).strip().splitlines()):
            raw = f"Nov 21 {line.split()[0]} {self.host} postfix/{line.partition(' ')[2]}".encode()
            at = frame(raw, CLOCK).at
            hits = matcher.hits(raw)
            if hits and any(self._asks(term, at) for term in hits[0].terms):
                lines.append(FoundLine(self.host, order, raw, CLOCK, "memory"))
        return Reading(lines, [HostCoverage(self.host, "read")])

    def _asks(self, term: Term, at: datetime | None) -> bool:
        return (term.hosts is None or self.host in term.hosts) and term.window.holds(at)


def hop(queue_id: str, client: str, message_id: str, time: str, relay: str, reply: str) -> str:
    return "\n".join(
        [
            f"{time} smtpd[1]: {queue_id}: client={client}",
            f"{time} cleanup[2]: {queue_id}: message-id=<{message_id}>",
            f"{time} qmgr[3]: {queue_id}: from=<s@example.net>, size=9, nrcpt=1 (queue active)",
            f"{time} smtp[4]: {queue_id}: to=<bob@example.com>, relay={relay}:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent ({reply})",
            f"{time} qmgr[3]: {queue_id}: removed",
        ]
    )


def three_hosts(**seconds: float) -> list[Plain]:
    ok = "250 2.0.0 Ok: queued as"
    return [
        Plain("a", hop("4AAAAAAAAA", "pc[192.0.2.9]", "m@x.example", "12:00:00", "b[192.0.2.2]", f"{ok} 4BBBBBBBBB"), seconds.get("a", 0)),
        Plain("b", hop("4BBBBBBBBB", "a[192.0.2.1]", "m@x.example", "12:00:00", "c[192.0.2.3]", f"{ok} 4CCCCCCCCC"), seconds.get("b", 0)),
        Plain("c", hop("4CCCCCCCCC", "b[192.0.2.2]", "m@x.example", "12:00:00", "mx.example.org[198.51.100.9]", "250 ok"), seconds.get("c", 0)),
    ]  # fmt: skip


def trace(sources: Sequence[Plain], queue_id: str = "4AAAAAAAAA", seconds: float = 10) -> Gathered:
    def choose(graph: Graph) -> list[Key]:
        return [key for key in graph.transactions if key.queue_id == queue_id]

    scope = Scope(HOUR, timedelta(days=7), NOW)
    search = Search([Lead("queue_id", queue_id, HOUR)], choose, scope, KNOWN, seconds)
    asked: list[LogSource] = list(sources)
    return anyio.run(gather, asked, search)


def outcome(found: Gathered) -> list[tuple[str, int]]:
    [trail] = found.trails
    return [(one.outcome, len(one.path)) for one in endings(trail, found.coverage)]


def test_three_hops_are_found_from_either_end_and_from_the_middle() -> None:
    for queue_id in ("4AAAAAAAAA", "4BBBBBBBBB", "4CCCCCCCCC"):
        assert outcome(trace(three_hosts(), queue_id)) == [("sent", 3)]


def test_rounds_do_not_grow_with_the_hops() -> None:
    """The message-id is asked of all hosts at once, so the third hop costs no more than the second."""
    sources = three_hosts()
    trace(sources)
    first_two, all_three = three_hosts()[:2], sources
    trace(first_two)
    assert len(all_three[0].asked) <= len(first_two[0].asked) + 1


def test_nothing_is_asked_twice() -> None:
    sources = three_hosts()
    trace(sources)
    for source in sources:
        said = [(term, term.window) for terms in source.asked for term in terms]
        assert len(said) == len(set(said))


def test_a_host_that_does_not_answer_in_time_is_named_and_the_others_answer() -> None:
    found = trace(three_hosts(b=30), seconds=0.5)
    states = {host.host: (host.state, host.code) for host in found.coverage.hosts}
    assert states["b"] == ("timeout", "HOST_TIMEOUT")
    assert states["a"] == states["c"] == ("read", None)
    assert outcome(found) == [("unknown", 1)]


def test_lines_are_counted_once_however_many_rounds_brought_them() -> None:
    found = trace(three_hosts())
    assert [host.lines for host in found.coverage.hosts] == [5, 5, 5]


def test_a_mail_that_waited_is_followed_past_the_window() -> None:
    waiting = "\n".join(
        [
            "12:00:00 smtpd[1]: 4AAAAAAAAA: client=pc[192.0.2.9]",
            "12:00:00 qmgr[3]: 4AAAAAAAAA: from=<s@example.net>, size=9, nrcpt=1 (queue active)",
            "12:00:01 smtp[4]: 4AAAAAAAAA: to=<bob@example.com>, relay=none, delay=1, delays=0/0/1/0, dsn=4.4.1, status=deferred (later)",
            "23:30:00 smtp[4]: 4AAAAAAAAA: to=<bob@example.com>, relay=mx.example.org[198.51.100.9]:25, delay=41400, delays=41399/0/1/0, dsn=2.0.0, status=sent (250 ok)",
            "23:30:00 qmgr[3]: 4AAAAAAAAA: removed",
        ]
    )
    assert outcome(trace([Plain("a", waiting)])) == [("sent", 1)]


def test_a_mail_whose_beginning_lies_before_the_window_is_followed_back() -> None:
    early = "\n".join(
        [
            "02:00:00 smtpd[1]: 4AAAAAAAAA: client=pc[192.0.2.9]",
            "02:00:00 qmgr[3]: 4AAAAAAAAA: from=<s@example.net>, size=9, nrcpt=1 (queue active)",
            "12:00:00 smtp[4]: 4AAAAAAAAA: to=<bob@example.com>, relay=mx.example.org[198.51.100.9]:25, delay=36000, delays=35999/0/1/0, dsn=2.0.0, status=sent (250 ok)",
        ]
    )
    found = trace([Plain("a", early)])
    assert found.trails[0].transactions[0].begins
