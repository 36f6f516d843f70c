"""The README's configuration is one that loads, and its commands for sending are ones that run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mailtrace_mcp.cli import main
from mailtrace_mcp.config import load

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_configuration_loads_and_its_policy_sends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("SMTP_PASSWORD", "hunter2-secret")
    hosts, smtp = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    file = tmp_path / "config.yaml"
    file.write_text(hosts + smtp)
    file.chmod(0o600)
    config = load(file)
    assert set(config.hosts) == {"mail1", "mail2", "mx1", "loghost"}
    assert config.smtp.default == "relay"
    assert main(["--config", str(file), "send", "--dry-run"]) == 0
    assert main(["--config", str(file), "send", "--to", "bob@example.com", "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "Dry run: 1 mail to 1 recipient by mail1.example.com:587 would be sent" in told
    assert "hunter2" not in told
