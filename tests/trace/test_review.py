"""Wrong answers that a reader of the rules found: each as the lines that showed it."""

from __future__ import annotations

import pytest

from mailtrace_mcp.trace.collate import collate
from mailtrace_mcp.trace.graph import Trail, trails
from mailtrace_mcp.trace.matching import Keyword, classify, matches
from mailtrace_mcp.trace.outcomes import endings
from mailtrace_mcp.trace.recipients import is_probe
from tests.trace.plain import coverage, ends, entries, graph, told

ARRIVED = """
    10:00:00 smtpd[1]: 4AAAAAAAAA: client=pc.example.net[192.0.2.99]
    10:00:00 cleanup[2]: 4AAAAAAAAA: message-id=<m@example.net>
    10:00:00 qmgr[3]: 4AAAAAAAAA: from=<s@example.net>, size=9, nrcpt=1 (queue active)
"""
TO_B = "relay=b.example.test[192.0.2.2]:25, delay=1, delays=0.1/0/0.4/0.5, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4BBBBBBBBB)"
STRANGER = """
    10:40:00 smtpd[1]: 4BBBBBBBBB: client={client}
    10:40:00 cleanup[2]: 4BBBBBBBBB: message-id=<other@example.net>
    10:40:00 qmgr[3]: 4BBBBBBBBB: from=<t@example.net>, size=9, nrcpt=1 (queue active)
    10:40:01 local[5]: 4BBBBBBBBB: to=<other@example.com>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to mailbox)
"""


def after(*lines: str) -> str:
    return ARRIVED + "\n".join(lines)


def outcome(text: str, queue_id: str = "4AAAAAAAAA", **other: str) -> list[tuple[str | None, str]]:
    return [(one[0], one[1]) for one in told(ends(graph(a=text, **other), "a", queue_id))]


def test_a_named_id_with_another_message_id_is_another_mail_though_it_came_from_here() -> None:
    text = after(f"10:00:01 smtp[4]: 4AAAAAAAAA: to=<r@example.com>, {TO_B}")
    found = outcome(text, b=STRANGER.format(client="a.example.test[192.0.2.1]"))
    assert found == [("r@example.com", "unknown")]


def test_a_foreign_reply_does_not_name_a_mail_that_came_before() -> None:
    foreign = TO_B.replace("b.example.test[192.0.2.2]", "x.evil.test[203.0.113.66]")
    earlier = """
        09:20:00 smtpd[1]: 4BBBBBBBBB: client=other.example.net[198.51.100.3]
        09:20:00 cleanup[2]: 4BBBBBBBBB: message-id=<m@example.net>
        09:20:01 local[5]: 4BBBBBBBBB: to=<r@example.com>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to mailbox)
        """
    found = graph(
        a=after(f"10:00:01 smtp[4]: 4AAAAAAAAA: to=<r@example.com>, {foreign}"), b=earlier
    )
    assert found.links.all == []


@pytest.mark.parametrize(
    "naming",
    [
        "10:00:01 local[4]: 4AAAAAAAAA: to=<r@example.com>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (forwarded as 4BBBBBBBBB)",
        "10:00:01 bounce[7]: 4AAAAAAAAA: sender non-delivery notification: 4BBBBBBBBB",
    ],
)
def test_what_this_host_made_is_not_a_later_mail_of_a_stranger(naming: str) -> None:
    found = graph(a=after(naming) + STRANGER.format(client="x.example.net[192.0.2.50]"))
    assert [link for link in found.links.all if link.target is not None] == []


def test_a_bulk_deletion_makes_what_was_in_the_queue_unknown() -> None:
    put_off = "10:00:01 smtp[4]: 4AAAAAAAAA: to=<r@example.com>, relay=none, delay=1, delays=0/0/1/0, dsn=4.4.1, status=deferred (x)"
    assert outcome(after(put_off, "10:10:00 postsuper[9]: Deleted: 7 messages")) == [
        ("r@example.com", "unknown")
    ]
    another = (
        "10:10:00 postsuper[9]: 4CCCCCCCCC: removed",
        "10:10:00 postsuper[9]: Deleted: 1 message",
    )
    assert outcome(after(put_off, *another)) == [("r@example.com", "deferred")]


def test_two_instances_that_use_one_queue_id_at_once_are_two_mails() -> None:
    def lines(root: str, second: int, who: str) -> list[str]:
        return [
            f"Nov 21 10:00:0{second} a {root}/smtpd[1]: 4AAAAAAAAA: client=pc.example.net[192.0.2.99]",
            f"Nov 21 10:00:0{second} a {root}/cleanup[2]: 4AAAAAAAAA: message-id=<{who}@example.net>",
            f"Nov 21 10:00:0{second} a {root}/qmgr[3]: 4AAAAAAAAA: from=<s@example.net>, size=9, nrcpt=1 (queue active)",
        ]

    from mailtrace_parsers.read import read
    from tests.trace.plain import CLOCK

    raw = [*lines("postfix", 0, "one"), *lines("postfix-out", 0, "two")]
    found = collate(read(line.encode(), CLOCK, host="a", order=n) for n, line in enumerate(raw))
    assert {life.message_id for life in found.transactions} == {
        "one@example.net",
        "two@example.net",
    }


def test_a_client_line_after_a_mail_made_here_begins_another() -> None:
    text = """
        09:30:00 cleanup[2]: 4AAAAAAAAA: message-id=<made@example.net>
        09:30:00 qmgr[3]: 4AAAAAAAAA: from=<>, size=9, nrcpt=1 (queue active)
        """
    found = collate(entries("a", text.strip() + "\n" + ARRIVED.strip()))
    assert [life.message_id for life in found.transactions] == ["made@example.net", "m@example.net"]


