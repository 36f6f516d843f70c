"""`python -m mailtrace_mcp`, and the script `mailtrace-mcp`."""

from __future__ import annotations

import sys

from mailtrace_mcp.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
