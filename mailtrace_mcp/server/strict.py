"""Arguments that are refused, and how a refusal is told to a client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mcp import MCPError
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension
from mcp.server.mcpserver.tools import Tool
from mcp.types import INVALID_PARAMS, CallToolRequestParams, CallToolResult, TextContent

from mailtrace_mcp.errors import MailtraceError, did_you_mean, visible
from mailtrace_mcp.server.arguments import refusal


class StrictArguments(Extension):
    """Refuses what the SDK would drop in silence, and tells what is wrong in our own words."""

    identifier = "org.mailtrace/strict-arguments"

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._offered = {tool.name: tool for tool in tools}

    async def intercept_tool_call(
        self,
        params: CallToolRequestParams,
        ctx: ServerRequestContext[Any, Any],
        call_next: CallNext,
    ) -> HandlerResult:
        tool = self._offered.get(params.name)
        if tool is None:
            near = did_you_mean(params.name, self._offered)
            raise MCPError(INVALID_PARAMS, f"Unknown tool '{visible(params.name)}'.{near}")
        wrong = refusal(
            tool.name,
            tool.parameters["properties"],
            params.arguments or {},
            tool.fn_metadata.validate_arguments,
        )
        return refused(wrong) if wrong is not None else await call_next(ctx)


def refused(error: MailtraceError) -> CallToolResult:
    """A tool error that begins with its code."""
    return CallToolResult(is_error=True, content=[TextContent(text=str(error))])
