"""Keys → blocks, kept on disk: where in a machine's logs something may stand (SPEED.md).

what is kept            known.py; catalogue.py (SQLite), segments.py (keys → blocks)
one machine's           host.py; indexes.py: of all machines
logs into it            reading.py (a block), crew.py (by several processes), writing.py
which log a file is     recognising.py, following.py
all of them             building.py (`mailtrace-mcp index`), tidying.py
"""

from __future__ import annotations

from mailtrace_mcp.logs.index.building import Built, Order, build
from mailtrace_mcp.logs.index.failures import UnusableIndexError
from mailtrace_mcp.logs.index.host import HostIndex, Shape
from mailtrace_mcp.logs.index.indexes import INDEXES, Indexes, IndexState, folder_of, state
from mailtrace_mcp.logs.index.writing import StoppedError

__all__ = [
    "INDEXES",
    "Built",
    "HostIndex",
    "IndexState",
    "Indexes",
    "Order",
    "Shape",
    "StoppedError",
    "UnusableIndexError",
    "build",
    "folder_of",
    "state",
]
