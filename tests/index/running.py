"""How a program of this folder is run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypedDict

_ROOT = Path(__file__).parents[2]


class Here(TypedDict):
    cwd: Path
    env: dict[str, str]


def here() -> Here:
    """Where, and with what in its environment."""
    path = os.pathsep.join([str(_ROOT), str(_ROOT / "parsers")])
    return Here(cwd=_ROOT, env={**os.environ, "PYTHONPATH": path})
