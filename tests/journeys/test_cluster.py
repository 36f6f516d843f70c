"""All mails of fixtures/cluster against what really became of them.

ORACLE.json was read from the mailboxes' Received: headers, the queues and the SMTP replies of the
cluster that wrote the logs, never from the logs: 217 mails, background among them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import anyio
import pytest

from mailtrace_mcp.config import load
from mailtrace_mcp.logs.gather import Gathered, Search, gather
from mailtrace_mcp.logs.open import sources
from mailtrace_mcp.questions.searching import evidence_only
from mailtrace_mcp.trace.completeness import is_complete
from mailtrace_mcp.trace.coverage import Window
from mailtrace_mcp.trace.endings import Ending
from mailtrace_mcp.trace.graph import Trail, trails
from mailtrace_mcp.trace.leads import Lead, Scope
from mailtrace_mcp.trace.outcomes import endings, notice_endings

ROOT = Path(__file__).parents[2]
RECORDED = datetime(2026, 11, 21, 6, 59, 30, tzinfo=UTC)
WINDOW = Window(RECORDED - timedelta(minutes=1), RECORDED + timedelta(minutes=30))

Mail = Mapping[str, Any]
ORACLE: list[Mail] = json.loads((ROOT / "fixtures/cluster/ORACLE.json").read_text())
# The client was told no queue ID, or none was given: these mails are found by what the log says of them.
BY_DECISION = {"relay-denied", "relay-denied-csmail2", "unknown-recipient", "header-reject",
               "too-big-announced", "too-big", "half-refused"}  # fmt: skip


@cache
def everything() -> Gathered:
    """All lines of the cluster, read once."""
    config = load(ROOT / "config.yaml")
    scope = Scope(WINDOW, timedelta(0), WINDOW.end)
    search = Search([Lead("everything", "", WINDOW)], lambda _: (), scope, config, 60)
    return anyio.run(gather, sources(config), search)


@cache
def by_place() -> dict[tuple[str, str | None], Trail]:
    graph = everything().graph
    found = {}
    for trail in trails(graph, graph.transactions):
        found.update({(key.host, key.queue_id): trail for key in trail.keys})
    return found


def cases() -> Iterator[Any]:
    for number, mail in enumerate(ORACLE):
        if mail["story"] not in BY_DECISION:
            yield pytest.param(mail, id=f"{number}-{mail['story']}")


def told(ending: Ending) -> tuple[str, str, list[tuple[str, str | None]]]:
    return ending.outcome, ending.end, [(key.host, key.queue_id) for key in ending.path]


@pytest.mark.parametrize("mail", list(cases()))
def test_it_ended_as_it_really_did(mail: Mail) -> None:
    coverage = everything().coverage
    trail = by_place()[tuple(mail["recipients"][0]["path"][0])]
    found = endings(trail, coverage)
    expected = [
        (one["outcome"], one["end"], [tuple(hop) for hop in one["path"]])
        for one in mail["recipients"]
    ]
    assert sorted(map(told, found), key=str) == sorted(expected, key=str)
    names = {str(one["recipient"]).casefold() for one in mail["recipients"]}
    assert {one.recipient.casefold() for one in found if one.recipient} <= names
    assert is_complete(trail, found, coverage, cut=False)


@pytest.mark.parametrize(
    "mail", [one for one in ORACLE if one.get("notices")], ids=lambda m: m["story"]
)
def test_its_notices_went_where_they_really_did(mail: Mail) -> None:
    coverage = everything().coverage
    trail = by_place()[tuple(mail["recipients"][0]["path"][0])]
    found = [
        (link.kind, one.outcome, [(key.host, key.queue_id) for key in one.path])
        for link in trail.notices
        for one in notice_endings(trail, link, coverage)
    ]
    expected = [
        (one["kind"], one["outcome"], [tuple(hop) for hop in one["path"]])
        for one in mail["notices"]
    ]
    assert sorted(found) == sorted(expected)


def test_the_recorded_mails_are_all_there_are() -> None:
    """No line is left over that became a mail of its own, and none is not understood."""
    found = everything()
    assert all(host.not_understood == 0 for host in found.coverage.hosts)
    aside = evidence_only(found.graph)
    whole = trails(found.graph, [key for key in found.graph.transactions if key not in aside])
    assert len(whole) == len(ORACLE)
