"""Two hosts whose logs cover the window that is asked for, and a run of the command line over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mailtrace_mcp.cli import main
from tests.server.conftest import CONFIG, LOG, LOG2

WHEN = ("--time", "2025-01-27 15:00:00")
BEFORE = "2025-01-27T13:00:00.000000+08:00 {0} postfix/postfix-script[1]: starting the Postfix mail system\n"


@dataclass(frozen=True)
class Ran:
    """What a command line gave."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """config.yaml over two hosts that can be read whole."""
    for host, log in (("mx1", LOG), ("mx2", LOG2)):
        (tmp_path / f"{host}.log").write_text(BEFORE.format(host) + log)
    lines = [line for line in CONFIG.splitlines() if "mx3" not in line]
    file = tmp_path / "config.yaml"
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.fixture
def config_with_a_host_down(config: Path) -> Path:
    config.write_text(CONFIG)
    return config


@pytest.fixture
def run(config: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """arguments → exit code and output, over `config`."""

    def one(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(["--config", str(config), *arguments])
        told = capsys.readouterr()
        return Ran(code, told.out, told.err)

    return one
