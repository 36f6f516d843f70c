"""query and trace: what is printed, --json, and the exit codes of TOOLS.md."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client

from mailtrace_mcp.server import build
from mailtrace_mcp.server.configuration import Configuration

from .conftest import WHEN, Run

BOB = "bob@example.test"


def structured(config: Path, tool: str, **asked: Any) -> Any:
    async def ask() -> Any:
        async with Client(build(Configuration(config))) as client:
            return (await client.call_tool(tool, asked)).structured_content

    return anyio.run(partial(ask))


@pytest.mark.parametrize(
    ("arguments", "tool", "asked"),
    [
        (("query", BOB), "query_logs", {"keywords": [BOB]}),
        (
            ("query", "--host", "mx1", "--status", "rejected", "--detail", "full", "--limit", "3"),
            "query_logs",
            {"host": "mx1", "status": "rejected", "detail": "full", "limit": 3},
        ),
        (
            ("query", "@example.net", "--role", "sender", "--time-range", "30m"),
            "query_logs",
            {"keywords": ["@example.net"], "role": "sender", "time_range": "30m"},
        ),
        (("trace", "--queue-id", "A00001"), "trace_mail", {"queue_id": "A00001"}),
        (("trace", "--mail-id", "B00001", "--host", "mx2"), "trace_mail",
         {"mail_id": "B00001", "host": "mx2"}),
        (
            ("trace", "--message-id", "<1@example.net>", "--graph", "dot", "--detail", "full"),
            "trace_mail",
            {"message_id": "<1@example.net>", "graph": "dot", "detail": "full"},
        ),
        (("trace", BOB, "--limit", "2"), "trace_mail", {"keywords": [BOB], "limit": 2}),
    ],
)  # fmt: skip
def test_json_is_the_structured_content_of_the_tool(
    run: Run, config: Path, arguments: tuple[str, ...], tool: str, asked: dict[str, Any]
) -> None:
    ran = run(*arguments, *WHEN, "--json")
    assert ran.err == ""
    assert json.loads(ran.out) == structured(config, tool, time=WHEN[1], **asked)


def test_a_trace_as_it_is_printed(run: Run) -> None:
    ran = run("trace", "--queue-id", "A00001", *WHEN)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith(
        "1 mail: sent to bob@example.test, 2 hops, 1.0 s.\n\nMail <1@example.net>"
    )
    assert "└─ mx2 B00001  15:00:00  [relay, queued_as]" in ran.out
    assert "   └─ bob@example.test: sent  to mailbox  2.0.0  15:00:01" in ran.out
    assert "\x1b" not in ran.out


def test_a_listing_as_it_is_printed(run: Run) -> None:
    ran = run("query", BOB, *WHEN)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("2 mails; recipients of those shown: ")
    assert "queue ID  host  last seen" in ran.out
    assert "A00001    mx1   2025-01-27 15:00:00" in ran.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("query", BOB), 0),
        (("query", "nobody@example.test"), 1),
        (("trace", "--queue-id", "A00001"), 0),
        (("trace", "--queue-id", "FFFFFF"), 1),
        (("trace", "--queue-id", "A00001", "--check"), 0),
        (("trace", "x@example.test"), 0),
        (("trace", "x@example.test", "--check"), 1),
        (("trace", "nobody@example.test", "--check"), 1),
        (("query",), 2),
        (("query", "ab"), 2),
        (("query", BOB, "--host", "mx9"), 2),
        (("query", BOB, "--limit", "0"), 2),
        (("trace",), 2),
        (("trace", BOB, "--queue-id", "A00001"), 2),
    ],
)
def test_exit_codes(run: Run, arguments: tuple[str, ...], code: int) -> None:
    ran = run(*arguments, *WHEN)
    assert ran.code == code, ran.out + ran.err
    assert (ran.out == "") == (code == 2)


@pytest.mark.usefixtures("config_with_a_host_down")
@pytest.mark.parametrize(
    "arguments",
    [
        ("query", BOB),
        ("query", "nobody@example.test"),
        ("trace", "nobody@example.test"),
        ("trace", "x@example.test", "--check"),
    ],
)
def test_incomplete_beats_found_and_not_found(run: Run, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments, *WHEN)
    assert ran.code == 3
    assert "mx3" in ran.out.split("\n")[0] + ran.out


@pytest.mark.usefixtures("config_with_a_host_down")
def test_usage_beats_incomplete(run: Run) -> None:
    assert run("query", "", *WHEN).code == 2


def test_drawings_for_other_programs_stand_alone_on_stdout(run: Run) -> None:
    dot = run("trace", "--queue-id", "A00001", *WHEN, "--graph", "dot")
    assert dot.out.startswith("digraph mail {\n")
    assert dot.out.endswith("}\n")
    assert dot.err.startswith("1 mail: sent to bob@example.test")
    mermaid = run("trace", "--queue-id", "A00001", *WHEN, "--graph", "mermaid")
    assert mermaid.out.startswith("flowchart LR\n")


def test_a_page_and_the_next(run: Run) -> None:
    first = json.loads(run("query", BOB, *WHEN, "--limit", "1", "--json").out)
    second = run("query", BOB, *WHEN, "--limit", "1", "--json", "--cursor", first["next_cursor"])
    told = json.loads(second.out)
    assert [first["queue_ids"], told["queue_ids"]] in (
        [["A00001"], ["B00001"]],
        [["B00001"], ["A00001"]],
    )
    assert "next_cursor" not in told


def test_a_received_mail_names_what_to_trace(run: Run, tmp_path: Path) -> None:
    mail = tmp_path / "mail.eml"
    mail.write_bytes(
        b"Received: from mx1.example.test (mx1.example.test [192.0.2.1])\r\n"
        b"\tby mx2.example.test (Postfix) with ESMTP id B00001\r\n"
        b"Message-ID: <1@example.net>\r\nSubject: \xff\xfe hello\r\n\r\nMessage-ID: <2@other>\r\n"
    )
    ran = run("trace", "--eml", str(mail), *WHEN, "--json")
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)["traces"][0]["message_id"] == "1@example.net"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing.eml", "FILE_NOT_FOUND: "),
        (".", "INVALID_ARGUMENT: "),
        ("empty.eml", "INVALID_ARGUMENT: "),
    ],
)
def test_a_received_mail_that_is_none(run: Run, tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "empty.eml").write_bytes(b"")
    ran = run("trace", "--eml", str(tmp_path / name), *WHEN)
    assert ran.code == 2
    assert ran.err.startswith(f"mailtrace-mcp: {words}")
    assert ran.err.count("\n") == 1
