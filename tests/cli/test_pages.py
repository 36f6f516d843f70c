"""--html: the page in a file, one sentence on the terminal, the same exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_answers import structured

from .conftest import WHEN, Run


def held(file: Path) -> Any:
    """The answer in a page."""
    found = re.search(r'id="answer">([^<]*)</script>', file.read_text())
    assert found is not None
    return json.loads(found[1])


@pytest.mark.parametrize(
    ("command", "tool", "asked"),
    [
        (("trace", "--queue-id", "A00001"), "trace_mail", {"queue_id": "A00001"}),
        (("query", "bob@example.test"), "query_logs", {"keywords": ["bob@example.test"]}),
    ],
)
def test_a_page_holds_the_answer_with_all_its_lines(
    run: Run,
    config: Path,
    tmp_path: Path,
    command: tuple[str, ...],
    tool: str,
    asked: dict[str, Any],
) -> None:
    file = tmp_path / "page.html"
    ran = run(*command, *WHEN, "--html", str(file))
    answer = held(file)
    assert answer == structured(config, tool, time=WHEN[1], detail="full", **asked)
    assert ran.code == 0
    assert ran.out == answer["summary"] + "\n"
    assert ran.err.endswith(f"The page is in {file}\n")
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_exit_codes_are_those_without_a_page(
    run: Run, config_with_a_host_down: Path, tmp_path: Path
) -> None:
    file = tmp_path / "page.html"
    for words in (("--queue-id", "FFFFFF"), ("--queue-id", "A00001", "--check")):
        plain = run("trace", *words, *WHEN)
        assert run("trace", *words, *WHEN, "--html", str(file)).code == plain.code
    assert held(file)["coverage"]["complete"] is False


@pytest.mark.parametrize("other", [("--json",), ("--graph", "dot"), ("--graph", "mermaid")])
def test_stdout_is_for_one_of_them(run: Run, tmp_path: Path, other: tuple[str, ...]) -> None:
    file = tmp_path / "page.html"
    ran = run("trace", "--queue-id", "A00001", *other, "--html", str(file))
    assert (ran.code, ran.out) == (2, "")
    assert "INVALID_ARGUMENT: --html cannot go with" in ran.err
    assert not file.exists()


def test_a_file_that_cannot_be_written_is_told_before_anything_is_searched(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    for name, why in (("no/page.html", "there is no such folder"), ("folder", "it is a folder")):
        ran = run("trace", "--queue-id", "A00001", "--html", str(tmp_path / name))
        assert (ran.code, ran.out) == (2, "")
        assert ran.err.startswith("mailtrace-mcp: FILE_DENIED: --html ")
        assert ran.err.endswith(f"cannot be written: {why}.\n")
