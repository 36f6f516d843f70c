"""Which way to read a host: by its index, by bisection and grep, or whole."""

from __future__ import annotations

from mailtrace_mcp.logs.plan.source import OwnZone, PlannedSource
from mailtrace_mcp.logs.plan.ways import BEHIND, Measures

__all__ = ["BEHIND", "Measures", "OwnZone", "PlannedSource"]
