"""An answer is never longer than it may be, and says what it left out."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent

import pytest

from mailtrace_mcp.answers import TraceAnswer
from mailtrace_mcp.answers.tracing import trace_answer
from mailtrace_mcp.trace.coverage import Coverage, HostCoverage
from mailtrace_mcp.views.text import trace_text
from tests.answers.found import FULL, READ, all_traced, trace
from tests.answers.test_trace_answer import head
from tests.trace.plain import DAY, graph

MANY = dedent(head(nrcpt=300)) + "\n".join(
    f"10:00:02 smtp[4]: A00001: to=<user{n}@example.com>, relay=mx{n}.example.com[198.51.100.7]:25, delay=2, delays=0.1/0.2/0.7/1, dsn=2.0.0, status=sent (250 OK id={n})"
    for n in range(300)
)


def cut(limit: int, manner_text: str = MANY) -> TraceAnswer:
    answer = trace(graph(a=manner_text), "a", "A00001", replace(FULL, answer_chars=limit))
    assert len(answer.model_dump_json()) <= limit
    return answer


def hint(answer: TraceAnswer) -> str:
    return answer.hints[0]


def test_what_fits_is_whole() -> None:
    answer = cut(1_000_000)
    assert answer.traces[0].graph is not None
    assert not any("left out" in one for one in answer.hints)


def test_the_drawing_and_untrusted_text_go_first() -> None:
    whole = len(cut(1_000_000).model_dump_json())
    answer = cut(whole - 1)
    assert answer.traces[0].graph is None
    assert answer.traces[0].untrusted
    answer = cut(190_000)
    assert answer.traces[0].untrusted == ()
    assert "the drawing, raw lines, untrusted text" in hint(answer)
    assert len(answer.traces[0].recipients) == 300
    assert "_ref" not in answer.model_dump_json()


def test_then_attempts_hops_and_recipients() -> None:
    answer = cut(100_000)
    assert answer.traces[0].hops[0].attempts == ()
    assert "attempts" in hint(answer)
    answer = cut(10_000)
    [mail] = answer.traces
    assert mail.hops == ()
    assert 0 < len(mail.recipients) < 300
    assert f"all recipients of a mail but the first {len(mail.recipients)}" in hint(answer)
    assert hint(answer).count("all recipients") == 1


def test_of_several_mails_the_last_go() -> None:
    several = "\n".join(dedent(head()).replace("A00001", f"A{n:05X}") for n in range(1, 21))
    mails = all_traced(graph(a=several.replace("<1@", "<").replace("<example", "<x@example")))
    whole = trace_answer(mails, READ, FULL)
    limit = len(whole.model_dump_json()) // 4
    answer = trace_answer(mails, READ, replace(FULL, answer_chars=limit))
    assert len(answer.model_dump_json()) <= limit
    assert 1 <= len(answer.traces) < 20
    assert answer.matched == 20
    assert f"all mails but the first {len(answer.traces)}" in hint(answer)


def test_file_names_are_given_up_before_mails() -> None:
    files = tuple(f"/var/log/mail.log.{n}.gz" for n in range(500))
    read = Coverage(DAY, (HostCoverage("a", "read", files), HostCoverage("b", "read")))
    answer = trace(graph(a=head()), "a", "A00001", replace(FULL, answer_chars=5000), read)
    assert answer.coverage.hosts[0].files == ()
    assert len(answer.traces) == 1


@pytest.mark.parametrize("limit", [1000, 1500, 3000])
def test_the_smallest_limit_that_can_be_configured_gives_an_answer(limit: int) -> None:
    answer = trace(graph(a=MANY), "a", "A00001", replace(FULL, answer_chars=limit))
    assert answer.summary.startswith("1 mail to 300 recipients: 300 sent")
    assert len(answer.traces) == 1


def test_the_text_is_no_longer_than_the_answer_may_be() -> None:
    for limit in (10_000, 40_000, 100_000):
        assert len(trace_text(cut(limit))) <= limit
