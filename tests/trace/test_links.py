"""What follows what, and how it is known; and what must not be linked."""

from __future__ import annotations

import pytest

from mailtrace_mcp.trace.graph import Graph
from tests.trace.plain import Table, ends, graph, told

B = "relay=b.example.test[192.0.2.2]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent"
FROM_A = "client=a.example.test[192.0.2.1]"


def links(of: Graph) -> list[tuple[str, str | None, str, str, str]]:
    return [
        (
            link.source.queue_id or "-",
            link.target.queue_id if link.target else None,
            link.kind,
            link.evidence,
            link.confidence,
        )
        for link in of.links.all
    ]


def sent(
    to: str = "bob@example.com",
    reply: str = "250 2.0.0 Ok: queued as 4BBBBBBBBB",
    at: str = "10:00:02",
) -> str:
    return f"""
        10:00:00 smtpd[1]: 4AAAAAAAAA: client=pc.example.net[192.0.2.99]
        10:00:00 cleanup[2]: 4AAAAAAAAA: message-id=<m@example.net>
        10:00:00 qmgr[3]: 4AAAAAAAAA: from=<s@example.net>, size=9, nrcpt=1 (queue active)
        {at} smtp[4]: 4AAAAAAAAA: to=<{to}>, {B} ({reply})
        {at} qmgr[3]: 4AAAAAAAAA: removed
        """


def arrives(
    client: str = FROM_A,
    message_id: str = "<m@example.net>",
    at: str = "10:00:01",
    sender: str = "s@example.net",
) -> str:
    return f"""
        {at} smtpd[1]: 4BBBBBBBBB: {client}
        {at} cleanup[2]: 4BBBBBBBBB: message-id={message_id}
        {at} qmgr[3]: 4BBBBBBBBB: from=<{sender}>, size=9, nrcpt=1 (queue active)
        {at} local[5]: 4BBBBBBBBB: to=<bob@example.com>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to maildir)
        {at} qmgr[3]: 4BBBBBBBBB: removed
        """


def test_queued_as_is_proven_when_the_target_is_seen_with_the_same_message_id() -> None:
    found = graph(a=sent(), b=arrives())
    assert links(found) == [("4AAAAAAAAA", "4BBBBBBBBB", "relay", "queued_as", "proven")]
    assert told(ends(found, "a", "4AAAAAAAAA")) == [
        ("bob@example.com", "sent", "mailbox", "a/4AAAAAAAAA b/4BBBBBBBBB")
    ]


def test_the_trail_is_the_same_from_its_other_end() -> None:
    found = graph(a=sent(), b=arrives())
    assert ends(found, "b", "4BBBBBBBBB") == ends(found, "a", "4AAAAAAAAA")


def test_the_same_queue_id_on_another_host_is_not_the_target_of_a_reply() -> None:
    found = graph(
        a=sent() + arrives(client="client=x.example.net[192.0.2.50]", message_id="<x@y.example>")
    )
    assert told(ends(found, "a", "4AAAAAAAAA")) == [
        ("bob@example.com", "unknown", "none", "a/4AAAAAAAAA")
    ]


def test_a_target_with_another_message_id_and_another_client_is_another_mail() -> None:
    stranger = arrives(
        client="client=x.example.net[192.0.2.50]",
        message_id="<other@example.net>",
        sender="z@example.net",
    )
    found = graph(a=sent(), b=stranger)
    assert told(ends(found, "a", "4AAAAAAAAA"))[0][1] == "unknown"


def test_a_server_that_is_not_ours_is_the_end_whatever_its_reply_names() -> None:
    outside = sent().replace("b.example.test[192.0.2.2]", "mx.example.org[198.51.100.7]")
    found = graph(
        a=outside,
        b=arrives(client="client=x.example.net[192.0.2.50]", message_id="<other@example.net>"),
    )
    assert told(ends(found, "a", "4AAAAAAAAA")) == [
        ("bob@example.com", "sent", "outside", "a/4AAAAAAAAA")
    ]


