"""What a trace tells: recipients, hops, links, notices, latency, and what is not trusted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from textwrap import dedent
from zoneinfo import ZoneInfo

import pytest

from mailtrace_mcp.answers import Manner, as_json
from mailtrace_mcp.answers.trace_types import Trace
from mailtrace_mcp.answers.tracing import trace_answer
from mailtrace_mcp.trace.graph import trails
from tests.answers.found import FULL, MANNER, READ, TWO_HOPS, all_traced, trace, traced, two_hops
from tests.trace.plain import coverage, graph

HEAD = """
    10:00:00 smtpd[1]: A00001: client=pc.example.net[203.0.113.9]
    10:00:00 cleanup[2]: A00001: message-id=<1@example.net>
    10:00:00 qmgr[3]: A00001: from=<alice@example.net>, size=500, nrcpt={nrcpt} (queue active)
"""
REFUSED = """
    10:00:00 smtpd[1]: connect from unknown[203.0.113.66]
    10:00:00 smtpd[1]: NOQUEUE: reject: RCPT from unknown[203.0.113.66]: 554 5.7.1 <x@example.test>: Relay access denied; from=<s@example.org> to=<x@example.test> proto=ESMTP helo=<evil>
"""


def head(nrcpt: int = 1) -> str:
    return HEAD.format(nrcpt=nrcpt)


def one(text: str, manner: Manner = MANNER) -> Trace:
    [found] = trace(graph(a=text), "a", "A00001", manner).traces
    return found


def test_a_mail_with_two_fates() -> None:
    answer = two_hops()
    assert answer.summary == "1 mail to 2 recipients: 1 sent, 1 bounced, 2 hops, 4.0 s."
    [mail] = answer.traces
    assert (mail.message_id, mail.sender, mail.outcome) == (
        "1@example.net",
        "alice@example.net",
        "mixed",
    )
    assert mail.complete
    assert mail.started == datetime(2026, 11, 21, 10, tzinfo=UTC)
    assert mail.ended == datetime(2026, 11, 21, 10, 0, 4, tzinfo=UTC)
    [sent, bounced] = sorted(mail.recipients, key=lambda end: end.outcome, reverse=True)
    assert (sent.recipient, sent.outcome, sent.end, sent.host, sent.queue_id, sent.dsn) == (
        "bob@example.test", "sent", "mailbox", "b", "B00001", "2.0.0",
    )  # fmt: skip
    assert [(p.host, p.queue_id) for p in sent.path] == [("a", "A00001"), ("b", "B00001")]
    assert sent.relay == "local"
    assert sent.count is None
    assert (bounced.recipient, bounced.outcome, bounced.end) == (
        "who@example.com",
        "bounced",
        "none",
    )
    assert (
        bounced.reason == "refused for good with 550 5.1.1 after RCPT TO: there is no such mailbox"
    )
    texts = {entry.ref: entry.text for entry in mail.untrusted}
    assert bounced.reply_ref is not None
    assert "unknown (in reply to RCPT TO command)" in texts[bounced.reply_ref]


def test_hops_with_their_attempts() -> None:
    [mail] = two_hops().traces
    first = next(hop for hop in mail.hops if hop.queue_id == "A00001")
    assert (first.host, first.label, first.client, first.size, first.nrcpt) == (
        "a", "postfix", "pc.example.net[203.0.113.9]", 500, 2,
    )  # fmt: skip
    assert first.removed is not None
    attempt = first.attempts[0]
    assert (attempt.agent, attempt.relay, attempt.relay_address, attempt.port) == (
        "smtp", "b.example.test", "192.0.2.2", 25,
    )  # fmt: skip
    assert (attempt.dsn, attempt.status) == ("2.0.0", "sent")
    assert attempt.delays is not None
    assert attempt.delays.model_dump() == {
        "before_qmgr": 0.1, "in_qmgr": 0.2, "connection_setup": 0.7, "transmission": 1.0,
    }  # fmt: skip


def test_links_say_how_they_are_known() -> None:
    links = as_json(two_hops())["traces"][0]["links"]
    assert {
        "from": {"host": "a", "queue_id": "A00001"},
        "to": {"host": "b", "queue_id": "B00001"},
        "kind": "relay",
        "evidence": "queued_as",
        "confidence": "proven",
        "attempts": [0],
    } in links


def test_a_bounce_is_a_notice_with_its_own_way_and_no_hop_of_the_mail() -> None:
    [mail] = two_hops().traces
    [notice] = mail.notices
    assert (notice.kind, notice.host, notice.queue_id, notice.to, notice.outcome) == (
        "bounce", "a", "A00002", "alice@example.net", "sent",
    )  # fmt: skip
    assert [(p.host, p.queue_id) for p in notice.path] == [("a", "A00002")]
    assert "A00002" not in {p.queue_id for end in mail.recipients for p in end.path}


def test_time_spent() -> None:
    [mail] = two_hops().traces
    assert mail.latency.total_seconds == 4
    assert mail.latency.slowest is not None
    assert mail.latency.slowest.model_dump() == {
        "host": "a", "phase": "connection_setup", "seconds": 2.0,
    }  # fmt: skip


def test_times_are_in_the_zone_of_the_answer() -> None:
    taipei = replace(MANNER, zone=ZoneInfo("Asia/Taipei"), zone_name="Asia/Taipei")
    answer = as_json(two_hops(taipei))
    assert answer["traces"][0]["started"] == "2026-11-21T18:00:00+08:00"
    assert answer["coverage"]["window"]["zone"] == "Asia/Taipei"


def test_a_mail_refused_before_it_had_a_queue_id() -> None:
    answer = trace(graph(a=REFUSED), "a", None)
    assert answer.summary.startswith(
        "1 mail: rejected for x@example.test (refused at RCPT with 554 5.7.1"
    )
    [mail] = answer.traces
    [hop] = mail.hops
    assert (hop.host, hop.queue_id, hop.client) == ("a", None, "unknown[203.0.113.66]")
    [end] = mail.recipients
    assert (end.outcome, end.queue_id, end.attempts) == ("rejected", None, 0)
    assert end.reply_ref is not None


def test_the_same_refusal_on_a_later_host_is_evidence_and_no_hop() -> None:
    of = graph(
        a=head()
        + "    10:00:02 smtp[4]: A00001: to=<bob@example.test>, relay=b.example.test[192.0.2.2]:25, delay=2, delays=0.1/0.2/0.7/1, dsn=5.1.1, status=bounced (host b.example.test[192.0.2.2] said: 550 5.1.1 <bob@example.test>: no such user (in reply to RCPT TO command))",
        b="    10:00:01 smtpd[1]: NOQUEUE: reject: RCPT from a.example.test[192.0.2.1]: 550 5.1.1 <bob@example.test>: no such user; from=<alice@example.net> to=<bob@example.test> proto=ESMTP helo=<a.example.test>",
    )
    [mail] = trace(of, "a", "A00001").traces
    assert [(hop.host, hop.queue_id) for hop in mail.hops] == [("a", "A00001")]
    [link] = mail.links
    assert (link.kind, link.evidence, link.target, link.refused_by) == (
        "refusal",
        "rejected_as",
        None,
        "b",
    )
    [end] = mail.recipients
    assert end.outcome == "bounced"


def test_recipients_whom_no_line_names_are_counted() -> None:
    mail = one(head(nrcpt=3))
    [end] = mail.recipients
    assert (end.recipient, end.recipient_ref, end.count, end.outcome) == (None, None, 3, "queued")
    assert mail.ended is None
    assert mail.latency.total_seconds is None


def test_an_odd_recipient_is_null_and_stands_among_the_untrusted() -> None:
    mail = one(
        head()
        + '    10:00:02 local[4]: A00001: to=<"john smith"@example.test>, relay=local, delay=2, delays=1/0/0/1, dsn=2.0.0, status=sent (delivered to maildir)'
    )
    [end] = mail.recipients
    assert end.recipient is None
    assert end.count is None
    texts = {entry.ref: entry.text for entry in mail.untrusted}
    assert end.recipient_ref is not None
    assert texts[end.recipient_ref] == '"john smith"@example.test'
    assert mail.hops[0].attempts[0].recipient_ref == end.recipient_ref


def test_an_address_of_the_question_is_shown_as_it_was_asked() -> None:
    asked = replace(MANNER, named=('"John Smith"@example.test',))
    mail = one(
        head()
        + '    10:00:02 local[4]: A00001: to=<"john smith"@example.test>, relay=local, delay=2, delays=1/0/0/1, dsn=2.0.0, status=sent (delivered to maildir)',
        asked,
    )
    assert mail.recipients[0].recipient == '"John Smith"@example.test'


def test_an_alias_keeps_the_sender_of_where_the_mail_came_in() -> None:
    mail = one(
        head()
        + """
    10:00:01 cleanup[2]: A00005: message-id=<1@example.net>
    10:00:01 qmgr[3]: A00005: from=<owner-list@example.test>, size=600, nrcpt=1 (queue active)
    10:00:01 local[4]: A00001: to=<list@example.test>, relay=local, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (forwarded as A00005)
    10:00:02 local[4]: A00005: to=<bob@example.test>, relay=local, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (delivered to maildir)
    """
    )
    assert mail.sender == "alice@example.net"
    [end] = mail.recipients
    assert (end.original_recipient, end.recipient) == ("list@example.test", "bob@example.test")


RETRIED = """
    10:00:02 smtp[4]: A00001: to=<p@example.org>, relay=gray.example.org[198.51.100.9]:25, delay=2, delays=0.1/0.2/0.7/1, dsn=4.2.0, status=deferred (host gray.example.org[198.51.100.9] said: 450 4.2.0 later)
    10:05:02 smtp[4]: A00001: to=<p@example.org>, relay=gray.example.org[198.51.100.9]:25, delay=302, delays=300/0.2/0.7/1, dsn={dsn}, status={status} ({reply})
