"""What a listing tells of each mail on each host."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from textwrap import dedent

from mailtrace_mcp.answers import FoundMail, QueryAnswer
from mailtrace_mcp.answers.listing import query_answer
from mailtrace_mcp.trace.transactions import Key
from tests.answers.found import FULL, MANNER, READ, TWO_HOPS, all_traced, listed
from tests.answers.test_trace_answer import REFUSED, head
from tests.trace.plain import coverage, graph


def found() -> list[FoundMail]:
    mails = []
    for mail in all_traced(graph(**TWO_HOPS)):
        for life in mail.trail.transactions:
            ends = tuple(one for one in mail.endings if life.key in one.path)
            mails.append(FoundMail(life, ends))
    return mails


def test_a_row_for_each_mail_on_each_host() -> None:
    answer = listed(graph(**TWO_HOPS))
    assert answer.queue_ids == ("A00001", "B00001", "A00002")
    first = answer.mails[0]
    assert (first.host, first.queue_id, first.sender, first.message_id, first.size) == (
        "a", "A00001", "alice@example.net", "1@example.net", 500,
    )  # fmt: skip
    assert first.first_seen == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert first.last_seen == datetime(2026, 11, 21, 10, 0, 3, tzinfo=UTC)
    assert first.lines == 7
    told = {(one.recipient, one.outcome, one.dsn) for one in first.recipients}
    assert told == {
        ("bob@example.test", "sent", "2.0.0"),
        ("who@example.com", "bounced", "5.1.1"),
    }


def test_the_words_of_a_failure_stand_among_the_untrusted() -> None:
    first = listed(graph(**TWO_HOPS)).mails[0]
    [entry] = first.untrusted
    assert entry.where == "reply, to a A00001"
    assert entry.text.startswith("host mx.example.com[198.51.100.7] said: 550")


def test_detail_full_adds_the_lines() -> None:
    first = listed(graph(**TWO_HOPS), FULL).mails[0]
    assert sum(one.where == "line, a A00001" for one in first.untrusted) == 7


def test_a_mail_without_a_queue_id_is_listed_and_has_none_to_trace() -> None:
    answer = listed(graph(a=REFUSED))
    [mail] = answer.mails
    assert mail.queue_id is None
    assert answer.queue_ids == ()
    assert [(one.recipient, one.outcome) for one in mail.recipients] == [
        ("x@example.test", "rejected")
    ]
    assert any("Relay access denied" in one.text for one in mail.untrusted)


def test_recipients_whom_no_line_names_are_counted() -> None:
    [mail] = listed(graph(a=head(nrcpt=4))).mails
    [one] = mail.recipients
    assert (one.recipient, one.count, one.outcome) == (None, 4, "queued")


def test_groups_count_each_end_once_however_many_hosts_it_passed() -> None:
    answer = listed(graph(a=dedent(TWO_HOPS["a"]) + dedent(REFUSED), b=TWO_HOPS["b"]))
    assert answer.groups is not None
    told = {(one.outcome, one.relay): one.count for one in answer.groups}
    assert told == {
        ("sent", "local"): 1,
        ("bounced", "mx.example.com"): 1,
        ("rejected", None): 1,
    }


def test_groups_are_of_the_page_where_not_all_were_followed() -> None:
    mails = found()
    answer = query_answer(mails, [FoundMail(one.life, ()) for one in mails], READ, MANNER)
    assert answer.groups is not None
    assert {one.outcome for one in answer.groups} == {"sent", "bounced"}


def test_one_mail_needs_no_groups() -> None:
    assert listed(graph(a=head())).groups is None


def test_summary_and_next_page() -> None:
    mails = found()
    answer = query_answer(mails[:1], mails, READ, MANNER, next_cursor="c1")
    assert answer.summary == "3 mails, 1 shown; recipients of those shown: 1 sent, 1 bounced."
    assert answer.next_cursor == "c1"
    assert any("next_cursor" in hint for hint in answer.hints)


def test_a_page_cut_for_its_length_goes_on_behind_what_it_shows() -> None:
    mails = found() * 60
    tight = replace(MANNER, answer_chars=20_000)

    def after(shown: object) -> str:
        return f"after {len(shown)}"  # type: ignore[arg-type]

    cut = query_answer(mails, mails, READ, tight, next_cursor="end", cursor_after=after)
    assert len(cut.model_dump_json()) <= 20_000
    assert 1 <= len(cut.mails) < len(mails)
    assert cut.next_cursor == f"after {len(cut.mails)}"
    assert query_answer(mails, mails, READ, tight, next_cursor="end").next_cursor is None


def test_nothing_found() -> None:
    answer = query_answer([], [], coverage("a", b="denied"), MANNER)
    assert isinstance(answer, QueryAnswer)
    assert answer.summary.endswith("but b may not be read.")
    assert answer.matched == 0
    assert not any("never sent" in hint for hint in answer.hints)  # b may know better
    whole = query_answer([], [], coverage("a", "b"), MANNER)
    assert any("never sent" in hint for hint in whole.hints)


def test_keys_are_told_apart_by_generation() -> None:
    again = (
        dedent(head())
        + "10:00:01 qmgr[3]: A00001: removed\n"
        + dedent(head()).replace("10:00", "10:30")
    )
    of = graph(a=again)
    assert list(of.transactions) == [Key("a", "A00001", 1), Key("a", "A00001", 2)]
    assert listed(of).queue_ids == ("A00001",)
