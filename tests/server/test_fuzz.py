"""Arguments of any kind: checking them never raises, and a refusal is one short line with its code."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from mcp.server.mcpserver.tools import Tool

from mailtrace_mcp.answers.trust import clean
from mailtrace_mcp.server.arguments import refusal
from mailtrace_mcp.server.check_tool import CheckTool
from mailtrace_mcp.server.configuration import Configuration
from mailtrace_mcp.server.tools import MailTools

MAIL_TOOLS = MailTools(Configuration())
CHECK = CheckTool(Configuration()).check_hosts
TOOLS = [Tool.from_function(one) for one in (MAIL_TOOLS.query_logs, MAIL_TOOLS.trace_mail, CHECK)]
NAMES = sorted({name for tool in TOOLS for name in tool.parameters["properties"]})
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50),
    lambda inner: (
        st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
    ),
    max_leaves=10,
)
ARGUMENTS = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=20), VALUES, max_size=6)


@given(st.sampled_from(TOOLS), ARGUMENTS)
def test_any_arguments(tool: Tool, arguments: dict[str, Any]) -> None:
    wrong = refusal(
        tool.name, tool.parameters["properties"], arguments, tool.fn_metadata.validate_arguments
    )
    if wrong is not None:
        told = str(wrong)
        assert told.startswith("INVALID_ARGUMENT: ")
        assert clean(told, 1000) == told