"""


def test_waits_between_attempts_are_retries() -> None:
    mail = one(head() + RETRIED.format(dsn="2.0.0", status="sent", reply="250 OK"))
    assert mail.recipients[0].attempts == 2
    assert mail.latency.total_seconds == 302
    assert mail.latency.slowest is not None
    assert (mail.latency.slowest.phase, mail.latency.slowest.seconds) == ("retries", 299.9)


def test_a_deferred_mail_is_open_and_has_a_next_try() -> None:
    text = head() + RETRIED.format(
        dsn="4.2.0",
        status="deferred",
        reply="host gray.example.org[198.51.100.9] said: 450 4.2.0 later",
    )
    [mail] = trace(graph(a=text), "a", "A00001").traces
    assert (mail.outcome, mail.ended) == ("deferred", None)
    assert mail.recipients[0].next_retry == datetime(2026, 11, 21, 10, 10, 4, tzinfo=UTC)


def test_steps_before_an_attempt_name_the_server_and_keep_its_words_apart() -> None:
    mail = one(
        head()
        + """
    10:00:01 smtp[4]: connect to mx1.example.com[198.51.100.1]:25: Connection refused
    10:00:02 smtp[4]: A00001: to=<p@example.com>, relay=mx2.example.com[198.51.100.2]:25, delay=2, delays=0.1/0.2/0.7/1, dsn=2.0.0, status=sent (250 OK)
    """
    )
    [step] = mail.hops[0].attempts[0].steps or ()
    assert (step.relay, step.relay_address, step.port) == ("mx1.example.com", "198.51.100.1", 25)
    assert "refused" in next(e.text for e in mail.untrusted if e.ref == step.text_ref)


def test_detail_full_adds_lines_and_every_reply() -> None:
    [short], [full] = two_hops().traces, two_hops(FULL).traces
    assert not [e for e in short.untrusted if e.where.startswith("line")]
    lines = [e.text for e in full.untrusted if e.where == "line, b B00001"]
    assert len(lines) == 5
    assert any("queued as B00001" in e.text for e in full.untrusted if e.where.startswith("reply"))


@pytest.mark.parametrize("drawing", ["none", "text", "mermaid", "dot"])
def test_the_drawing_asked_for(drawing: str) -> None:
    [mail] = two_hops(replace(MANNER, drawing=drawing)).traces  # type: ignore[arg-type]
    starts = {"none": None, "text": "a A00001", "mermaid": "flowchart LR", "dot": "digraph"}
    start = starts[drawing]
    assert (mail.graph is None) if start is None else (mail.graph or "").startswith(start)
    assert ("graph" in as_json(mail)) is (start is not None)


def test_several_mails_and_those_that_the_limit_left_out() -> None:
    mails = all_traced(graph(a=dedent(TWO_HOPS["a"]) + dedent(REFUSED), b=TWO_HOPS["b"]))
    answer = trace_answer(mails, READ, MANNER, matched=7)
    assert answer.matched == 7
    assert answer.summary == "7 mails: 1 rejected, 1 mixed among the 2 traced."
    assert any("7 mails match, traced: 2" in hint for hint in answer.hints)


def test_nothing_found_says_why_that_may_be() -> None:
    answer = trace_answer([], READ, MANNER)
    assert answer.summary.startswith(
        "Nothing found on 2 hosts between 2026-11-21 00:00:00 and 2026-11-22"
    )
    said = " ".join(answer.hints)
    for word in (
        "rotated away",
        "Widen time_range",
        "refused before it had a queue ID",
        "never sent",
    ):
        assert word in said


def test_nothing_found_while_a_host_is_down_is_unknown() -> None:
    down = coverage("a", b="unreachable")
    answer = trace_answer([], down, MANNER)
    assert answer.summary.startswith("Unknown: nothing was found")
    assert answer.summary.endswith("but b could not be read.")
    assert not answer.coverage.complete


def test_a_lost_trail_says_so_in_the_first_sentence() -> None:
    of = graph(a=TWO_HOPS["a"])
    read = coverage("a", b="unreachable")
    [trail] = trails(of, [next(key for key in of.transactions if key.queue_id == "A00001")])
    answer = trace_answer([traced(trail, read, complete=False)], read, MANNER)
    assert (
        answer.summary
        == "1 mail to 2 recipients: 1 bounced, 1 unknown, 1 hop; b could not be read."
    )
    end = next(end for end in answer.traces[0].recipients if end.outcome == "unknown")
    assert end.reason == "b took it, and its log could not be read"


def test_notes_come_first_among_the_hints() -> None:
    answer = trace_answer([], READ, MANNER, notes=["The time lies in the future."])
    assert answer.hints[0] == "The time lies in the future."


def test_skew_is_told_between_hosts_of_the_mail() -> None:
    late = TWO_HOPS["b"].replace("10:00:0", "10:09:0")
    [mail] = trace(graph(a=TWO_HOPS["a"], b=late), "a", "A00001").traces
    [skew] = mail.latency.skew
    assert (skew.source, skew.target) == ("a", "b")
    assert skew.seconds[0] > 500
    assert mail.latency.total_seconds is not None
    assert mail.latency.total_seconds < 10


def test_a_mail_whose_way_was_not_found_whole_says_so_although_all_hosts_were_read() -> None:
    of = graph(**TWO_HOPS)
    [trail] = trails(of, [next(iter(of.transactions))])
    told = trace_answer([traced(trail, complete=False)], READ, MANNER)
    assert told.summary.endswith("2 hops, 4.0 s; not all of its way was found.")


def test_a_complete_mail_needs_no_word_about_a_host_that_was_not_read() -> None:
    read = coverage("a", "b", c="unreachable")
    answer = trace(graph(**TWO_HOPS), "a", "A00001", MANNER, read)
    assert "could not be read" not in answer.summary + " ".join(answer.hints)
    assert not answer.coverage.complete
