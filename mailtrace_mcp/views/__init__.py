"""Answers as drawings and plain text: what comes in is cleaned already, and nothing is decided here."""

from __future__ import annotations

from mailtrace_mcp.answers.trace_types import Trace
from mailtrace_mcp.views import dot, mermaid
from mailtrace_mcp.views.text import tree


def drawing(trace: Trace, kind: str) -> str | None:
    """The graph of one mail as text, Mermaid or DOT; None for `none`."""
    match kind:
        case "text":
            return tree(trace)
        case "mermaid":
            return mermaid.drawing(trace)
        case "dot":
            return dot.drawing(trace)
        case _:
            return None
