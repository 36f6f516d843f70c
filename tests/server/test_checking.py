"""check_hosts over MCP: its answer fits its schema, and nothing can be asked that is not configured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from mcp import Client

from mailtrace_mcp.server import build
from mailtrace_mcp.server.configuration import Configuration

from .conftest import Call, said

ONLY_HOSTS = {"profiles": False, "dns": False}


def test_what_failed_is_told_and_what_to_do(call: Call, config: Path) -> None:
    result = call("check_hosts", **ONLY_HOSTS)
    assert not result.is_error
    assert result.structured_content is not None
    assert said(result).startswith(result.structured_content["summary"])
    found = {one["name"]: one for one in result.structured_content["hosts"]}
    assert list(found) == ["mx1", "mx2", "mx3"]
    assert found["mx3"]["ok"] is False
    [files] = [one for one in found["mx3"]["checks"] if one["check"] == "files"]
    assert (files["ok"], files["code"]) == (False, "FILE_NOT_FOUND")
    assert files["advice"] in said(result)
    assert result.structured_content["profiles"] == []
    assert result.structured_content["domains"] == []

    async def schema() -> Any:
        async with Client(build(Configuration(config))) as client:
            tools = (await client.list_tools()).tools
            return next(one.output_schema for one in tools if one.name == "check_hosts")

    Draft202012Validator(anyio.run(schema)).validate(result.structured_content)


def test_one_host_or_a_cluster(call: Call) -> None:
    for asked, names in (("mx2", ["mx2"]), ("mx-cluster", ["mx1", "mx3"])):
        found = call("check_hosts", host=asked, **ONLY_HOSTS).structured_content
        assert found is not None
        assert [one["name"] for one in found["hosts"]] == names


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"host": "evil.example"}, "UNKNOWN_HOST"),
        ({"host": ""}, "INVALID_ARGUMENT"),
        ({"domain": "evil.example"}, "INVALID_ARGUMENT"),
        ({"domains": ["evil.example"]}, "INVALID_ARGUMENT"),
        ({"dns": "evil.example"}, "INVALID_ARGUMENT"),
        ({"profiles": ["lab"]}, "INVALID_ARGUMENT"),
    ],
)
def test_no_name_can_be_asked_for_that_is_not_configured(
    call: Call, asked: dict[str, Any], code: str
) -> None:
    result = call("check_hosts", **(ONLY_HOSTS | asked))
    assert result.is_error
    assert said(result).startswith(f"{code}: ")


def test_progress(config: Path) -> None:
    told: list[str | None] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append(message)

    async def ask() -> None:
        async with Client(build(Configuration(config))) as client:
            await client.call_tool("check_hosts", ONLY_HOSTS, progress_callback=note)

    anyio.run(ask)
    assert len(told) == 3
    assert {"checked mx1", "checked mx2", "checked mx3"} == {
        (one or "").partition(",")[0] for one in told
    }
    assert (told[-1] or "").endswith("3 of 3")