def test_a_name_whose_first_label_is_a_host_of_ours_is_not_ours() -> None:
    found = graph(a=sent().replace("b.example.test[192.0.2.2]", "b.evil.test[198.51.100.7]"))
    assert told(ends(found, "a", "4AAAAAAAAA"))[0][1:3] == ("sent", "outside")


def test_a_cluster_alias_may_be_any_of_its_hosts() -> None:
    balanced = sent().replace("b.example.test[192.0.2.2]", "mx.example.test[192.0.2.200]")
    found = graph(a=balanced, b=arrives())
    assert links(found)[0][3:] == ("queued_as", "proven")


def test_two_generations_of_the_named_id_the_nearest_in_time_is_meant() -> None:
    earlier = arrives(
        at="08:00:00", message_id="<old@example.net>", client="client=x.example.net[192.0.2.50]"
    )
    found = graph(a=sent(), b=earlier + arrives())
    [link] = found.links.all
    assert link.target is not None
    assert link.target.generation == 2


def test_no_id_in_the_reply_message_id_client_and_time_make_it_likely() -> None:
    found = graph(a=sent(reply="250 ok"), b=arrives())
    assert links(found) == [("4AAAAAAAAA", "4BBBBBBBBB", "relay", "message_id+client", "likely")]


@pytest.mark.parametrize("at", ["09:59:00", "10:00:30"])
def test_no_id_in_the_reply_and_another_time_is_at_most_possible(at: str) -> None:
    found = graph(a=sent(reply="250 ok"), b=arrives(at=at))
    assert [link for link in links(found) if link[4] != "possible"] == []
    assert told(ends(found, "a", "4AAAAAAAAA"))[0][1] == "unknown"


def test_two_that_fit_are_candidates_and_none_is_chosen() -> None:
    twin = arrives().replace("4BBBBBBBBB", "4CCCCCCCCC")
    found = graph(a=sent(reply="250 ok"), b=arrives() + twin)
    [link] = found.links.all
    assert link.target is None
    assert {key.queue_id for key in link.candidates} == {"4BBBBBBBBB", "4CCCCCCCCC"}
    assert told(ends(found, "a", "4AAAAAAAAA"))[0][1] == "unknown"


def test_an_empty_message_id_joins_nothing() -> None:
    found = graph(
        a=sent(reply="250 ok").replace("<m@example.net>", "<>"),
        b=arrives(message_id="<>"),
    )
    assert links(found) == []


def test_xforward_names_an_ancestor_when_nothing_nearer_is_known() -> None:
    filtered = sent(reply="250 ok").replace(
        "b.example.test[192.0.2.2]:25", "127.0.0.1[127.0.0.1]:10024"
    )
    back = arrives(
        client="client=localhost[127.0.0.1], orig_queue_id=4AAAAAAAAA, orig_client=pc.example.net[192.0.2.99]",
        message_id="<changed@example.net>",
    )
    found = graph(a=filtered + back)
    assert links(found) == [("4AAAAAAAAA", "4BBBBBBBBB", "reinject", "orig_queue_id", "proven")]


def test_no_second_edge_past_the_nearer_parent() -> None:
    filtered = sent().replace("b.example.test[192.0.2.2]:25", "127.0.0.1[127.0.0.1]:10024")
    back = arrives(
        client="client=localhost[127.0.0.1], orig_queue_id=4AAAAAAAAA, orig_client=pc.example.net[192.0.2.99]"
    )
    found = graph(a=filtered + back)
    assert links(found) == [("4AAAAAAAAA", "4BBBBBBBBB", "reinject", "queued_as", "proven")]


