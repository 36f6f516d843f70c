"""Mermaid and DOT: the same graph, and labels that cannot leave their quotes.

The answers here are made with hostile values on purpose: a view trusts nobody, although what comes in
is cleaned already.
"""

from __future__ import annotations

import re

import pytest

from mailtrace_mcp.answers.trace_types import Trace
from mailtrace_mcp.views import dot, drawing, mermaid
from mailtrace_mcp.views.picture import picture
from tests.answers.found import two_hops

from .hostile import HOSTILE

MERMAID_BOX = re.compile(
    r'  n\d+(\["[^"\]\[<>{}|`\\%]*(<br/>[^"\]\[<>{}|`\\%]*)*"\]|\(\["[^"]*"\]\))'
)
MERMAID_ARROW = re.compile(r'  n\d+ (-->|-\.->)\|"[^"|<>{}\\]*"\| n\d+')
DOT_LINE = re.compile(
    r'digraph mail \{|\}|  rankdir=LR;|  node \[fontname="monospace"\];'
    r'|  n\d+ \[shape=(box|ellipse), label="([^"\\]|\\.)*"\];'
    r'|  n\d+ -> n\d+ \[label="([^"\\]|\\.)*", style=(solid|dashed|dotted)\];'
)


def hostile(text: str) -> Trace:
    """A trace with one text wherever a drawing shows one."""
    [trace] = two_hops().traces
    hops = tuple(hop.model_copy(update={"host": text}) for hop in trace.hops)
    ends = tuple(
        end.model_copy(update={"recipient": text, "host": text}) for end in trace.recipients
    )
    return trace.model_copy(update={"hops": hops, "recipients": ends})


def test_mermaid_of_a_mail() -> None:
    [trace] = two_hops().traces
    assert mermaid.drawing(trace).split("\n") == [
        "flowchart LR",
        '  n0["a<br/>A00001<br/>2026-11-21 10:00:00"]',
        '  n1["b<br/>B00001<br/>2026-11-21 10:00:01"]',
        '  n2["a<br/>A00002<br/>2026-11-21 10:00:03"]',
        '  n3(["bounced<br/>who@example.com"])',
        '  n4(["sent (mailbox)<br/>bob@example.test"])',
        '  n0 -.->|"bounce"| n2',
        '  n0 -->|"relay"| n1',
        '  n0 -->|"bounced"| n3',
        '  n1 -->|"sent"| n4',
    ]


def test_dot_of_a_mail() -> None:
    [trace] = two_hops().traces
    drawn = dot.drawing(trace).split("\n")
    assert drawn[0] == "digraph mail {"
    assert '  n0 [shape=box, label="a\\nA00001\\n2026-11-21 10:00:00"];' in drawn
    assert '  n0 -> n2 [label="bounce", style=dashed];' in drawn
    assert drawn[-1] == "}"


@pytest.mark.parametrize("text", HOSTILE)
def test_no_label_leaves_its_quotes_in_mermaid(text: str) -> None:
    first, *rest = mermaid.drawing(hostile(text)).split("\n")
    assert first == "flowchart LR"
    for line in rest:
        assert MERMAID_BOX.fullmatch(line) or MERMAID_ARROW.fullmatch(line), line
    assert len(rest) == len(mermaid.drawing(hostile("x")).split("\n")) - 1


@pytest.mark.parametrize("text", HOSTILE)
def test_no_label_leaves_its_quotes_in_dot(text: str) -> None:
    drawn = dot.drawing(hostile(text)).split("\n")
    for line in drawn:
        assert DOT_LINE.fullmatch(line), line
    assert len(drawn) == len(dot.drawing(hostile("x")).split("\n"))
    assert "\\N" not in "\n".join(drawn).replace("\\\\", "")


def test_many_recipients_of_one_end_are_one_box() -> None:
    [trace] = two_hops().traces
    [sent] = [end for end in trace.recipients if end.outcome == "sent"]
    many = tuple(sent.model_copy(update={"recipient": f"u{n}@example.test"}) for n in range(20))
    boxes = picture(trace.model_copy(update={"recipients": many})).boxes
    assert boxes[-1].lines == (
        "sent (mailbox)", *(f"u{n}@example.test" for n in range(8)), "and 12 more",
    )  # fmt: skip


def test_none_and_unknown_kinds_draw_nothing() -> None:
    [trace] = two_hops().traces
    assert drawing(trace, "none") is None
