"""Making a server of the tools and resources, and running it over stdio."""

from __future__ import annotations

import inspect
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import anyio
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.tools import Tool
from mcp.types import ToolAnnotations

from mailtrace_mcp.answers.trust import clean
from mailtrace_mcp.release import version
from mailtrace_mcp.server.check_tool import CheckTool
from mailtrace_mcp.server.configuration import Configuration
from mailtrace_mcp.server.flow_tool import FlowTool
from mailtrace_mcp.server.instructions import instructions
from mailtrace_mcp.server.resources import GRAPH_URI, MailResources, delivery_graph
from mailtrace_mcp.server.send_tool import SendTool
from mailtrace_mcp.server.stdio import run_stdio
from mailtrace_mcp.server.strict import StrictArguments
from mailtrace_mcp.server.tools import MailTools

NAME = "mailtrace_mcp"
READS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=True
)
WRITES = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=True
)
LONGEST_LOG_LINE = 2000


def build(
    configuration: Configuration | None = None, *, read_only: bool = False, tool_prefix: str = ""
) -> MCPServer:
    """A server over one configuration.

    send_test_mail is offered only where the configuration has `smtp.policy` and nothing says to read
    only (`read_only`, MAILTRACE_READ_ONLY). A configuration that cannot be read yet offers it not.
    """
    _log_to_stderr()
    configuration = configuration or Configuration()
    sends = not read_only and configuration.may_send()
    tools, resources = MailTools(configuration), MailResources(configuration)
    offered = [
        _tool(tools.query_logs, "Search the mail logs", tool_prefix),
        _tool(tools.trace_mail, "Trace one mail", tool_prefix, page=GRAPH_URI),
        _tool(FlowTool(configuration).check_flow, "Check the flow of a cluster", tool_prefix),
        _tool(CheckTool(configuration).check_hosts, "Check hosts, servers, domains", tool_prefix),
    ]
    if sends:
        send = SendTool(configuration).send_test_mail
        offered.insert(0, _tool(send, "Send a test mail", tool_prefix, WRITES))
    server = MCPServer(
        NAME,
        title="Mailtrace",
        version=version(),
        instructions=instructions(sends),
        log_level="WARNING",
        tools=offered,
        extensions=[StrictArguments(offered), delivery_graph()],
    )
    server.resource(
        "mailtrace://clusters", name="clusters", title="Hosts and clusters",
        mime_type="application/json",
    )(resources.clusters)  # fmt: skip
    server.resource(
        "mailtrace://mail/{host}/{queue_id}", name="mail", title="Log lines of one mail",
        mime_type="text/plain",
    )(resources.mail)  # fmt: skip
    return server


def _tool(
    function: Callable[..., Any], title: str, prefix: str, hints: ToolAnnotations = READS,
    page: str | None = None,
) -> Tool:  # fmt: skip
    """A tool of a method; `page` is the MCP App that draws its answers."""
    name = f"{prefix}{function.__name__}"
    said = inspect.getdoc(function)
    meta = {"ui": {"resourceUri": page}} if page is not None else None
    tool = Tool.from_function(
        function, name=name, title=title, description=said, annotations=hints, meta=meta
    )
    tool.parameters["additionalProperties"] = False
    tool.parameters.pop("title", None)
    return tool


class OneLine(logging.Formatter):
    """Log records whose text cannot deceive the terminal that shows them."""

    def format(self, record: logging.LogRecord) -> str:
        lines = super().format(record).split("\n")
        return "\n".join(clean(line, LONGEST_LOG_LINE) for line in lines)


def _log_to_stderr() -> None:
    """Before the server is made, which would else bring its own handler. stdout is the protocol's."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine("mailtrace-mcp: %(levelname)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def serve(config: Path | None, *, read_only: bool, tool_prefix: str) -> None:
    """Serve over stdin and stdout until stdin ends, SIGTERM or Ctrl-C comes.

    A configuration that is named is read first: MailtraceError if it is wrong. Without one the tools
    answer how to configure.
    """
    configuration = Configuration(config)
    if config is not None:
        configuration.read()
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, _leave)
    server = build(configuration, read_only=read_only, tool_prefix=tool_prefix)
    anyio.run(run_stdio, server)


def _leave(signum: int, frame: FrameType | None) -> None:
    """End now: a thread that waits for stdin cannot be woken, and nothing here needs tidying up."""
    os._exit(0 if signum == signal.SIGTERM else 128 + signum)
