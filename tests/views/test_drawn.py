"""DOT and Mermaid by the programs that they are for: five stories, and hostile names, drawn with every
box, arrow and letter."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from mailtrace_mcp.answers import TraceAnswer
from mailtrace_mcp.answers.trace_types import Trace
from mailtrace_mcp.answers.trust import clean
from mailtrace_mcp.views import dot, mermaid
from mailtrace_mcp.views.picture import picture

from .chromium import Browser, Page
from .hostile import HOSTILE
from .test_drawings import hostile

SVG = "{http://www.w3.org/2000/svg}"
MERMAID = Path(sys.prefix) / "peers" / "mermaid.min.js"
PAGE = """<!doctype html><meta charset="utf-8"><body><script src="mermaid.min.js"></script>
<script>mermaid.initialize({startOnLoad: false, securityLevel: "strict"});</script>"""
DRAW = """
await mermaid.parse(TEXT);
const { svg } = await mermaid.render('drawn', TEXT);
const box = document.createElement('div');
box.innerHTML = svg;
document.body.append(box);
const lines = (one) => {
  for (const end of one.querySelectorAll('br')) end.replaceWith('\\n');
  return one.textContent.split('\\n');
};
return {
  boxes: [...box.querySelectorAll('.node')].map(lines),
  labels: [...box.querySelectorAll('.edgeLabel .edgeLabel, .edgeLabels > .edgeLabel')]
    .map(one => one.textContent).filter(Boolean),
  arrows: box.querySelectorAll('.flowchart-link').length,
  links: box.querySelectorAll('a, image, img, script').length,
};
"""


def graphviz(text: str) -> tuple[list[list[str]], list[str]]:
    """What dot(1) draws: the lines in each box, and the labels of the arrows."""
    program = shutil.which("dot")
    if program is None:
        pytest.skip("there is no graphviz here (Debian: apt-get install graphviz)")
    done = subprocess.run(
        [program, "-Tsvg"], input=text.encode(), capture_output=True, timeout=120, check=True
    )
    assert done.stderr == b""
    root = ElementTree.fromstring(done.stdout)  # noqa: S314  from the program that was just run
    groups: dict[str, list[list[str]]] = {"node": [], "edge": []}
    for one in root.iter(f"{SVG}g"):
        if one.get("class") in groups:
            texts = [text.text or "" for text in one.iter(f"{SVG}text")]
            groups[one.get("class") or ""].append([text.replace("\u00a0", " ") for text in texts])
    return groups["node"], [" ".join(texts) for texts in groups["edge"]]


def check_dot(trace: Trace) -> None:
    boxes, labels = graphviz(dot.drawing(trace))
    asked = picture(trace)
    assert sorted(boxes) == sorted([line for line in box.lines if line] for box in asked.boxes)
    assert sorted(labels) == sorted(arrow.label for arrow in asked.arrows)


def test_graphviz_draws_the_stories(story_answer: TraceAnswer) -> None:
    for trace in story_answer.traces:
        check_dot(trace)


@pytest.mark.parametrize("text", HOSTILE)
def test_graphviz_draws_hostile_names_as_they_are(text: str) -> None:
    check_dot(hostile(clean(text)))


@pytest.fixture(scope="module")
def drawer(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Page:
    if not MERMAID.exists():
        pytest.skip("there is no Mermaid here: tests/npm-peers needs npm")
    folder = tmp_path_factory.mktemp("mermaid")
    shutil.copy(MERMAID, folder)
    (folder / "page.html").write_text(PAGE)
    return browser.page().open(folder / "page.html")


def check_mermaid(drawer: Page, trace: Trace) -> None:
    drawn: Any = drawer.run(DRAW.replace("TEXT", json.dumps(mermaid.drawing(trace))))
    asked = picture(trace)
    assert sorted(drawn["boxes"]) == sorted(
        [line.replace("\\", "\N{SET MINUS}") for line in box.lines] for box in asked.boxes
    )
    assert sorted(set(drawn["labels"])) == sorted({arrow.label for arrow in asked.arrows})
    assert drawn["arrows"] == len(asked.arrows)
    assert drawn["links"] == 0


def test_mermaid_draws_the_stories(drawer: Page, story_answer: TraceAnswer) -> None:
    for trace in story_answer.traces:
        check_mermaid(drawer, trace)


@pytest.mark.parametrize("text", HOSTILE)
def test_mermaid_draws_hostile_names_as_they_are(drawer: Page, text: str) -> None:
    check_mermaid(drawer, hostile(clean(text)))
