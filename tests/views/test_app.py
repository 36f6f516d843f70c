"""The page as an MCP App: from the server's resource and a tool's result to the drawing, by a host."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.types import TextResourceContents

from mailtrace_mcp.server import build
from mailtrace_mcp.server.configuration import Configuration
from mailtrace_mcp.views.page import app, page
from tests.answers.found import FULL, two_hops
from tests.server.conftest import CONFIG, LOG, LOG2, WHEN

from .chromium import Browser, Page
from .hostile import HOSTILE, filled
from .looking import EDGES, ENDS, SIDEWAYS
from .test_page_hostile import ATTRIBUTES, ELEMENTS, MADE

HERE = Path(__file__).parent
GRAPH = "ui://mailtrace/delivery-graph.html"
# Opens the first hop, and waits until it has its content.
OPEN = """const d = document.querySelector('section > details'); d.open = true;
await new Promise(r => d.addEventListener('toggle', r)); """
BRIDGE = Path(sys.prefix) / "peers" / "app-bridge.js"


@dataclass(frozen=True)
class Served:
    """What a server gave: the page, the result of trace_mail as it goes over the wire, log lines."""

    html: str
    result: dict[str, Any]
    uri: str
    lines: str


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    folder = tmp_path_factory.mktemp("served")
    today = datetime.now(UTC).isoformat()[:10]
    for name, log in (("mx1", LOG), ("mx2", LOG2)):
        (folder / f"{name}.log").write_text(
            log + log.replace("2025-01-27", today).replace("A00001", "A0000F")
        )
    (folder / "config.yaml").write_text(CONFIG)

    async def ask() -> Served:
        async with Client(build(Configuration(folder / "config.yaml"))) as client:
            [tool] = [one for one in (await client.list_tools()).tools if one.name == "trace_mail"]
            assert tool.meta == {"ui": {"resourceUri": GRAPH}}
            [contents] = (await client.read_resource(GRAPH)).contents
            assert isinstance(contents, TextResourceContents)
            assert contents.mime_type == "text/html;profile=mcp-app"
            assert contents.meta == {"ui": {"csp": {}, "prefersBorder": True}}
            told = await client.call_tool("trace_mail", {"queue_id": "A00001", **WHEN})
            uri = "mailtrace://mail/mx1/A0000F"
            [raw] = (await client.read_resource(uri)).contents
            assert isinstance(raw, TextResourceContents)
            wire = told.model_dump(mode="json", by_alias=True, exclude_none=True)
            return Served(contents.text, wire, uri.replace("A0000F", "A00001"), raw.text)

    return anyio.run(ask)


@pytest.fixture
def host(browser: Browser) -> Iterator[Page]:
    opened = browser.page()
    yield opened.open(HERE / "host.html")
    opened.close()


def shown(host: Page, html: str, context: dict[str, Any] | None = None) -> Page:
    """The host with the view in it, introduced to each other."""
    host.run(f"host.context = {json.dumps(context or {})}; host.show({json.dumps(html)})")
    host.until("host.methods().includes('ui/notifications/initialized')")
    return host


def give(host: Page, result: Any, sign: str = "document.querySelector('.graph')") -> None:
    host.run(f"host.result({json.dumps(result)})")
    host.until(sign, inside=True)


def test_the_resource_is_the_page_without_an_answer(served: Served) -> None:
    assert served.html == app()


def test_it_introduces_itself_before_it_says_anything_else(host: Page, served: Served) -> None:
    shown(host, served.html)
    first, second, *_ = host.run("return host.said")
    assert first["method"] == "ui/initialize"
    assert first["params"] == {
        "appInfo": {"name": "mailtrace-delivery-graph", "version": "1"},
        "appCapabilities": {"availableDisplayModes": ["inline", "fullscreen"]},
        "protocolVersion": "2026-01-26",
    }
    assert second == {"jsonrpc": "2.0", "method": "ui/notifications/initialized", "params": {}}
    assert host.inside("return document.body.innerText") == "Waiting for an answer …"


def test_it_draws_the_result_as_the_file_does(host: Page, tab: Page, tmp_path: Path) -> None:
    answer = two_hops(FULL)
    file = tmp_path / "page.html"
    file.write_text(page(answer))
    tab.open(file)
    shown(host, app())
    give(host, {"content": [], "structuredContent": json.loads(answer.model_dump_json())})
    for look in (EDGES, ENDS, "return document.querySelector('.graph').outerHTML"):
        assert host.inside(look) == tab.run(look)
    assert len(host.inside(EDGES)) == 6
    assert host.complaints == []
    assert len(host.requests) == 1


def test_from_the_server_to_the_drawing(host: Page, served: Served) -> None:
    shown(host, served.html)
    host.run("host.send({method: 'ui/notifications/tool-input', params: {arguments: {}}})")
    host.until("document.body.innerText === 'Tracing …'", inside=True)
    give(host, served.result)
    titles = "return [...document.querySelectorAll('.node .title')].map(t => t.textContent)"
    assert sorted(host.inside(titles)) == ["A00001", "B00001", "sent 2.0.0"]
    host.until(
        "host.said.some(m => m.method === 'ui/notifications/size-changed' && m.params.height > 300)"
    )
    assert host.inside(SIDEWAYS) <= 0
    assert host.complaints == []
    assert len(host.requests) == 1


def test_a_click_reads_the_lines_from_the_server(host: Page, served: Served) -> None:
    shown(host, served.html)
    host.run(f"host.resources[{json.dumps(served.uri)}] = {json.dumps(served.lines)}")
    give(host, served.result)
    host.inside(OPEN + "d.querySelector('.raw button').click()")
    host.until("document.querySelector('.lines')", inside=True)
    lines = "return [...document.querySelectorAll('.lines li')].map(l => l.textContent)"
    assert host.inside(lines) == served.lines.split("\n")
    assert len(served.lines) > 100


def test_what_the_host_refuses_is_told_as_text(host: Page, served: Served) -> None:
    shown(host, served.html)
    give(host, served.result)
    host.inside(OPEN + "d.querySelector('.raw button').click()")
    host.until(
        "document.querySelector('.raw').innerText.includes('No such <b>resource</b>')", inside=True
    )


def test_without_the_server_s_resources_it_offers_no_lines(host: Page, served: Served) -> None:
    host.run("host.capabilities = {}")
    shown(host, served.html)
    give(host, served.result)
    host.inside(OPEN)
    assert host.inside("return document.querySelector('.raw button')") is None
    assert "ask with detail full" in host.inside("return document.querySelector('.raw').innerText")


def test_it_takes_the_host_s_theme_and_colours(host: Page, served: Served) -> None:
    variables = {
        "--color-background-primary": "light-dark(#fff8e0, #201000)",
        "--color-text-primary": "light-dark(#000, #fff)",
        "--evil": "1",
    }
    ground = "return getComputedStyle(document.body).backgroundColor"
    shown(host, served.html, {"theme": "dark", "styles": {"variables": variables}})
    assert host.inside(ground) == "rgb(32, 16, 0)"
    change = {"method": "ui/notifications/host-context-changed", "params": {"theme": "light"}}
    host.run(f"host.send({json.dumps(change)})")
    host.until("document.documentElement.dataset.theme === 'light'", inside=True)
    assert host.inside(ground) == "rgb(255, 248, 224)"
    assert host.inside("return document.documentElement.style.getPropertyValue('--evil')") == ""


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"isError": True, "content": [{"type": "text", "text": "UNKNOWN_HOST: <i>x</i>"}]}, "UNKNOWN_HOST: <i>x</i>"),
        ({"content": [{"type": "text", "text": "1 mail"}]}, "1 mail"),
        ({"content": []}, "The answer holds nothing that can be drawn."),
        ({"structuredContent": {"odd": 1}}, "The answer holds nothing that can be drawn."),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_shown_as_its_words(
    host: Page, served: Served, result: dict[str, Any], words: str
) -> None:
    shown(host, served.html)
    give(host, result, f"document.body.innerText === {json.dumps(words)}")
    assert host.complaints == []


def test_a_trace_that_was_cancelled_says_so(host: Page, served: Served) -> None:
    shown(host, served.html)
    host.run("host.send({method: 'ui/notifications/tool-cancelled', params: {reason: 'user'}})")
    host.until("document.body.innerText === 'The trace was cancelled.'", inside=True)


def test_it_answers_what_a_host_may_ask(host: Page, served: Served) -> None:
    shown(host, served.html)
    for number, method in ((71, "ping"), (72, "ui/resource-teardown"), (73, "tools/call")):
        host.run(f"host.send({{id: {number}, method: '{method}', params: {{}}}})")
    host.until("host.said.some(m => m.id === 73)")
    answers = {one["id"]: one for one in host.run("return host.said.filter(m => m.id > 70)")}
    assert answers[71]["result"] == answers[72]["result"] == {}
    assert answers[73]["error"]["code"] == -32601


@pytest.mark.parametrize(
    "message",
    ["null", "1", "'text'", "[]", "{}", "{jsonrpc: '1.0'}", "{jsonrpc: '2.0'}", "{jsonrpc: '2.0', id: 99, result: 1}",
     "{jsonrpc: '2.0', method: 'constructor'}", "{jsonrpc: '2.0', method: 'ui/notifications/odd', params: 1}",
     "{jsonrpc: '2.0', method: 'ui/notifications/tool-result'}",
     "{jsonrpc: '2.0', method: 'ui/notifications/host-context-changed', params: {styles: {variables: {'--color-text-primary': {}, '--color-background-primary': 1}}}}"],
)  # fmt: skip
def test_odd_messages_do_no_harm(host: Page, served: Served, message: str) -> None:
    shown(host, served.html)
    host.run(f"frame.contentWindow.postMessage({message}, '*')")
    give(host, served.result)
    assert host.complaints == []


def test_only_its_host_is_heard(host: Page, served: Served) -> None:
    """A frame beside it can send messages, too."""
    view = shown(host, served.html).frame
    said = {
        "jsonrpc": "2.0",
        "method": "ui/notifications/tool-result",
        "params": {"content": [{"type": "text", "text": "forged"}]},
    }
    host.run(
        f"""const other = document.createElement('iframe');
        other.srcdoc = `<script>parent.frames[0].postMessage({json.dumps(said)}, '*')</` + `script>`;
        await new Promise(done => {{ other.onload = done; document.body.append(other); }})"""
    )
    host.run("host.send({id: 80, method: 'ping'})")  # behind the other message, and answered
    host.until("host.said.some(m => m.id === 80)")
    host.frame = view
    assert host.inside("return document.body.innerText") == "Waiting for an answer …"


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_in_any_place_of_a_result_is_text(host: Page, text: str) -> None:
    """Also where our own answers hold words of ours: outcomes, kinds, times."""
    shown(host, app())
    structured = filled(json.loads(two_hops(FULL).model_dump_json()), text)
    host.run(f"host.result({{structuredContent: {json.dumps(structured)}, content: []}})")
    host.until("document.querySelector('.mail')", inside=True)
    host.inside("for (const one of document.querySelectorAll('details')) one.open = true")
    host.settle()
    made = host.inside(MADE)
    assert set(made["elements"]) <= ELEMENTS
    assert set(made["attributes"]) <= ATTRIBUTES
    assert made["scripts"] == 2
    assert host.inside("return window.evil === undefined && ({}).evil === undefined")
    assert host.complaints == []


@pytest.mark.skipif(
    not BRIDGE.exists(), reason="tests/install-peers needs npm for the MCP Apps SDK"
)
def test_with_the_host_of_the_sdk(browser: Browser, tmp_path: Path, served: Served) -> None:
    shutil.copy(BRIDGE, tmp_path)
    shutil.copy(HERE / "reference.html", tmp_path)
    tab = browser.page()
    tab.open(tmp_path / "reference.html")
    tab.run(f"host.resources[{json.dumps(served.uri)}] = {json.dumps(served.lines)}")
    tab.run(f"await host.show({json.dumps(served.html)})")
    tab.until("host.begun")
    assert tab.run("return host.version") == {"name": "mailtrace-delivery-graph", "version": "1"}
    tab.run(f"await host.result({json.dumps(served.result)}, {{queue_id: 'A00001'}})")
    tab.until("document.querySelector('.graph')", inside=True)
    assert tab.inside("return document.documentElement.dataset.theme") == "dark"
    tab.until("host.sizes.some(size => size.height > 300)")
    tab.inside(OPEN + "d.querySelector('.raw button').click()")
    tab.until("document.querySelector('.lines')", inside=True)
    assert tab.run("return host.reads") == [served.uri]
    assert tab.run("return Boolean(await host.bridge.teardownResource({}))")
    assert [one for one in tab.complaints if not one.startswith('["debug"')] == []
    tab.close()