def test_an_added_recipient_does_not_take_the_name_of_a_lost_one() -> None:
    two = ARRIVED.replace("nrcpt=1", "nrcpt=2") + "\n".join(
        f"10:00:01 smtp[4]: 4AAAAAAAAA: to=<{name}@example.com>, {TO_B}" for name in ("r1", "r2")
    )
    there = """
        10:00:00 smtpd[1]: 4BBBBBBBBB: client=a.example.test[192.0.2.1]
        10:00:00 cleanup[2]: 4BBBBBBBBB: message-id=<m@example.net>
        10:00:00 qmgr[3]: 4BBBBBBBBB: from=<s@example.net>, size=9, nrcpt=3 (queue active)
        10:00:01 local[5]: 4BBBBBBBBB: to=<r1@example.com>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to mailbox)
        10:00:01 local[5]: 4BBBBBBBBB: to=<archive@example.com>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to mailbox)
        """
    found = {one.recipient: one for one in ends(graph(a=two, b=there), "a", "4AAAAAAAAA")}
    assert found["archive@example.com"].added_by == "b"
    assert found["r2@example.com"].outcome == "queued"


def test_two_mails_refused_alike_stay_two() -> None:
    def mail(queue_id: str, sender: str) -> str:
        return f"""
        10:00:00 smtpd[1]: {queue_id}: client=pc.example.net[192.0.2.99]
        10:00:00 qmgr[3]: {queue_id}: from=<{sender}@example.net>, size=9, nrcpt=1 (queue active)
        10:00:01 smtp[4]: {queue_id}: to=<r@example.com>, relay=b.example.test[192.0.2.2]:25, delay=1, delays=0/0/0/1, dsn=4.2.0, status=deferred (host b.example.test[192.0.2.2] said: 450 4.2.0 later (in reply to RCPT TO command))
        """

    refusal = "10:00:01 smtpd[1]: NOQUEUE: reject: RCPT from a.example.test[192.0.2.1]: 450 4.2.0 <r@example.com>: later; from=<{0}@example.net> to=<r@example.com> proto=ESMTP helo=<a>"
    found = graph(
        a=(mail("4AAAAAAAAA", "s1") + mail("4CCCCCCCCC", "s2")),
        b="\n".join([refusal.format("s1"), refusal.format("s2")]),
    )
    keys = [key for key in found.transactions if key.host == "a"]
    whole: list[Trail] = trails(found, keys)
    assert [len(endings(one, coverage("a", "b"))) for one in whole] == [1, 1]
    assert len([link for link in found.links.all if link.kind == "refusal"]) == 2


def test_lmtp_to_a_filter_that_names_a_queue_id_is_a_step() -> None:
    filtered = "10:00:01 lmtp[4]: 4AAAAAAAAA: to=<r@example.com>, relay=amavis.example.net[10.9.9.9]:10024, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 4EEEEEEEEE)"
    assert outcome(after(filtered)) == [("r@example.com", "unknown")]


def test_one_arrival_that_two_mails_fit_is_given_to_none() -> None:
    def mail(queue_id: str) -> str:
        text = ARRIVED.replace("4AAAAAAAAA", queue_id)
        return (
            text
            + f"10:00:01 smtp[4]: {queue_id}: to=<r@example.com>, {TO_B.replace('Ok: queued as 4BBBBBBBBB', 'Ok')}\n"
        )

    arrival = """
        10:00:01 smtpd[1]: 4BBBBBBBBB: client=a.example.test[192.0.2.1]
        10:00:01 cleanup[2]: 4BBBBBBBBB: message-id=<m@example.net>
        """
    found = graph(a=mail("4AAAAAAAAA") + mail("4CCCCCCCCC"), b=arrival)
    assert [link.target for link in found.links.all if link.confidence != "possible"] == []


def test_a_probe_is_no_mail() -> None:
    probe = "10:00:01 smtp[4]: 4AAAAAAAAA: to=<r@example.com>, relay=b.example.test[192.0.2.2]:25, delay=1, delays=0/0/0/1, dsn=2.1.5, status=deliverable (250 2.1.5 Ok)"
    [life] = collate(entries("a", after(probe).strip())).transactions
    assert is_probe(life)


def test_a_client_that_resets_leaves_a_queue_id_and_no_mail() -> None:
    text = """
        10:00:00 smtpd[1]: 4AAAAAAAAA: client=pc.example.net[192.0.2.99]
        10:00:01 smtpd[1]: disconnect from pc.example.net[192.0.2.99] ehlo=1 mail=1 rcpt=1 rset=1 quit=1 commands=5
        """
    assert outcome(text) == [(None, "aborted")]


def test_too_many_hops_is_told_as_a_loop() -> None:
    loop = "10:00:01 smtp[4]: 4AAAAAAAAA: to=<r@example.com>, relay=b.example.test[192.0.2.2]:25, delay=1, delays=0/0/0/1, dsn=5.4.0, status=bounced (host b.example.test[192.0.2.2] said: 554 5.4.0 Error: too many hops (in reply to end of DATA command))"
    [end] = ends(graph(a=after(loop)), "a", "4AAAAAAAAA")
    assert "loop" in (end.reason or "")


def test_an_address_of_the_internet_is_text_and_a_message_id_may_lack_its_brackets() -> None:
    assert classify("192.0.2.9", []).kind == "literal"
    [life] = collate(entries("a", ARRIVED.strip())).transactions
    assert matches(life, [Keyword("address", "m@example.net")], "any")
