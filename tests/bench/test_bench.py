"""The harness runs and tells figures. How good they are is not looked at: a test's machine is loaded."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench import report
from bench.__main__ import TARGETS, rows
from bench.measure import Compared, Cost, compare, program
from bench.report import Row
from bench.setting import ROOT, Setting


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return Setting(tmp_path, 10**6, 1)


@pytest.mark.parametrize(
    ("target", "needs", "count"),
    [
        ("T1", "pflogsumm rg", 2),
        ("T2", "", 2),
        ("T3", "grep", 2),
        ("T4", "grep", 1),
        ("T9", "pflogsumm", 1),
        ("T10", "", 1),
    ],
)
def test_a_target_gives_its_rows(target: str, needs: str, count: int, setting: Setting) -> None:
    if lacking := [one for one in needs.split() if shutil.which(one, path=SBIN) is None]:
        pytest.skip(f"not installed: {', '.join(lacking)}")
    found = list(rows(setting, [target]))
    assert [row.name for row in found] == [target] * count
    for row in found:
        assert row.met is not None
        assert row.figure[0].isdigit()
        assert row.how


SBIN = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


def test_every_target_is_there() -> None:
    assert list(dict.fromkeys(name for name, _ in TARGETS)) == [f"T{n}" for n in range(1, 12)]


def test_a_program_that_is_missing(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")  # where rg lies, at least
    [row] = rows(setting, ["T1"])
    assert row.met is None
    assert row.figure in (
        "not measured: needs pflogsumm (Debian package pflogsumm)",
        "not measured: needs rg (Debian package ripgrep)",
    )


def test_pairs_are_compared_one_by_one() -> None:
    ours = [Cost(1, 10), Cost(2, 10), Cost(4, 10)]
    theirs = [Cost(4, 10), Cost(4, 20), Cost(4, 30)]
    compared = Compared(ours, theirs)
    assert list(compared.faster("wall").figures) == [4, 2, 1]
    assert compared.faster("cpu").median == 2
    assert compared.slower("wall").median == 0.5
    assert compared.faster("wall").shown() == "2× (1–4)"


def test_they_run_in_turns() -> None:
    said: list[str] = []

    def run(name: str) -> Cost:
        said.append(name)
        return Cost(1, 1)

    compare(lambda: run("a"), lambda: run("b"), 3)
    assert "".join(said) == "ab" + "abbaab"


def test_a_program_that_fails_is_no_figure() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        program(sys.executable, "-c", "raise SystemExit(3)")


def test_the_processor_time_of_a_program_is_its_own() -> None:
    code = "import time\nwhile time.process_time() < 0.3: pass\nprint('x' * 9)"
    printed: list[bytes] = []
    cost = program(sys.executable, "-c", code, output=printed.append)
    assert printed == [b"xxxxxxxxx\n"]
    assert cost.cpu >= 0.25
    assert cost.wall >= 0.25


def test_the_report_is_a_table() -> None:
    told = list(
        report.lines(
            "Machine: one.",
            "Logs of 1 MB.",
            [
                Row("T1", "a|b", "2×", True, "how"),
                Row("T2", "c", "1×", False, "so"),
                report.not_measured("T3", "needs rg"),
            ],
        )
    )
    assert told[2:4] == ["Machine: one.", "Logs of 1 MB."]
    assert told[-3:] == [
        "| T1 | a\\|b | 2× | yes | how |",
        "| T2 | c | 1× | NO | so |",
        "| T3 |  | not measured: needs rg | – |  |",
    ]


def test_the_command(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "bench", "--size", "1M", "--pairs", "1", "--only", "t2")
    told = tmp_path / "report.md"
    done = subprocess.run(
        (*command, "--report", str(told), "--folder", str(tmp_path)),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == told.read_text()
    assert "| T2 | index ≤ 3 % of the log |" in done.stdout
    assert list(tmp_path.iterdir()) == [told]
