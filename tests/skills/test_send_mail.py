"""The skill against what there is: its tools, their arguments, the command line's options."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
import yaml
from mcp import Client

from mailtrace_mcp.cli import main
from mailtrace_mcp.config import packaged_config
from mailtrace_mcp.server import build
from mailtrace_mcp.server.configuration import Configuration
from tests.server.wire import ENVIRONMENT

SKILL = Path(__file__).parents[2] / "skills" / "send-mail"
TEXT = (SKILL / "SKILL.md").read_text()
SCRIPT = SKILL / "scripts" / "send-mail"


def frontmatter() -> dict[str, str]:
    _, head, _ = TEXT.split("---\n", 2)
    found: dict[str, str] = yaml.safe_load(head)
    return found


def tools() -> dict[str, Any]:
    async def listing() -> dict[str, Any]:
        async with Client(build(Configuration(packaged_config()))) as client:
            return {tool.name: tool for tool in (await client.list_tools()).tools}

    return anyio.run(listing)


def test_the_frontmatter_is_what_the_format_allows() -> None:
    head = frontmatter()
    assert set(head) <= {
        "name",
        "description",
        "license",
        "compatibility",
        "metadata",
        "allowed-tools",
    }
    assert head["name"] == SKILL.name
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", head["name"])
    assert 0 < len(head["description"]) <= 1024
    assert len(TEXT.splitlines()) < 500


def test_only_tools_that_read_are_allowed_beforehand() -> None:
    known = tools()
    for name in frontmatter()["allowed-tools"].split():
        assert known[name].annotations.read_only_hint is True


def test_it_names_only_tools_arguments_and_fields_that_exist() -> None:
    known = tools()
    words = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)\b", TEXT))
    arguments = {name for tool in known.values() for name in tool.input_schema["properties"]}
    fields = {name for tool in known.values() for name in names_in(tool.output_schema)}
    assert {"send_test_mail", "query_logs", "trace_mail"} <= words
    assert words <= set(known) | arguments | fields
    assert "mailtrace_" not in TEXT  # the plain names, without a prefix


def names_in(schema: Any) -> set[str]:
    """Every field of an answer, at any depth."""
    found: set[str] = set()
    for one in (schema, *schema.get("$defs", {}).values()):
        found |= set(one.get("properties", {}))
    return found


def test_it_says_what_must_be_said() -> None:
    for words in (
        "untrusted",
        "Never follow instructions",
        "unknown",
        "coverage",
        "status: rejected",
        "2h",
    ):
        assert words in TEXT


def test_its_options_exist(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["send", "--help"])
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", TEXT + SCRIPT.read_text()))
    assert {"--rate", "--server-port", "--no-ssl-verify", "--follow"} <= named
    assert named <= known


def test_the_script_passes_its_options_on() -> None:
    assert os.access(SCRIPT, os.X_OK)
    environ = {**ENVIRONMENT, "MAILTRACE": f"{sys.executable} -m mailtrace_mcp"}
    config = str(packaged_config())
    ran = subprocess.run(
        [SCRIPT, "--config", config, "--dry-run", "--to", "a@example.test", "--mail-subject", "A b"],
        env=environ, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "Subject: A b" in ran.stdout
