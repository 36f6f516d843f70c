"""The tools as a client sees them: schemas, annotations, answers, refusals, resources."""

from __future__ import annotations

import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from mcp import Client, MCPError
from mcp.server.mcpserver import MCPServer
from mcp.types import ListToolsResult, TextResourceContents

import mailtrace_mcp.server
from mailtrace_mcp.config import packaged_config
from mailtrace_mcp.server import build, mcp
from mailtrace_mcp.server.configuration import Configuration

from .conftest import WHEN, Call, said

PARAMETERS = {
    "send_test_mail": "to subject profile sender ssl_mode verify auth body html cc bcc dsn rate duration follow "
    "follow_seconds dry_run",
    "query_logs": "keywords host time time_range role status limit cursor detail",
    "trace_mail": "queue_id mail_id message_id keywords headers host time time_range follow_seconds "
    "graph detail limit",
    "check_flow": "cluster time time_range keywords limit",
    "check_hosts": "host profiles dns",
}
DEFAULTS = {
    "send_test_mail": {"auth": True, "rate": 1, "duration": 1, "follow": False, "follow_seconds": 25,
                       "dry_run": False},
    "query_logs": {"time": "now", "time_range": "1h", "role": "any", "status": "any", "limit": 20,
                   "detail": "concise"},
    "trace_mail": {"time": "now", "time_range": "1h", "follow_seconds": 0, "graph": "text",
                   "detail": "concise", "limit": 5},
    "check_flow": {"time": "now", "time_range": "1h", "limit": 50},
    "check_hosts": {"profiles": True, "dns": True},
}  # fmt: skip


def tools(**options: Any) -> ListToolsResult:
    """Over config.yaml as it stands, which has a policy."""
    options = {"configuration": Configuration(packaged_config())} | options

    async def listing() -> ListToolsResult:
        async with Client(build(**options)) as client:
            return await client.list_tools()

    return anyio.run(listing)


def test_names_and_parameters_are_those_of_the_contract() -> None:
    found = {tool.name: tool.input_schema for tool in tools().tools}
    assert {name: list(schema["properties"]) for name, schema in found.items()} == {
        name: words.split() for name, words in PARAMETERS.items()
    }
    for name, schema in found.items():
        assert schema["additionalProperties"] is False
        assert schema.get("required", []) == (["cluster"] if name == "check_flow" else [])
        shown = {
            key: one["default"] for key, one in schema["properties"].items() if "default" in one
        }
        assert shown == DEFAULTS[name]


def test_every_parameter_is_described_and_has_one_plain_type() -> None:
    for tool in tools().tools:
        assert tool.description is not None
        assert len(tool.description) > 200
        assert "\n    " not in tool.description
        assert tool.title
        for name, schema in tool.input_schema["properties"].items():
            assert len(schema["description"]) > 20, name
            assert "anyOf" not in schema, name
            assert "type" in schema or "enum" in schema, name


def test_all_four_annotations_are_set() -> None:
    for tool in tools().tools:
        assert tool.annotations is not None
        hints = tool.annotations
        reads = tool.name != "send_test_mail"
        assert (hints.read_only_hint, hints.destructive_hint) == (reads, not reads)
        assert (hints.idempotent_hint, hints.open_world_hint) == (reads, True)


def test_every_tool_has_an_output_schema_with_every_field_described() -> None:
    for tool in tools().tools:
        assert tool.output_schema is not None
        Draft202012Validator.check_schema(tool.output_schema)
        assert tool.output_schema["type"] == "object"
        assert {"summary", "hints"} <= set(tool.output_schema["required"])
        searches = tool.name in ("query_logs", "trace_mail", "check_flow")
        assert ("coverage" in tool.output_schema["required"]) == searches


@pytest.mark.parametrize("sends", [True, False])
def test_instructions_are_short_and_name_the_rules(sends: bool) -> None:
    said = build(Configuration(packaged_config()), read_only=not sends).instructions
    assert said is not None
    assert len(said.encode()) < 2048
    for word in (
        "query_logs",
        "trace_mail",
        "check_flow",
        "check_hosts",
        "untrusted",
        "45 s",
        "time_range",
        "coverage",
    ):
        assert word in said
    assert ("send_test_mail" in said) == sends
    assert ("only reads" in said) != sends


