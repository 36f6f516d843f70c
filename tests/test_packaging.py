"""The wheel, installed where nothing of the repository is: it runs, and carries what it needs."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def _run(*words: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built with what is installed here: nothing is fetched."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def clean(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel alone; its dependencies are seen where they lie here."""
    home = tmp_path_factory.mktemp("clean")
    venv.create(home, symlinks=True, with_pip=False)
    python = home / "bin" / "python"
    _run(
        *(sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python),
        *("install", "--quiet", "--no-deps", "--no-index", wheel),
        cwd=home,
    )
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = Path(_run(python, "-c", query, cwd=home).strip())
    # A .pth adds a folder to the path and does not read the .pth files in it, so the editable
    # install of the repository stays unseen.
    (site / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return home


def test_it_runs_from_the_wheel(clean: Path) -> None:
    where = (
        "import mailtrace_mcp, mailtrace_parsers as p; print(mailtrace_mcp.__file__, p.__file__)"
    )
    for file in _run(clean / "bin" / "python", "-c", where, cwd=clean).split():
        assert Path(file).is_relative_to(clean)
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert version in _run(clean / "bin" / "mailtrace-mcp", "--version", cwd=clean)


def test_it_carries_its_configuration_and_the_logs_that_it_names(clean: Path) -> None:
    code = (
        "import glob; from mailtrace_mcp.config import load, packaged_config; c = load(packaged_config());"
        "print(c.path, *(f for h in c.hosts.values() for g in h.logs.files for f in glob.glob(g)))"
    )
    config, *logs = _run(clean / "bin" / "python", "-c", code, cwd=clean).split()
    assert Path(config).is_relative_to(clean)
    assert Path(config).parts[-3:] == ("mailtrace_mcp", "_data", "config.yaml")
    hosts = {Path(log).parent.name for log in logs}
    assert len(hosts) >= 3
    for log in logs:
        assert Path(log).parts[-6:-2] == ("mailtrace_mcp", "_data", "fixtures", "cluster")


def test_its_demo_runs_and_names_the_sample_logs_that_it_carries(clean: Path) -> None:
    shown = _run(clean / "bin" / "mailtrace-mcp", "demo", cwd=clean)
    assert "--json and structuredContent are the same object: yes" in shown
    command = shown.rstrip("\n").rpartition("\n$ mailtrace-mcp ")[2].split(" ")
    assert (clean / command[command.index("--config") + 1]).resolve().is_relative_to(clean)
    traced = subprocess.run(
        [clean / "bin" / "mailtrace-mcp", *command],
        cwd=clean, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert "1 mail to 3 recipients: 1 sent, 1 deferred, 1 bounced" in traced.stdout, traced.stderr


def test_it_carries_the_skill_with_a_script_that_runs(clean: Path) -> None:
    code = "import mailtrace_mcp; print(mailtrace_mcp.__path__[0])"
    package = Path(_run(clean / "bin" / "python", "-c", code, cwd=clean).strip())
    skill = package / "_data" / "skills" / "send-mail"
    assert skill.is_relative_to(clean)
    assert (skill / "SKILL.md").read_text().startswith("---\nname: send-mail\n")
    assert "mailtrace-mcp send" in (skill / "scripts" / "send-mail").read_text()


def test_it_carries_the_page_with_its_script_and_style(clean: Path) -> None:
    code = "from mailtrace_mcp.views.page import app; print(app())"
    told = _run(clean / "bin" / "python", "-c", code, cwd=clean)
    assert told.startswith("<!doctype html>")
    assert "function graphFigure(" in told
    assert "prefers-reduced-motion" in told
    assert "color-scheme: light dark" in told


def test_it_installs_no_generic_top_level_name(wheel: Path) -> None:
    names = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {
        "mailtrace_mcp",
        "mailtrace_parsers",
    }


def test_the_lock_has_a_hash_for_everything_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    pins = re.findall(r"^[A-Za-z0-9_.-]+(?:\[[a-z]+\])?==\S+", lock, re.MULTILINE)
    entries = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert len(pins) == len(entries)
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in lock
    assert "--index" not in lock
    assert "--find-links" not in lock


def test_the_lock_pins_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    lock = (ROOT / "requirements.lock").read_text()
    for one in asked:
        name = re.match(r"[A-Za-z0-9_.-]+", one)
        assert name
        assert re.search(rf"^{re.escape(name[0])}==", lock, re.MULTILINE), one
