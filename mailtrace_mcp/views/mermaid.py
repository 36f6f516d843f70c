"""The delivery graph in Mermaid's language."""

from __future__ import annotations

from mailtrace_mcp.answers.trace_types import Trace
from mailtrace_mcp.views.picture import Box, Stroke, picture

# What may stand in a quoted label as it is. Anything else is an entity code, which Mermaid draws as
# the character: no quote, bracket, markup or directive can come out of a label.
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:@_+/()-")
_LINES: dict[Stroke, str] = {"solid": "-->", "dashed": "-.->", "dotted": "-.->"}


def drawing(trace: Trace) -> str:
    """One mail's graph, left to right: hops as boxes, ends rounded, notices and guesses dashed."""
    drawn = picture(trace)
    said = ["flowchart LR"]
    said += [f"  n{number}{_box(box)}" for number, box in enumerate(drawn.boxes)]
    said += [
        f'  n{one.source} {_LINES[one.stroke]}|"{_escaped(one.label)}"| n{one.target}'
        for one in drawn.arrows
    ]
    return "\n".join(said)


def _box(box: Box) -> str:
    label = "<br/>".join(_escaped(line) for line in box.lines)
    return f'["{label}"]' if box.shape == "hop" else f'(["{label}"])'


def _escaped(text: str) -> str:
    """Mermaid breaks a line at `\\n`, also where the backslash was an entity code, so the set minus
    stands for it; no checked value holds a backslash."""
    text = text.replace("\\", "\N{SET MINUS}")
    return "".join(char if char in _PLAIN else f"#{ord(char)};" for char in text)
