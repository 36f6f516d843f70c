"""The command line: the same functions as the tools, the same words, and exit codes."""

from __future__ import annotations

from mailtrace_mcp.cli.running import main

__all__ = ["main"]