def test_a_prefix_and_read_only() -> None:
    names = [tool.name for tool in tools(tool_prefix="mailtrace_", read_only=True).tools]
    assert names == [
        "mailtrace_query_logs",
        "mailtrace_trace_mail",
        "mailtrace_check_flow",
        "mailtrace_check_hosts",
    ]


def test_sending_is_offered_only_with_a_policy(config: Path) -> None:
    names = [tool.name for tool in tools(configuration=Configuration(config)).tools]
    assert names == ["query_logs", "trace_mail", "check_flow", "check_hosts"]
    with config.open("a") as file:
        file.write("smtp: {policy: {recipient_domains: [lab.example]}}\n")
    names = [tool.name for tool in tools(configuration=Configuration(config)).tools]
    assert names == ["send_test_mail", "query_logs", "trace_mail", "check_flow", "check_hosts"]


@pytest.mark.parametrize(
    ("value", "offered"), [("1", False), ("true", False), ("yes", False), ("0", True), ("", True)]
)
def test_the_environment_can_forbid_sending_and_wins(
    monkeypatch: pytest.MonkeyPatch, value: str, offered: bool
) -> None:
    monkeypatch.setenv("MAILTRACE_READ_ONLY", value)
    assert ("send_test_mail" in [tool.name for tool in tools().tools]) == offered


def test_the_list_is_the_same_every_time() -> None:
    first = tools().model_dump_json()
    assert all(tools().model_dump_json() == first for _ in range(5))


@pytest.mark.parametrize(
    ("tool", "asked"),
    [
        ("query_logs", {"keywords": ["bob@example.test"]}),
        ("query_logs", {"host": "mx1", "detail": "full"}),
        ("query_logs", {"status": "rejected"}),
        ("query_logs", {"keywords": ["nobody@example.test"]}),
        ("trace_mail", {"queue_id": "A00001"}),
        ("trace_mail", {"message_id": "<1@example.net>", "graph": "mermaid", "detail": "full"}),
        ("trace_mail", {"keywords": ["bob@example.test"], "graph": "none"}),
        ("trace_mail", {"queue_id": "FFFFFF"}),
    ],
)
def test_structured_content_validates_against_the_published_schema(
    call: Call, tool: str, asked: dict[str, Any]
) -> None:
    result = call(tool, **asked, **WHEN)
    assert not result.is_error, said(result)
    schema = next(one.output_schema for one in tools().tools if one.name == tool)
    Draft202012Validator(schema).validate(result.structured_content)
    assert result.structured_content is not None
    assert said(result).startswith(result.structured_content["summary"])


def test_the_calls_of_the_workflow_fit_as_they_are_written(call: Call) -> None:
    listed = call(
        "query_logs", host="mx1", keywords=["bob@example.test"], time="2025-01-27 15:00:00",
        time_range="1h",
    )  # fmt: skip
    assert listed.structured_content is not None
    [mail_id] = listed.structured_content["queue_ids"]
    traced = call(
        "trace_mail", host="mx1", mail_id=mail_id, time="2025-01-27 15:00:00", time_range="1h"
    )
    assert traced.structured_content is not None
    [mail] = traced.structured_content["traces"]
    [end] = mail["recipients"]
    assert (end["recipient"], end["outcome"], end["end"]) == ("bob@example.test", "sent", "mailbox")
    assert [place["host"] for place in end["path"]] == ["mx1", "mx2"]


def test_null_equals_absent_and_a_bare_string_is_a_list(call: Call) -> None:
    plain = call("query_logs", keywords=["bob@example.test"], **WHEN)
    loose = call(
        "query_logs", keywords="bob@example.test", host=None, time_range=None, role=None,
        status=None, limit=None, cursor=None, detail=None, **WHEN,
    )  # fmt: skip
    assert loose.structured_content == plain.structured_content
    assert plain.structured_content is not None
    assert plain.structured_content["matched"] == 2


