"""The public contract as types (TOOLS.md "Answers"), and how values become them.

trace_answer, query_answer, send_answer, check_answer and flow_answer, in tracing.py, listing.py,
sending.py, checking.py and flowing.py, build an answer out of what was found.
"""

from __future__ import annotations

from mailtrace_mcp.answers.check_types import CheckAnswer
from mailtrace_mcp.answers.flow_types import FlowAnswer
from mailtrace_mcp.answers.manner import Detail, Drawing, FoundMail, Manner, TracedMail
from mailtrace_mcp.answers.parts import as_json
from mailtrace_mcp.answers.query_types import QueryAnswer
from mailtrace_mcp.answers.send_types import SendAnswer
from mailtrace_mcp.answers.trace_types import TraceAnswer

__all__ = [
    "CheckAnswer",
    "Detail",
    "Drawing",
    "FlowAnswer",
    "FoundMail",
    "Manner",
    "QueryAnswer",
    "SendAnswer",
    "TraceAnswer",
    "TracedMail",
    "as_json",
]
