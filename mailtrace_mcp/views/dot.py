"""The delivery graph in Graphviz' language."""

from __future__ import annotations

from mailtrace_mcp.answers.trace_types import Trace
from mailtrace_mcp.views.picture import Shape, picture

_SHAPES: dict[Shape, str] = {"hop": "box", "end": "ellipse"}


def drawing(trace: Trace) -> str:
    """One mail's graph, left to right: hops as boxes, ends as ellipses, notices dashed, guesses dotted."""
    drawn = picture(trace)
    said = ["digraph mail {", "  rankdir=LR;", '  node [fontname="monospace"];']
    said += [
        f"  n{number} [shape={_SHAPES[box.shape]}, label={_quoted(*box.lines)}];"
        for number, box in enumerate(drawn.boxes)
    ]
    said += [
        f"  n{one.source} -> n{one.target} [label={_quoted(one.label)}, style={one.stroke}];"
        for one in drawn.arrows
    ]
    return "\n".join([*said, "}"])


def _quoted(*lines: str) -> str:
    """A double-quoted string. In labels a backslash is an escape (`\\N` is the node's name), so it is
    doubled; entities are not read by DOT only if the ampersand is one."""
    escaped = (
        line.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for line in lines
    )
    return '"' + "\\n".join(escaped) + '"'
