"""What is asked for next, and what is not."""

from __future__ import annotations

from datetime import timedelta

from mailtrace_mcp.trace.leads import Asked, Lead, Scope, leads

from .plain import CLOCK, DAY, graph, trail

SCOPE = Scope(DAY, timedelta(days=7), CLOCK.reference)
DELIVERED = """
12:00:00 smtpd[1]: AAAA111: client=x[198.51.100.7]
12:00:01 cleanup[2]: AAAA111: message-id=<1@lab.example>
12:00:02 qmgr[3]: AAAA111: from=<s@lab.example>, size=1, nrcpt=1 (queue active)
12:00:03 smtp[4]: AAAA111: to=<r@example.net>, relay={relay}:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent ({said})
12:00:03 qmgr[3]: AAAA111: removed
"""


def asked_next(text: str, *queue_ids: str) -> set[tuple[str, str]]:
    """Kind and text of each lead of the mail AAAA111 on host a, when these IDs were asked for."""
    asked = Asked()
    for one in queue_ids:
        asked.note(Lead("queue_id", one, DAY))
    of = graph(a=text)
    return {(one.kind, one.text) for one in leads(of, [trail(of, "a", "AAAA111")], asked, SCOPE)}


def test_the_next_host_of_ours_is_asked_for_its_queue_id() -> None:
    said = "250 2.0.0 Ok: queued as BBBB222"
    found = asked_next(DELIVERED.format(relay="b[192.0.2.2]", said=said), "AAAA111")
    assert ("queue_id", "BBBB222") in found
    assert ("message_id", "1@lab.example") in found


def test_an_id_that_no_postfix_gives_is_not_looked_for() -> None:
    """No index names the blocks of such an ID, and no mail of our hosts has it."""
    said = "250 2.0.0 OK  1700000000 0123456789ab-0123456789si123ed.1 - gsmtp"
    found = asked_next(DELIVERED.format(relay="mx[198.51.100.9]", said=said), "AAAA111")
    assert {text for kind, text in found if kind == "queue_id"} == set()


def test_whether_it_was_deleted_is_asked_once_its_own_lines_are_known() -> None:
    known = "12:00:01 cleanup[2]: AAAA111: message-id=<1@lab.example>"
    assert ("literal", "postsuper[") not in asked_next(known)
    assert ("literal", "postsuper[") in asked_next(known, "AAAA111")
    delivered = DELIVERED.format(relay="b[192.0.2.2]", said="250 Ok")
    assert ("literal", "postsuper[") not in asked_next(delivered, "AAAA111")