def test_without_a_configuration_the_tools_say_how_to_configure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MAILTRACE_CONFIG", raising=False)

    async def ask() -> str:
        async with Client(mcp) as client:
            return said(await client.call_tool("query_logs", {"keywords": ["a@example.com"]}))

    told = anyio.run(ask)
    assert told.startswith("CONFIG_INVALID: there is no configuration")
    assert "--config FILE" in told


def test_a_broken_configuration_can_be_mended_while_the_server_runs(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("hosts: {}\n")

    async def ask(client: Client) -> str:
        return said(await client.call_tool("query_logs", {"host": "mx1"}))

    async def twice() -> tuple[str, str]:
        async with Client(build(Configuration(file))) as client:
            first = await ask(client)
            file.write_text("hosts: {mx1: {logs: {files: [mx1.log]}}}\n")
            return first, await ask(client)

    first, second = anyio.run(twice)
    assert first.startswith("CONFIG_INVALID:")
    assert "hosts (line 1)" in first
    assert not second.startswith("CONFIG_INVALID")


def test_progress_only_grows_and_says_what_was_done(config: Path) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    async def ask() -> None:
        async with Client(build(Configuration(config))) as client:
            asked = {"keywords": ["bob@example.test"], **WHEN}
            await client.call_tool("query_logs", asked, progress_callback=note)

    anyio.run(ask)
    numbers = [done for done, _, _ in told]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 3
    assert {words for _, _, words in told if words and words.startswith("searched mx1, ")}


def read(config: Path, uri: str) -> TextResourceContents | MCPError:
    async def one() -> TextResourceContents | MCPError:
        async with Client(build(Configuration(config))) as client:
            try:
                [contents] = (await client.read_resource(uri)).contents
            except MCPError as error:
                return error
            assert isinstance(contents, TextResourceContents)
            return contents

    return anyio.run(one)


def test_the_clusters_resource(config: Path) -> None:
    contents = read(config, "mailtrace://clusters")
    assert isinstance(contents, TextResourceContents)
    assert contents.mime_type == "application/json"
    assert json.loads(contents.text) == {
        "hosts": ["mx1", "mx2", "mx3"],
        "clusters": {"mx-cluster": ["mx1", "mx3"]},
    }


@pytest.mark.parametrize(
    "uri",
    [
        "mailtrace://../../etc/passwd", "file:///etc/passwd", "mailtrace://mail/mx1/..%2F..%2Fetc",
        "mailtrace://mail/evil.test/A00001", "mailtrace://mail/mx1/%00", "mailtrace://mail/mx1/%2A",
    ],
)  # fmt: skip
def test_resources_that_are_none_mp042(config: Path, uri: str) -> None:
    refused = read(config, uri)
    assert isinstance(refused, MCPError)
    assert refused.code == -32602


def test_the_lines_of_one_mail_cleaned(config: Path) -> None:
    now = datetime.now(UTC).isoformat()
    (config.parent / "mx1.log").write_bytes(
        f"{now} mx1 postfix/smtpd[1]: C00001: client=pc[203.0.113.9]\n".encode()
        + f"{now} mx1 postfix/cleanup[2]: C00001: message-id=<x\x1b[31m\u2028\u202e@evil>\n".encode()
        + f"{now} mx1 postfix/cleanup[2]: C00002: message-id=<other@mail>\n".encode()
    )
    contents = read(config, "mailtrace://mail/mx1/C00001")
    assert isinstance(contents, TextResourceContents), contents
    [first, second] = contents.text.split("\n")
    assert "client=pc[203.0.113.9]" in first
    assert second.endswith("message-id=<x\\u{1b}[31m\\u{2028}\\u{202e}@evil>")


def test_the_file_can_be_run_by_its_path_as_mcp_dev_does() -> None:
    file = Path(mailtrace_mcp.server.__file__)
    spec = importlib.util.spec_from_file_location("server_module", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert isinstance(module.mcp, MCPServer)
