"""The published types against TOOLS.md "Answers": names, what is always there, what may be left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from mailtrace_mcp.answers import QueryAnswer, TraceAnswer, as_json
from mailtrace_mcp.answers.parts import Part
from tests.answers.found import FULL, MANNER, TWO_HOPS, listed, two_hops
from tests.trace.plain import graph

# As TOOLS.md writes them; `?` may be left out, all others are always there.
TRACE = {
    "TraceAnswer": "summary traces coverage hints",
    "Trace": "message_id sender outcome complete started ended recipients hops links notices latency "
    "graph? untrusted",
    "RecipientEnd": "original_recipient recipient count? outcome end host queue_id relay? dsn? at? "
    "attempts added_by? next_retry? reason? path",
    "Hop": "host queue_id label arrived client? sender size? nrcpt? removed? attempts",
    "DeliveryAttempt": "recipient original_recipient? agent relay relay_address? port? dsn status at "
    "delays? tls? steps?",
    "DelaysSpent": "before_qmgr in_qmgr connection_setup transmission",
    "HopLink": "from to kind evidence confidence candidates?",
    "NoticeSent": "kind queue_id host to outcome path",
    "TimeSpent": "total_seconds slowest skew",
    "Slowest": "host phase seconds",
    "ClockSkew": "from to seconds",
    "UntrustedText": "ref where text",
    "Place": "host queue_id",
    "CoverageReport": "complete window hosts",
    "WindowAsked": "start end zone",
    "HostReport": "host state code? files oldest newest bytes_read lines not_understood reason?",
}
QUERY = {
    "QueryAnswer": "summary mails queue_ids matched next_cursor? groups? coverage hints",
    "Mail": "queue_id host first_seen last_seen sender recipients message_id size lines untrusted",
    "MailRecipient": "recipient outcome dsn",
    "Group": "outcome relay reason count",
}


def schemas(answer: type[Part]) -> dict[str, dict[str, Any]]:
    whole = answer.model_json_schema()
    return {**whole.pop("$defs"), answer.__name__: whole}


@pytest.mark.parametrize(
    ("answer", "name", "fields"),
    [
        *((TraceAnswer, name, fields) for name, fields in TRACE.items()),
        *((QueryAnswer, name, fields) for name, fields in QUERY.items()),
    ],
)
def test_fields_are_those_of_the_contract(answer: type[Part], name: str, fields: str) -> None:
    schema = schemas(answer)[name]
    for field in fields.split():
        plain = field.removesuffix("?")
        assert plain in schema["properties"], plain
        assert (plain in schema["required"]) is not field.endswith("?"), plain
    more = set(schema["properties"]) - {one.removesuffix("?") for one in fields.split()}
    # Additions of ours: refs to untrusted text, and few that say more.
    assert {one for one in more if not one.endswith("_ref")} <= {
        "matched", "login", "refused_by", "reason", "count", "named", "attempts",
    }  # fmt: skip


@pytest.mark.parametrize("answer", [TraceAnswer, QueryAnswer])
def test_every_type_and_field_is_described(answer: type[Part]) -> None:
    for name, schema in schemas(answer).items():
        assert schema["description"], name
        for field, said in schema["properties"].items():
            assert len(said["description"]) > 4, f"{name}.{field}"
            assert "default" not in said


@pytest.mark.parametrize("answer", [TraceAnswer, QueryAnswer])
def test_what_may_be_left_out_has_one_plain_type(answer: type[Part]) -> None:
    for name, schema in schemas(answer).items():
        for field in set(schema["properties"]) - set(schema["required"]):
            assert "null" not in str(schema["properties"][field]), f"{name}.{field}"


def nulls(value: Any, at: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from nulls(inner, f"{at}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from nulls(inner, at)
    elif value is None:
        yield at


@pytest.mark.parametrize("manner", [MANNER, FULL])
def test_a_real_answer_validates(manner: Any) -> None:
    for answer in (two_hops(manner), listed(graph(**TWO_HOPS), manner)):
        schema = type(answer).model_json_schema()
        Draft202012Validator.check_schema(schema)
        Draft202012Validator(schema).validate(as_json(answer))


def test_answers_are_frozen_and_read_back_as_they_were() -> None:
    answer = two_hops()
    with pytest.raises(ValueError, match="frozen"):
        answer.summary = "another"
    assert TraceAnswer.model_validate(as_json(answer)) == answer
