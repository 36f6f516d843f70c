"""How long the tests last that look for what happens seldom: long in `make soak`, short in `make test`.

The only place that reads MAILTRACE_SOAK. What is marked `soak` is what `make soak` runs.
"""

from __future__ import annotations

import os

LONG = os.environ.get("MAILTRACE_SOAK") == "1"


def rounds(short: int, long: int) -> int:
    """How often, or how many seconds."""
    return long if LONG else short
