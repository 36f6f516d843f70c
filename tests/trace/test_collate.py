"""Which life a line belongs to."""

from __future__ import annotations

from mailtrace_mcp.trace.collate import collate
from mailtrace_mcp.trace.transactions import Transaction
from tests.trace.plain import entries


def lives(text: str) -> list[Transaction]:
    return list(collate(entries("a", text)).transactions)


def test_a_short_queue_id_is_used_again_after_removed() -> None:
    first, second = lives(
        """
        10:00:00 smtpd[1]: 4AAAAAAAAA: client=x.example.net[192.0.2.9]
        10:00:00 cleanup[2]: 4AAAAAAAAA: message-id=<one@example.net>
        10:00:01 qmgr[3]: 4AAAAAAAAA: removed
        10:00:01 smtpd[1]: 4AAAAAAAAA: client=x.example.net[192.0.2.9]
        10:00:01 cleanup[2]: 4AAAAAAAAA: message-id=<two@example.net>
        """
    )
    assert [first.message_id, second.message_id] == ["one@example.net", "two@example.net"]
    assert [first.key.generation, second.key.generation] == [1, 2]


def test_a_second_arrival_at_another_time_is_another_mail_though_no_removed_was_seen() -> None:
    found = lives(
        """
        10:00:00 smtpd[1]: 4AAAAAAAAA: client=x.example.net[192.0.2.9]
        10:30:00 smtpd[1]: 4AAAAAAAAA: client=y.example.net[192.0.2.8]
        """
    )
    assert len(found) == 2


def test_queue_active_at_every_run_is_the_same_mail() -> None:
    [life] = lives(
        """
        10:00:00 qmgr[3]: 4AAAAAAAAA: from=<a@example.net>, size=1, nrcpt=2 (queue active)
        10:05:00 qmgr[3]: 4AAAAAAAAA: from=<a@example.net>, size=1, nrcpt=1 (queue active)
        """
    )
    assert life.active is not None
    assert life.active.nrcpt == 2


def test_a_delivery_line_just_after_removed_is_late_and_no_new_mail() -> None:
    [life] = lives(
        """
        10:00:00 cleanup[2]: 4AAAAAAAAA: message-id=<one@example.net>
        10:00:01 qmgr[3]: 4AAAAAAAAA: removed
        10:00:02 local[4]: 4AAAAAAAAA: to=<b@example.test>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to maildir)
        """
    )
    assert len(life.attempts) == 1


def test_equal_stamps_keep_the_order_of_the_file() -> None:
    [life] = lives(
        """
        10:00:00 local[4]: 4AAAAAAAAA: to=<b@example.test>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to maildir)
        10:00:00 qmgr[3]: 4AAAAAAAAA: removed
        """
    )
    assert [type(one.event).__name__ for one in life.entries] == ["Delivery", "Removed"]


def test_a_noqueue_hold_acts_on_the_next_client_of_the_same_process() -> None:
    life, other = lives(
        """
        10:00:00 smtpd[1]: NOQUEUE: hold: RCPT from x.example.net[192.0.2.9]: <x>: Client host triggers HOLD action; from=<a@example.net> to=<b@example.test> proto=ESMTP helo=<x>
        10:00:00 smtpd[2]: 4BBBBBBBBB: client=y.example.net[192.0.2.8]
        10:00:01 smtpd[1]: 4AAAAAAAAA: client=x.example.net[192.0.2.9]
        """
    )
    by_id = {one.queue_id: one for one in (life, other)}
    assert [action.action for action in by_id["4AAAAAAAAA"].decisions] == ["hold"]
    assert by_id["4BBBBBBBBB"].decisions == ()


def test_a_noqueue_hold_is_not_anothers_though_the_lines_between_were_not_asked_for() -> None:
    [life] = lives(
        """
        10:00:00 smtpd[1]: NOQUEUE: hold: RCPT from x.example.net[192.0.2.9]: <x>: Client host triggers HOLD action; from=<a@example.net> to=<b@example.test> proto=ESMTP helo=<x>
        10:03:01 smtpd[1]: 4AAAAAAAAA: client=x.example.net[192.0.2.9]
        """
    )
    assert life.decisions == ()


def test_refusals_of_one_session_and_sender_are_one_mail() -> None:
    reject = (
        "NOQUEUE: reject: RCPT from x.example.net[192.0.2.9]: 550 5.1.1 <{0}@example.test>: no; "
        "from=<{1}@example.net> to=<{0}@example.test> proto=ESMTP helo=<x>"
    )
    found = lives(
        "\n".join(
            [
                f"10:00:00 smtpd[1]: {reject.format('one', 'a')}",
                f"10:00:01 smtpd[1]: {reject.format('two', 'a')}",
                f"10:00:02 smtpd[1]: {reject.format('one', 'other')}",
            ]
        )
    )
    assert [len(one.entries) for one in found] == [2, 1]
    assert all(one.queue_id is None for one in found)


def test_steps_of_a_process_explain_its_next_delivery_only() -> None:
    life, other = lives(
        """
        10:00:00 smtp[7]: connect to down.example.com[192.0.2.43]:25: Connection refused
        10:00:01 smtp[7]: 4AAAAAAAAA: to=<b@example.com>, relay=up.example.com[192.0.2.44]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)
        10:00:05 smtp[7]: 4BBBBBBBBB: to=<c@example.com>, relay=up.example.com[192.0.2.44]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)
        """
    )
    assert len(life.attempts[0].steps) == 1
    assert other.attempts[0].steps == ()


def test_bulk_deletions_are_kept_though_they_name_no_mail() -> None:
    assert len(collate(entries("a", "10:00:00 postsuper[9]: Deleted: 115 messages")).bulk) == 1
