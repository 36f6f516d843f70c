"""The MCP face: reads a question, asks one function of questions, and shows its answer.

The only room that knows mcp, with the demo as its client. `mcp` is here for `mcp dev` and registries:
importing it needs no configuration, the tools then answer how to configure.
"""

from __future__ import annotations

from mailtrace_mcp.server.making import build, serve

__all__ = ["build", "mcp", "serve"]

mcp = build()