def test_a_reject_by_a_later_host_of_ours_is_the_other_side_of_the_attempt() -> None:
    bounced = """
        10:00:00 smtpd[1]: 4AAAAAAAAA: client=pc.example.net[192.0.2.99]
        10:00:00 qmgr[3]: 4AAAAAAAAA: from=<s@example.net>, size=9, nrcpt=1 (queue active)
        10:00:02 smtp[4]: 4AAAAAAAAA: to=<no@example.com>, relay=b.example.test[192.0.2.2]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host b.example.test[192.0.2.2] said: 550 5.1.1 <no@example.com>: unknown (in reply to RCPT TO command))
        """
    refused = "10:00:02 smtpd[1]: NOQUEUE: reject: RCPT from a.example.test[192.0.2.1]: 550 5.1.1 <no@example.com>: unknown; from=<s@example.net> to=<no@example.com> proto=ESMTP helo=<a>"
    found = graph(a=bounced, b=refused)
    assert links(found) == [("4AAAAAAAAA", None, "refusal", "rejected_as", "proven")]
    assert told(ends(found, "a", "4AAAAAAAAA")) == [
        ("no@example.com", "bounced", "none", "a/4AAAAAAAAA")
    ]


def test_a_reject_of_another_code_is_another_event() -> None:
    found = graph(
        a="""
        10:00:00 smtpd[1]: 4AAAAAAAAA: client=pc.example.net[192.0.2.99]
        10:00:02 smtp[4]: 4AAAAAAAAA: to=<no@example.com>, relay=b.example.test[192.0.2.2]:25, delay=1, delays=0/0/0/1, dsn=5.1.1, status=bounced (host b.example.test[192.0.2.2] said: 550 5.1.1 no (in reply to RCPT TO command))
        """,
        b="10:00:02 smtpd[1]: NOQUEUE: reject: RCPT from a.example.test[192.0.2.1]: 450 4.7.1 <no@example.com>: later; from=<s@example.net> to=<no@example.com> proto=ESMTP helo=<a>",
    )
    assert links(found) == []


def test_a_command_that_gives_the_mail_back_is_a_resubmission() -> None:
    listed = """
        10:00:00 smtpd[1]: 4AAAAAAAAA: client=pc.example.net[192.0.2.99]
        10:00:00 cleanup[2]: 4AAAAAAAAA: message-id=<m@example.net>
        10:00:02 local[4]: 4AAAAAAAAA: to=<list@example.com>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to command: /usr/lib/mailman post list)
        10:00:03 pickup[6]: 4CCCCCCCCC: uid=38 from=<list-bounces>
        10:00:03 cleanup[2]: 4CCCCCCCCC: message-id=<m@example.net>
        10:00:03 qmgr[3]: 4CCCCCCCCC: from=<list-bounces@example.com>, size=9, nrcpt=2 (queue active)
        10:00:04 local[4]: 4CCCCCCCCC: to=<x@example.com>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to mailbox)
        10:00:04 local[4]: 4CCCCCCCCC: to=<y@example.com>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to mailbox)
        """
    found = graph(a=listed)
    assert links(found) == [("4AAAAAAAAA", "4CCCCCCCCC", "expand", "resubmission", "likely")]
    assert [(one.original_recipient, one.recipient) for one in ends(found, "a", "4AAAAAAAAA")] == [
        ("list@example.com", "x@example.com"),
        ("list@example.com", "y@example.com"),
    ]


def test_a_clock_that_is_an_hour_off_is_told_as_a_span_and_does_not_hide_the_next_hop() -> None:
    found = graph(a=sent(), b=arrives(at="10:40:01"))
    [(first, second, span)] = found.links.skews.told()
    assert (first, second) == ("a", "b")
    assert 2390 <= span.low.total_seconds() <= span.high.total_seconds() <= 2410


def test_a_clock_that_is_right_is_not_told() -> None:
    assert list(graph(a=sent(), b=arrives()).links.skews.told()) == []


def test_a_named_id_on_a_host_of_ours_that_no_line_shows_claims_nothing() -> None:
    found = graph(Table({"192.0.2.2": "b"}), a=sent())
    [link] = found.links.all
    assert (link.target, link.named, link.confidence) == (None, "4BBBBBBBBB", "likely")
