"""The protocol over stdin and stdout, with an answer to what is no message."""

from __future__ import annotations

import anyio
from mcp.server.mcpserver import MCPServer
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp.types import INVALID_REQUEST, PARSE_ERROR, ErrorData, JSONRPCError
from pydantic import ValidationError


async def run_stdio(server: MCPServer) -> None:
    """Serve until stdin ends.

    As MCPServer.run_stdio_async, which drops a line that is no JSON-RPC in silence: its sender would
    wait for ever. Here it is told, with the id null (JSON-RPC 2.0, section 5).
    """
    lowlevel = server._lowlevel_server
    async with stdio_server() as (incoming, outgoing), anyio.create_task_group() as group:
        understood, messages = anyio.create_memory_object_stream[SessionMessage | Exception](0)

        async def sort_out() -> None:
            async with understood:
                async for one in incoming:
                    if not isinstance(one, Exception):
                        await understood.send(one)
                    elif (refusal := _no_message(one)) is not None:
                        await outgoing.send(SessionMessage(refusal))

        group.start_soon(sort_out)
        await lowlevel.run(messages, outgoing, lowlevel.create_initialization_options())
        group.cancel_scope.cancel()


def _no_message(error: Exception) -> JSONRPCError | None:
    """What to say of a line that is no message; nothing of an empty one."""
    data = ErrorData(code=INVALID_REQUEST, message="Invalid request: this is no JSON-RPC 2.0")
    if isinstance(error, ValidationError):
        [first, *_] = error.errors(include_url=False)
        if first["type"] == "json_invalid":
            if not str(first["input"]).strip():
                return None
            data = ErrorData(code=PARSE_ERROR, message="Parse error: this line is no JSON")
    return JSONRPCError(jsonrpc="2.0", id=None, error=data)
