"""What send_test_mail answers, out of plain values: the fields of TOOLS.md, the words, and the trust rule."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from mailtrace_mcp.answers import Manner, SendAnswer, as_json
from mailtrace_mcp.answers.sending import SENT_SHARE, dry_answer, send_answer
from mailtrace_mcp.answers.trust import clean
from mailtrace_mcp.config import load
from mailtrace_mcp.errors import Code
from mailtrace_mcp.send import (
    Account,
    Record,
    Refusal,
    SendOutcome,
    SendRequest,
    Sent,
    SmtpError,
    State,
    dry_run,
    exported,
)
from mailtrace_mcp.send.addresses import address
from mailtrace_mcp.send.dialogue import Line, Timing
from mailtrace_mcp.send.failures import refused
from mailtrace_mcp.send.tls import TlsFacts
from mailtrace_mcp.views.sent import send_text
from mailtrace_parsers.replies import reply
from tests.answers.found import MANNER, two_hops
from tests.answers.test_poison import LOUD, MARK, QUIET

AT = datetime(2026, 11, 21, 15, 4, 5, 123456, tzinfo=UTC)
# As TOOLS.md writes them; `?` may be left out, all others are always there.
FIELDS = (
    "summary records outcome refused stage tls? timings transcript warnings advice? trace? hints"
)
KEYS = "timestamp message_id queue_id subject from to success status_code".split()


def record(
    to: str = "bounseen@lab.example",
    success: bool | None = True,
    code: int | None = 250,
    **more: Any,
) -> Record:
    fields = {"message_id": "1@lab.example", "queue_id": "4F2A1B3C5D", "subject": "Test"} | more
    return Record(
        AT, sender="me@lab.example", recipient=to, success=success, status_code=code, **fields
    )


def sent(outcome: SendOutcome, *records: Record, **more: Any) -> Sent:
    fields: dict[str, Any] = {"refused": (), "account": account(), "warnings": (), "failure": None}
    return Sent(outcome=outcome, records=records, planned=1, **(fields | more))


def account(*lines: str) -> Account:
    facts = TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384", "mx[192.0.2.1]:25", verified=True)
    said = tuple(Line("server", one) for one in lines)
    transcript = (Line("client", "EHLO me"), *said)
    return Account(
        "mx:25", "quit", (Timing("connect", 0.05), Timing("data", 0.07)), facts, transcript
    )


def no(text: str) -> SmtpError:
    return refused("rcpt", reply(text))


def told(one: Sent) -> dict[str, Any]:
    answer = send_answer(one, MANNER)
    found = as_json(answer)
    Draft202012Validator(SendAnswer.model_json_schema(mode="serialization")).validate(found)
    assert send_text(answer).startswith(answer.summary)
    return found


def test_the_fields_are_those_of_the_contract() -> None:
    schema = SendAnswer.model_json_schema(mode="serialization")
    for field in FIELDS.split():
        assert (field.rstrip("?") in schema["required"]) == (not field.endswith("?")), field
    assert list(schema["$defs"]["SendRecord"]["properties"]) == KEYS
    assert schema["$defs"]["SendRecord"]["required"] == KEYS
    for name, one in (schema["$defs"] | {"SendAnswer": schema}).items():
        for key, field in one["properties"].items():
            assert field.get("description") or "$ref" in field, f"{name}.{key}"


def test_the_records_are_those_of_the_export() -> None:
    records = (record(), record("carl@lab.example", None, None, queue_id=None))
    found = told(sent("unknown", *records))
    assert found["records"] == json.loads(exported(records))
    assert [list(one) for one in found["records"]] == [KEYS, KEYS]


def test_accepted() -> None:
    found = told(sent("accepted", record(), record("carl@lab.example")))
    assert found["summary"] == (
        "Accepted by mx:25 for bounseen@lab.example and carl@lab.example as 4F2A1B3C5D, 0.12 s."
    )
    assert found["tls"]["version"] == "TLSv1.3"
    assert found["timings"] == [
        {"stage": "connect", "seconds": 0.05},
        {"stage": "data", "seconds": 0.07},
    ]
    assert found["transcript"] == ["C: EHLO me"]
    assert "trace_mail" in found["hints"][0]
    assert "1@lab.example" in found["hints"][0]
    assert not {"advice", "code", "trace", "plan"} & set(found)


def test_partly_accepted_names_who_was_refused() -> None:
    answer = reply("550 5.1.1 <carl@lab.example>: User unknown")
    refusal = Refusal(address("carl@lab.example", "to"), answer)
    records = (record(), record("carl@lab.example", False, 550, queue_id=None))
    found = told(sent("partial", *records, refused=(refusal,), failure=refused("rcpt", answer)))
    assert (
        "for bounseen@lab.example as 4F2A1B3C5D; refused for carl@lab.example (550)"
        in found["summary"]
    )
    assert found["refused"] == [
        {"recipient": "carl@lab.example", "code": 550, "dsn": "5.1.1", "reply_ref": "u1"}
    ]
    assert found["untrusted"][0]["text"] == answer.text
    assert found["code"] == "SMTP_REJECTED"
    assert found["advice"] == "Check the recipients: the server knows no such mailbox."


def test_refused_says_why_and_what_to_do() -> None:
    failure = no("450 4.2.0 Greylisted, try again later")
    found = told(sent("refused", record(success=False, code=450, queue_id=None), failure=failure))
    assert found["summary"].startswith(
        "Not sent, SMTP_TEMPFAIL: The server refused the recipients: 450"
    )
    assert found["retry_after"] == 300
    assert "Try again in 5 min." in found["hints"]
    assert any("status=rejected" in one for one in found["hints"])


def test_unknown_is_never_told_as_failed_and_warns_of_sending_again() -> None:
    found = told(sent("unknown", record(success=None, code=None, queue_id=None)))
    assert found["summary"].startswith(
        "Unknown whether mx:25 has the mail for bounseen@lab.example"
    )
    assert "Do not send it again" in found["hints"][0]


def test_a_queue_id_that_is_none_of_postfix_stands_apart() -> None:
    found = told(sent("accepted", record(queue_id="1rABCd-0001Xy-2z")))
    assert found["records"][0]["queue_id"] is None
    [entry] = found["untrusted"]
    assert entry["text"] == "1rABCd-0001Xy-2z"
    assert entry["where"].startswith("queue ID")


def test_a_trace_stands_beside_it_and_refs_stay_unique() -> None:
    one = replace(sent("accepted", record(queue_id="not-postfix-1")), planned=1)
    trace = two_hops()
    found = as_json(send_answer(one, MANNER, trace))
    assert found["trace"] == as_json(trace)
    assert found["summary"].endswith(f"Followed: {trace.summary}")
    refs = [entry["ref"] for mail in found["trace"]["traces"] for entry in mail["untrusted"]]
    refs += [entry["ref"] for entry in found["untrusted"]]
    assert len(refs) == len(set(refs)) > 1
    text = send_text(send_answer(one, MANNER, trace))
    assert trace.summary in text
    assert "└─" in text


@pytest.mark.parametrize("poison", [LOUD, QUIET])
def test_what_a_server_says_is_cleaned_and_stands_in_no_trusted_field(poison: str) -> None:
    answer = reply(f"550 5.1.1 {poison}")
    refusal = Refusal(address("carl@lab.example", "to"), answer)
    failure = refused("rcpt", answer)
    records = (record(success=True, queue_id=poison), record("carl@lab.example", False, 550))
    one = sent(
        "partial", *records, refused=(refusal,), failure=failure, warnings=(poison,),
        account=account(poison),
    )  # fmt: skip
    answered = send_answer(one, MANNER)
    found = as_json(answered)
    for text in ("transcript", "untrusted", "warnings"):
        found.pop(text)
    assert MARK not in json.dumps(found)
    for line in send_text(answered).split("\n"):
        assert clean(line, 2000) == line


def test_an_answer_is_never_longer_than_it_may_be() -> None:
    many = tuple(record(f"u{n}@lab.example", message_id=f"{n}@lab.example") for n in range(500))
    one = replace(
        sent("accepted", *many, account=account(*["250 " + "x" * 400] * 200)), planned=500
    )
    manner = replace(MANNER, answer_chars=10_000)
    answer = send_answer(one, manner)
    assert len(answer.model_dump_json()) <= 10_000
    assert "left out" in answer.hints[0]
    beside = send_answer(one, manner, two_hops())
    assert len(beside.model_dump_json(exclude={"trace"})) <= SENT_SHARE * 10_000


def test_a_dry_run_shows_the_mail_and_the_decisions(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "smtp:\n  policy: {recipient_domains: [lab.example], content: text}\n  default: lab\n"
        "  profiles: {lab: {host: 127.0.0.1, port: 1, tls: none, from: me@lab.example}}\n"
    )
    config, state = load(file, {}), State.at(tmp_path / "state")
    manner = Manner(UTC, "UTC")
    asked = SendRequest(to=("a@lab.example",), bcc=("unseen@lab.example",), body="x\u202ey")
    found = as_json(dry_answer(dry_run(config, asked, None, state), manner))
    assert found["outcome"] is None
    assert found["plan"]["allowed"] is True
    assert found["plan"]["recipients"] == ["a@lab.example", "unseen@lab.example"]
    assert found["plan"]["left"] == {"minute": 6, "day": 200}
    assert "To: a@lab.example" in found["plan"]["message"]
    assert not any("unseen@lab.example" in line for line in found["plan"]["message"])
    denied = dry_answer(dry_run(config, replace(asked, to=("a@x.org",)), None, state), manner)
    assert denied.plan is not None
    assert denied.plan.allowed is False
    assert "would be refused, recipient a@x.org" in denied.summary
    assert "NOT ALLOWED" in send_text(denied)
    assert str(Code.NOT_ALLOWED) not in denied.summary
