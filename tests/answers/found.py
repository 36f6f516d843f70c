"""Traces and listings out of plain log text, as questions would hand them to the builders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC

from mailtrace_mcp.answers import FoundMail, Manner, QueryAnswer, TraceAnswer, TracedMail
from mailtrace_mcp.answers.listing import query_answer
from mailtrace_mcp.answers.tracing import trace_answer
from mailtrace_mcp.trace.coverage import Coverage
from mailtrace_mcp.trace.graph import Graph, Trail, trails
from mailtrace_mcp.trace.outcomes import endings, notice_endings
from mailtrace_mcp.trace.transactions import Key
from tests.trace.plain import coverage, graph

MANNER = Manner(UTC, "UTC")
FULL = replace(MANNER, detail="full")
READ = coverage("a", "b")

TWO_HOPS = {
    "a": """
        10:00:00 smtpd[1]: A00001: client=pc.example.net[203.0.113.9]
        10:00:00 cleanup[2]: A00001: message-id=<1@example.net>
        10:00:00 qmgr[3]: A00001: from=<alice@example.net>, size=500, nrcpt=2 (queue active)
        10:00:02 smtp[4]: A00001: to=<bob@example.test>, relay=b.example.test[192.0.2.2]:25, delay=2, delays=0.1/0.2/0.7/1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as B00001)
        10:00:03 smtp[5]: A00001: to=<who@example.com>, relay=mx.example.com[198.51.100.7]:25, delay=3, delays=0.1/0/2/0.9, dsn=5.1.1, status=bounced (host mx.example.com[198.51.100.7] said: 550 5.1.1 <who@example.com>: unknown (in reply to RCPT TO command))
        10:00:03 bounce[6]: A00001: sender non-delivery notification: A00002
        10:00:03 cleanup[2]: A00002: message-id=<2@a.example.test>
        10:00:03 qmgr[3]: A00002: from=<>, size=900, nrcpt=1 (queue active)
        10:00:04 smtp[4]: A00002: to=<alice@example.net>, relay=mail.example.net[203.0.113.1]:25, delay=1, delays=0/0/0.5/0.5, dsn=2.0.0, status=sent (250 OK)
        10:00:04 qmgr[3]: A00002: removed
        10:00:03 qmgr[3]: A00001: removed
        """,
    "b": """
        10:00:01 smtpd[1]: B00001: client=a.example.test[192.0.2.1], orig_queue_id=A00001, orig_client=pc.example.net[203.0.113.9]
        10:00:01 cleanup[2]: B00001: message-id=<1@example.net>
        10:00:02 qmgr[3]: B00001: from=<alice@example.net>, size=700, nrcpt=1 (queue active)
        10:00:04 local[4]: B00001: to=<bob@example.test>, relay=local, delay=3, delays=1/0/0/2, dsn=2.0.0, status=sent (delivered to maildir)
        10:00:04 qmgr[3]: B00001: removed
        """,
}  # fmt: skip


def traced(trail: Trail, read: Coverage = READ, complete: bool = True) -> TracedMail:
    notices = tuple((link, notice_endings(trail, link, read)) for link in trail.notices)
    return TracedMail(trail, endings(trail, read), complete, notices)


def all_traced(of: Graph, read: Coverage = READ) -> list[TracedMail]:
    """Every mail of a graph."""
    return [traced(trail, read) for trail in trails(of, of.transactions)]


def trace(
    of: Graph, host: str, queue_id: str | None, manner: Manner = MANNER, read: Coverage = READ
) -> TraceAnswer:
    """The answer about the mail on which a queue ID lies (None: the first without one)."""
    key = next(key for key in of.transactions if key[:2] == (host, queue_id))
    [trail] = trails(of, [key])
    return trace_answer([traced(trail, read)], read, manner)


def two_hops(manner: Manner = MANNER) -> TraceAnswer:
    """One mail, two recipients: one delivered by the second host, one bounced."""
    return trace(graph(**TWO_HOPS), "a", "A00001", manner)


def listed(
    of: Graph, manner: Manner = MANNER, read: Coverage = READ, keys: Sequence[Key] | None = None
) -> QueryAnswer:
    """Every mail on every host of a graph, each with the endings that its way leads to."""
    mails = []
    for mail in all_traced(of, read):
        for life in mail.trail.transactions:
            if keys is None or life.key in keys:
                ends = tuple(one for one in mail.endings if life.key in one.path)
                mails.append(FoundMail(life, ends))
    return query_answer(mails, mails, read, manner)
