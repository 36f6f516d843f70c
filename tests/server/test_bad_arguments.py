"""The tool-args cases of data/bad_inputs.jsonl for query_logs and trace_mail, each under its id, in the names
of TOOLS.md. Those of send_test_mail (TA066 to TA108) come with that tool.

Rewritten, because TOOLS.md says otherwise than the file: TA012, TA013, TA014, TA015 (a literal has 3
characters or more), TA030 (a bare string is accepted where a list is asked for), TA041 (a trailing dot
is a way to write the same name), TA026 (half of a surrogate pair is no JSON: see test_stdio.py).
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from mailtrace_mcp.answers import trust

from .conftest import WHEN, Call, said

REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("TA006", "query_logs", {"host": "mx1", "keywords": ["a@x\nb@y"]}, "INVALID_ARGUMENT: keyword .*line break"),
    ("TA007", "query_logs", {"host": "mx1", "keywords": ["a@x\r"]}, "INVALID_ARGUMENT: keyword .*line break"),
    ("TA012", "query_logs", {"host": "mx1", "keywords": ["--"]}, "INVALID_ARGUMENT: keyword '--': it has fewer than 3"),
    ("TA013", "query_logs", {"host": "mx1", "keywords": [".*"]}, "INVALID_ARGUMENT: keyword .*fewer than 3"),
    ("TA014", "query_logs", {"host": "mx1", "keywords": ["("]}, "INVALID_ARGUMENT: keyword .*fewer than 3"),
    ("TA015", "query_logs", {"host": "mx1", "keywords": ["[["]}, "INVALID_ARGUMENT: keyword .*fewer than 3"),
    ("TA019", "query_logs", {"host": "mx1", "keywords": [""]}, "INVALID_ARGUMENT: keyword '': it is empty"),
    ("TA020", "query_logs", {"host": "mx1", "keywords": ["   "]}, "INVALID_ARGUMENT: keyword .*empty"),
    ("TA021", "query_logs", {"host": "mx1", "keywords": ["a@x.example", ""]}, "INVALID_ARGUMENT: keyword .*empty"),
    ("TA024", "query_logs", {"host": "mx1", "keywords": [f"k{n}@x.example" for n in range(10000)]}, "INVALID_ARGUMENT: 10000 keywords are too many; give at most 20"),
    ("TA025", "query_logs", {"host": "mx1", "keywords": ["A" * 1048576]}, "INVALID_ARGUMENT: keyword .*longer than 512"),
    ("TA032", "query_logs", {"host": "mx1", "keywords": [123]}, "INVALID_ARGUMENT: keywords: input should be a valid string"),
    ("TA033", "query_logs", {"host": "mx1", "keywords": ["ok@x.example"], "extra": 1}, "INVALID_ARGUMENT: query_logs has no argument 'extra'"),
    ("TA033", "query_logs", {"host": "mx1", "keywords": ["ok@x.example"], "time_rnage": "1h"}, "INVALID_ARGUMENT: .*'time_rnage'. Did you mean 'time_range'?"),
    ("TA035", "query_logs", {"host": "evil.example", "keywords": ["abc"]}, "UNKNOWN_HOST: .*'evil.example'.* Hosts: mx1, mx2, mx3. Clusters: mx-cluster"),
    ("TA036", "query_logs", {"host": "127.0.0.1", "keywords": ["abc"]}, "UNKNOWN_HOST: "),
    ("TA037", "query_logs", {"host": "169.254.169.254", "keywords": ["abc"]}, "UNKNOWN_HOST: "),
    ("TA038", "query_logs", {"host": "-oProxyCommand=touch pwned_marker", "keywords": ["abc"]}, "UNKNOWN_HOST: "),
    ("TA042", "query_logs", {"host": "m\u04451", "keywords": ["abc"]}, r"UNKNOWN_HOST: .*m\\u\{445\}1"),
    ("TA043", "query_logs", {"host": "", "keywords": ["abc"]}, "INVALID_ARGUMENT: host is empty"),
    ("TA047", "trace_mail", {"host": "mx1", "mail_id": "*"}, "INVALID_ARGUMENT: queue_id .*no queue ID"),
    ("TA048", "trace_mail", {"host": "mx1", "mail_id": "NOQUEUE"}, "INVALID_ARGUMENT: queue_id .*no queue ID"),
    ("TA049", "trace_mail", {"host": "mx1", "mail_id": "statistics"}, "INVALID_ARGUMENT: queue_id .*no queue ID"),
    ("TA052", "trace_mail", {"host": "mx1", "message_id": "<a@b>\r\nBcc: x"}, "INVALID_ARGUMENT: message_id"),
    ("TA053", "trace_mail", {"host": "mx1", "message_id": "<" + "a" * 5000 + "@x>"}, "INVALID_ARGUMENT: message_id"),
    ("TA055", "trace_mail", {"host": "mx1", "message_id": "@"}, "INVALID_ARGUMENT: message_id"),
    ("TA056", "trace_mail", {"host": "mx1"}, "INVALID_ARGUMENT: give exactly one of queue_id, message_id, keywords, headers"),
    ("TA057", "trace_mail", {"host": "mx1", "mail_id": "A4E3828A0CA", "message_id": "<x@y>"}, "INVALID_ARGUMENT: give exactly one of"),
    ("TA059", "query_logs", {"host": "mx1", "keywords": ["abc"], "limit": 0}, "INVALID_ARGUMENT: limit 0 is not in 1 to 200"),
    ("TA060", "query_logs", {"host": "mx1", "keywords": ["abc"], "limit": -1}, "INVALID_ARGUMENT: limit -1"),
    ("TA062", "query_logs", {"host": "mx1", "keywords": ["abc"], "limit": 1.5}, "INVALID_ARGUMENT: limit: input should be a valid integer"),
    ("TA065", "query_logs", {"host": "mx1", "keywords": ["abc"], "cursor": "forged"}, "INVALID_ARGUMENT: "),
    # and what TOOLS.md asks for beside the file
    ("status", "query_logs", {"keywords": ["status=sent"]}, "INVALID_ARGUMENT: .*use status=sent"),
    ("status", "query_logs", {"keywords": ["bounced"]}, "INVALID_ARGUMENT: .*use status=bounced"),
    ("status", "query_logs", {"status": "delivered"}, "INVALID_ARGUMENT: status: input should be 'sent'"),
    ("nothing", "query_logs", {}, "INVALID_ARGUMENT: give at least one keyword, a host or a status"),
    ("two", "trace_mail", {"queue_id": "A00001", "mail_id": "A00002"}, "INVALID_ARGUMENT: mail_id is another name of queue_id"),
    ("graph", "trace_mail", {"queue_id": "A00001", "graph": "svg"}, "INVALID_ARGUMENT: graph: input should be"),
    ("range", "query_logs", {"host": "mx1", "time_range": "1H"}, "TIME_INVALID: "),
    ("range", "query_logs", {"host": "mx1", "time_range": "0h"}, "TIME_INVALID: "),
    ("range", "query_logs", {"host": "mx1", "time_range": "999999d"}, "RANGE_TOO_WIDE: "),
    ("range", "query_logs", {"host": "mx1", "keywords": ["lit era"], "time_range": "2d"}, "RANGE_TOO_WIDE: "),
    ("time", "query_logs", {"host": "mx1", "time": "2025-01-27 15:00:00; id"}, "TIME_INVALID: "),
    ("time", "query_logs", {"host": "mx1", "time": "soon"}, "TIME_INVALID: "),
    ("huge", "query_logs", {"host": "mx1", "limit": 10**30}, "INVALID_ARGUMENT: limit"),
    ("many", "query_logs", {"keywords": 5, "limit": "x", "role": 1, "status": [], "host": {}}, r"INVALID_ARGUMENT: .*\(2 more\)\."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("tool", "asked", "words"),
    [case[1:] for case in REFUSED],
    ids=[f"{case[0]}-{number}" for number, case in enumerate(REFUSED)],
)
def test_refused(call: Call, tool: str, asked: dict[str, Any], words: str) -> None:
    result = call(tool, **{**WHEN, **asked})
    assert result.is_error
    told = said(result)
    assert re.match(words, told), told
    assert len(told) < 800
    assert trust.clean(told, 800) == told


LITERALS = [
    ("TA003", "`touch pwned_marker`"),
    ("TA004", "'; touch pwned_marker; '"),
    ("TA009", "-ve^$"),
    ("TA010", "-f/etc/passwd"),
    ("TA011", "--version"),
    ("TA017", "a{1,99999}"),
    ("TA018", "(a+)+$"),
]


@pytest.mark.parametrize(("case", "text"), LITERALS, ids=[case for case, _ in LITERALS])
def test_a_literal_is_looked_for_as_it_is(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = call("query_logs", host="mx1", keywords=[text], **WHEN)
    assert not result.is_error, said(result)
    assert result.structured_content is not None
    assert result.structured_content["matched"] == 0
    assert not (tmp_path / "pwned_marker").exists()


def test_ta005_a_literal_with_every_special_character_is_found(call: Call) -> None:
    text = 'a|b&c>d<e*f?g[h]i{j}k~l!m#n"o\\p'
    result = call("query_logs", host="mx1", keywords=[text], **WHEN)
    assert result.structured_content is not None
    [mail] = result.structured_content["mails"]
    assert mail["queue_id"] is None


def test_ta028_characters_are_compared_as_they_are_written(call: Call) -> None:
    result = call("query_logs", host="mx1", keywords=["caf\u00e9", "cafe\u0301"], **WHEN)
    assert not result.is_error
    assert result.structured_content is not None
    assert result.structured_content["matched"] == 0


def test_ta030_a_bare_string_is_one_keyword(call: Call) -> None:
    result = call("query_logs", host="mx1", keywords="a@x.example", **WHEN)
    assert not result.is_error


@pytest.mark.parametrize("host", ["MX1", "mx1."])
def test_ta040_ta041_a_host_is_known_in_every_case(call: Call, host: str) -> None:
    told = call("query_logs", host=host, keywords=["bob@example.test"], **WHEN).structured_content
    assert told is not None
    assert [mail["host"] for mail in told["mails"]] == ["mx1"]


def test_ta044_a_cluster_with_a_host_down_is_answered_and_names_it(call: Call) -> None:
    told = call("query_logs", host="mx-cluster", keywords=["bob@example.test"], **WHEN)
    assert told.structured_content is not None
    coverage = told.structured_content["coverage"]
    assert not coverage["complete"]
    [down] = [host for host in coverage["hosts"] if host["host"] == "mx3"]
    assert down["state"] != "read"
    assert down["code"] == "FILE_NOT_FOUND"
    assert "mx3" in told.structured_content["summary"]
    assert told.structured_content["matched"] == 1


@pytest.mark.parametrize("mail_id", ["3Pt2mN2VXxznjll", "a4e3828a0ca"])
def test_ta050_ta051_an_id_is_looked_for_as_it_is_written(call: Call, mail_id: str) -> None:
    result = call("trace_mail", host="mx1", mail_id=mail_id, **WHEN)
    assert not result.is_error
    assert result.structured_content is not None
    assert result.structured_content["traces"] == []


def test_ta054_brackets_of_a_message_id_are_optional_and_it_is_compared_whole(call: Call) -> None:
    for message_id, found in (
        ("1@example.net", 1),
        ("<1@example.net>", 1),
        ("@example.net>", None),
        ("1@example.ne", 0),
    ):
        result = call("trace_mail", host="mx1", message_id=message_id, **WHEN)
        traces = None if result.is_error else (result.structured_content or {})["traces"]
        assert (None if traces is None else len(traces)) == found, message_id


def test_refusals_come_at_once(call: Call) -> None:
    call("query_logs", keywords=[""])  # the first call imports what it needs
    for asked in (
        {"keywords": [f"k{n}@x.example" for n in range(10000)]},
        {"keywords": ["A" * 1048576]},
    ):
        began = time.perf_counter()
        assert call("query_logs", **asked).is_error
        assert time.perf_counter() - began < 2
