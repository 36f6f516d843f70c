"""The floors of DESIGN.md are held by import-linter; a planted violation turns it red."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def _lint(root: Path) -> subprocess.CompletedProcess[str]:
    """PYTHONPATH goes before the editable install, so that the copy is looked at."""
    lint = Path(sys.executable).parent / "lint-imports"
    return subprocess.run(
        [lint, "--no-cache"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root}:{root}/parsers"},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("house")
    shutil.copy(ROOT / "pyproject.toml", root)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "mailtrace_mcp", root / "mailtrace_mcp", ignore=ignore)
    shutil.copytree(ROOT / "parsers", root / "parsers", ignore=ignore)
    return root


def test_the_floors_hold(house: Path) -> None:
    done = _lint(house)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("room", "line", "contract"),
    [
        ("mailtrace_mcp/trace", "import mailtrace_mcp.questions", "Floors BROKEN"),
        ("mailtrace_mcp/logs", "import mailtrace_mcp.times", "Floors BROKEN"),
        ("mailtrace_mcp/config", "import mailtrace_mcp.logs", "Floors BROKEN"),
        ("parsers/mailtrace_parsers", "import mailtrace_mcp.errors", "Floors BROKEN"),
        ("mailtrace_mcp/logs", "import yaml", "One door: yaml → config BROKEN"),
        (
            "mailtrace_mcp/questions",
            "import mcp",
            "One door: mcp → server (and the demo as its client) BROKEN",
        ),
        ("mailtrace_mcp/send", "import dns.name", "One door: dns → checks BROKEN"),
        ("mailtrace_mcp/trace", "import time", "loop or clock BROKEN"),
    ],
)
def test_a_planted_violation_turns_it_red(house: Path, room: str, line: str, contract: str) -> None:
    planted = house / room / "planted.py"
    planted.write_text(line + "\n")
    try:
        done = _lint(house)
    finally:
        planted.unlink()
    assert done.returncode == 1
    assert contract in done.stdout
