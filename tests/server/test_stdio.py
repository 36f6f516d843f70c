"""The server as a process: stdout is the protocol only, whatever comes in, and it ends when it should.

The mcp-protocol cases of data/bad_inputs.jsonl that stdio and the read-only tools have. Not here: MP016 (a host
that hangs), MP018, MP039 to MP041 (sending), MP026 to MP037 (HTTP). Rewritten: MP006 (mcp takes a request
whose id is no id for a notification, which is never answered).
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from mcp import Client, StdioServerParameters

from mailtrace_mcp.answers.trust import clean

from .conftest import WHEN, written
from .wire import ENVIRONMENT, Talk, line, opening, request, start, talk, tool

BOB = {"keywords": ["bob@example.test"], **WHEN}


def after_opening(config: Path, *said: bytes, answers: int, last: int | None = None) -> Talk:
    """The handshake, then these lines; `answers` without the one to the handshake, `last` as in talk."""
    server = start("--config", str(config), "serve")
    return talk(server, [opening(), *said], answers + 1, last)


CANCEL = "notifications/cancelled"
DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
BROKEN = [
    ("garbage", b"garbage\n", -32700),
    ("binary", b"\xff\xfe\x00\n", -32700),
    ("MP004", b'{"jsonrpc":"1.0","id":90,"method":"tools/list"}\n', -32600),
    ("MP012", b'{"jsonrpc":"2.0","id":91,"method":"tools/call","params":' + DEEP + b"}\n", -32700),
    ("TA026", b'{"jsonrpc":"2.0","id":92,"method":"tools/call","params":'
     rb'{"name":"query_logs","arguments":{"keywords":["\ud800"]}}}' + b"\n", -32700),
    ("batch", b"[]\n", -32600),
]  # fmt: skip


@pytest.fixture(scope="module")
def talked(tmp_path_factory: pytest.TempPathFactory) -> Talk:
    """One process that is told all that does no harm to what comes after it."""
    config = written(tmp_path_factory.mktemp("cluster"))
    return after_opening(
        config,
        *(line for _, line, _ in BROKEN),
        b"\n",
        b'{"jsonrpc":"2.0","id":{"a":1},"method":"tools/list"}\n',
        line({"jsonrpc": "2.0", "method": CANCEL, "params": {"requestId": 999}}),
        line({"jsonrpc": "2.0", "method": CANCEL, "params": {"requestId": 0}}),
        line({"jsonrpc": "2.0", "method": CANCEL, "params": {"requestId": 0}}),
        line({"jsonrpc": "2.0", "method": CANCEL, "params": {"x": []}}),
        tool(1, "query_logs", None),
        tool(2, "query_logs", {"keywords": ["\u202e\x00\x1b[31m"]}),
        tool(3, "trace_mail", {"message_id": "x\u2028y"}),
        tool(4, "query_logs", {"keywords": ["a" * 100_000], "time": "\x1b]0;x\x07"}),
        tool(5, "query_logs", BOB),
        tool(6, "nope", {}),
        tool(7, "query_log", {}),
        tool(8, "send_test_mail", {}),
        tool(9, "query_logs", []),
        b'{"jsonrpc":"2.0","id":10,"id":11,"method":"tools/list"}\n',
        request(12, "tools/list"),
        answers=len(BROKEN) + 11,
    )


def test_a_client_of_today_over_stdio(config: Path) -> None:
    server = StdioServerParameters(
        command=sys.executable,
        args=["-m", "mailtrace_mcp", "--config", str(config), "serve"],
        env={"PYTHONPATH": ENVIRONMENT["PYTHONPATH"]},
    )

    async def ask() -> tuple[Any, Any]:
        async with Client(server) as client:
            listing = await client.list_tools()
            return listing, await client.call_tool("trace_mail", {"queue_id": "A00001", **WHEN})

    listing, result = anyio.run(ask)
    [schema] = [one.output_schema for one in listing.tools if one.name == "trace_mail"]
    Draft202012Validator(schema).validate(result.structured_content)
    assert result.structured_content["traces"][0]["outcome"] == "sent"


def test_mp010_mp023_bad_input_of_all_kinds_leaves_only_protocol_on_stdout(talked: Talk) -> None:
    assert talked.code == 0
    assert talked.err == ""
    assert len(talked.messages) == len(BROKEN) + 12
    assert [talked.answer(n)["result"]["isError"] for n in (1, 2, 3, 4)] == [True] * 4
    assert talked.answer(5)["result"]["structuredContent"]["matched"] == 2
    assert "Traceback" not in talked.out.decode()
    for number in range(1, 5):
        [content] = talked.answer(number)["result"]["content"]
        assert clean(content["text"], 1000) == content["text"]


def test_mp004_mp012_ta026_what_is_no_message_is_told_so(talked: Talk) -> None:
    told = [one["error"]["code"] for one in talked.messages if one.get("id", 0) is None]
    assert told == [code for _, _, code in BROKEN]


def test_mp006_mp017_what_needs_no_answer_gets_none_and_harms_nothing(talked: Talk) -> None:
    """A request whose id is no id (mcp takes it for a notification), and cancelling what is not there."""
    assert "result" in talked.answer(12)


def test_mp009_an_unknown_tool(talked: Talk) -> None:
    assert [talked.code_of(number) for number in (6, 7, 8)] == [-32602] * 3
    assert "Did you mean 'query_logs'?" in talked.answer(7)["error"]["message"]


def test_mp011_arguments_that_are_no_object(talked: Talk) -> None:
    assert talked.code_of(9) == -32602


def test_mp014_an_id_given_twice_gets_one_answer(talked: Talk) -> None:
    assert len([one for one in talked.messages if one.get("id") in (10, 11)]) == 1


def test_mp025_nothing_is_logged_to_a_client_that_did_not_ask(talked: Talk) -> None:
    assert not [one for one in talked.messages if one.get("method") == "notifications/message"]


def test_mp007_a_request_before_any_handshake(config: Path) -> None:
    server = start("--config", str(config), "serve")
    talked = talk(server, [request(1, "tools/list", {})], 1)
    assert talked.code_of(1) == -32602


def test_mp008_a_version_that_is_not_spoken(config: Path) -> None:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "1999-01-01",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    server = start("--config", str(config), "serve")
    talked = talk(server, [request(1, "tools/list", {"_meta": meta})], 1)
    assert talked.code_of(1) == -32022
    assert "2026-07-28" in talked.answer(1)["error"]["data"]["supported"]


def test_mp015_the_same_id_while_the_first_runs(config: Path) -> None:
    talked = after_opening(
        config, tool(1, "query_logs", BOB), tool(1, "query_logs", BOB), tool(2, "query_logs", BOB),
        answers=1, last=2,
    )  # fmt: skip
    assert talked.code == 0
    assert "result" in talked.answer(2)


def test_mp019_end_of_stdin_with_calls_running(config: Path) -> None:
    began = time.monotonic()
    calls = [tool(number, "query_logs", BOB) for number in range(1, 11)]
    talked = after_opening(config, *calls, answers=0)
    assert talked.code == 0
    assert time.monotonic() - began < 5
    assert len(talked.messages) >= 1


def test_mp020_sigterm_with_calls_running(config: Path) -> None:
    server = start("--config", str(config), "serve")
    assert server.stdin is not None
    assert server.stdout is not None
    with server:
        server.stdin.write(opening())
        server.stdin.flush()
        first = server.stdout.readline()
        server.stdin.write(b"".join(tool(number, "query_logs", BOB) for number in range(1, 11)))
        server.stdin.flush()
        began = time.monotonic()
        server.send_signal(signal.SIGTERM)
        out, err = server.communicate(timeout=5)
    assert server.returncode == 0
    assert time.monotonic() - began < 5
    assert err == b""
    assert Talk(0, first + out[: out.rfind(b"\n") + 1], "").messages


def test_mp043_two_processes_list_the_same_tools(config: Path) -> None:
    said = [request(number, "tools/list") for number in range(1, 6)]
    first = after_opening(config, *said, answers=5)
    second = after_opening(config, *said, answers=5)
    lists = {json.dumps(one.answer(n)["result"]) for one in (first, second) for n in range(1, 6)}
    assert len(lists) == 1


def test_a_configuration_that_is_named_and_wrong_ends_the_server_at_once(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("hosts: {mx1: {logs: {filez: [x]}}}\n")
    with start("--config", str(file), "serve") as server:
        out, err = server.communicate(timeout=10)
    assert server.returncode == 2
    assert out == b""
    assert err.decode().startswith("mailtrace-mcp: CONFIG_INVALID: ")
    assert err.count(b"\n") == 1


def test_without_any_configuration_it_serves_and_says_how_to_configure(tmp_path: Path) -> None:
    server = start("serve", cwd=tmp_path, HOME=str(tmp_path))
    talked = talk(server, [opening(), tool(1, "query_logs", BOB)], 2)
    [content] = talked.answer(1)["result"]["content"]
    assert content["text"].startswith("CONFIG_INVALID: ")
