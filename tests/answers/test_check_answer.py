"""check_hosts as it is answered: the contract, its words, what goes first where not all fits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from mailtrace_mcp.answers import CheckAnswer, as_json
from mailtrace_mcp.answers.checking import check_answer
from mailtrace_mcp.checks.finding import (
    Examined,
    Finding,
    Said,
    Several,
    Sheet,
    aside,
    bad,
    good,
    unknown,
)
from mailtrace_mcp.checks.running import Report
from mailtrace_mcp.views.checks import check_text
from tests.answers.test_poison import LOUD, QUIET, check

LIMIT = 40_000
GOOD = good("reachable", "It answers.")
DENIED = bad("files", "It may not be read.", "Add it to the group.", "FILE_DENIED")
QUIET_LOG = unknown("lines", "Old.", "Look.")
NO_INDEX = aside("index", "There is none.")


def report(*hosts: Examined) -> Report:
    return Report(hosts, (), ())


def host(name: str, *findings: Finding) -> Examined:
    return Examined(name, findings)


# As TOOLS.md writes them; `?` may be left out, all others are always there.
CONTRACT = {
    "CheckAnswer": "summary hosts profiles domains hints untrusted",
    "Examination": "name ok checks",
    "Check": "check ok found advice? code? found_ref?",
    "UntrustedText": "ref where text",
}


@pytest.mark.parametrize(("name", "fields"), CONTRACT.items())
def test_fields_are_those_of_the_contract(name: str, fields: str) -> None:
    whole = CheckAnswer.model_json_schema()
    schema = {**whole.pop("$defs"), "CheckAnswer": whole}[name]
    assert schema["description"]
    assert set(schema["properties"]) == {one.removesuffix("?") for one in fields.split()}
    assert set(schema["required"]) == {one for one in fields.split() if not one.endswith("?")}
    for field, said in schema["properties"].items():
        assert len(said["description"]) > 4, field
        assert "default" not in said


def test_an_answer() -> None:
    found = report(
        host("a", GOOD, NO_INDEX), host("b", GOOD, DENIED, QUIET_LOG), host("c", GOOD, QUIET_LOG)
    )
    answer = check_answer(found, sends=True, limit=LIMIT)
    Draft202012Validator(CheckAnswer.model_json_schema()).validate(as_json(answer))
    assert answer.summary == "Hosts: 1 of 3 ok; not ok: b (files); not certain: c (lines)."
    assert [one.ok for one in answer.hosts] == [True, False, None]
    assert [one.ok for one in answer.hosts[1].checks] == [True, False, None]
    assert as_json(answer)["hosts"][1]["checks"][1] == {
        "check": "files", "ok": False, "found": "It may not be read.", "code": "FILE_DENIED",
        "advice": "Add it to the group.",
    }  # fmt: skip
    text = check_text(answer)
    assert text.startswith(answer.summary)
    assert "Host b: FAILED\n" in text
    assert "FILE_DENIED: It may not be read.\n" in text
    assert "Do: Add it to the group." in text


def test_hints() -> None:
    refused = bad("login", "No.", "Check.", "AUTH_FAILED")
    answer = check_answer(report(host("a", GOOD, refused)), sends=True, limit=LIMIT)
    assert [one[:30] for one in answer.hints] == ["A host that could not be reach"]
    some = (Examined("p", (GOOD,)),)
    [hint] = check_answer(Report((), some, ()), sends=False, limit=LIMIT).hints
    assert "smtp.policy" in hint
    [hint] = check_answer(report(), sends=True, limit=LIMIT).hints
    assert "Name hosts" in hint


def test_a_long_answer_loses_what_matters_least_and_says_so() -> None:
    many = [
        host(f"host{number:03}", replace(GOOD, said=Said("banner", f"{number} " + "x" * 400)), NO_INDEX, *([DENIED] * (number % 50 == 0)))
        for number in range(200)
    ]  # fmt: skip
    lengths = []
    for limit in (200_000, 60_000, 30_000, 18_000, 4_000, 1_000):
        answer = check_answer(report(*many), sends=True, limit=limit)
        assert len(answer.model_dump_json()) <= limit
        assert answer.summary.startswith("Hosts: 196 of 200 ok; not ok: host000 (files), host050")
        assert bool(answer.hints) == (limit < 200_000)
        lengths.append(len(answer.model_dump_json()))
        failed = [one for one in answer.hosts if one.ok is False]
        assert len(failed) == 4
    assert lengths == sorted(lengths, reverse=True)


@pytest.mark.parametrize("poison", [LOUD, QUIET], ids=["loud", "quiet"])
def test_a_strangers_text_stands_among_the_untrusted(poison: str) -> None:
    findings = tuple(replace(one, said=Said("banner", poison)) for one in (GOOD, DENIED, NO_INDEX))
    some = (Examined("one", findings),)
    answer = check_answer(Report(some, some, some), sends=True, limit=LIMIT)
    check(as_json(answer), check_text(answer))
    assert len(answer.untrusted) == 1
    # A profile may be called anything: shown so that it cannot mislead.
    named = check_answer(Report((), (Examined("a\x1b\u202eb\nc", (GOOD,)),), ()), True, LIMIT)
    assert named.profiles[0].name == "a\\u{1b}\\u{202e}b\\u{a}c"


def test_a_sheet_tells_what_was_not_over() -> None:
    first, second = Sheet("a"), Sheet("b")
    both = Several([first, second])
    both.begin("reachable")
    both.add(GOOD)
    both.begin("files", "lines")
    first.add(good("files", "Fine."))
    second.add(good("lines", "Fine."))
    second.add(good("files", "Fine."))
    late = first.closed("Too late.", "HOST_TIMEOUT")
    assert [(one.check, one.state) for one in late.findings] == [
        ("reachable", "good"), ("files", "good"), ("lines", "bad")
    ]  # fmt: skip
    assert late.findings[-1].advice
    assert late.ok is False
    assert [one.check for one in second.closed("Too late.").findings] == [
        "reachable", "files", "lines"
    ]  # fmt: skip
    assert Sheet("c").closed("Too late.").ok is None
