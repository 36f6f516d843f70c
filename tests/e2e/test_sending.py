"""send_test_mail with follow, through the real cluster; where it went is read in the mailboxes."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.e2e.conftest import Server
from tests.e2e.mailboxes import Lying, lying
from tests.e2e.stage import Stage
from tests.e2e.truth import way

PATIENCE = 30.0


def arrived(cluster: Stage, wanted: Callable[[Lying], bool], count: int) -> list[Lying]:
    """The mails that lie somewhere, once there are so many."""
    until = time.monotonic() + PATIENCE
    while True:
        found = [one for one in lying(cluster) if wanted(one)]
        if len(found) >= count or time.monotonic() > until:
            return found
        time.sleep(0.5)


@pytest.mark.parametrize("profile", ["relay", "submission"])
def test_a_sent_mail_is_followed_to_every_mailbox(
    profile: str, cluster: Stage, server: Server
) -> None:
    to = ["alice@example.test", "friend@example.net", "carol@example.test"]
    answer = server.ask("send_test_mail", to=to, profile=profile, follow=True, follow_seconds=25)
    assert answer["outcome"] == "accepted"
    message_id = answer["records"][0]["message_id"].strip("<>")
    found = arrived(cluster, lambda one: one.headers["Message-ID"] == f"<{message_id}>", 3)
    true = sorted((one.recipient, one.outcome, one.end, one.path) for one in found)
    [trace] = answer["trace"]["traces"]
    told = sorted(
        (one["recipient"], one["outcome"], one["end"], way(one)) for one in trace["recipients"]
    )
    assert told == true
    assert len(true) == 3
    assert trace["complete"]
    assert {one["queue_id"] for one in answer["records"]} == {true[0][3][0][1]}
    assert "3 sent" in answer["summary"]


def test_a_bounce_is_followed_with_its_notice(cluster: Stage, server: Server) -> None:
    to = ["nobody.here@example.test"]
    answer = server.ask("send_test_mail", to=to, follow=True, follow_seconds=25)
    message_id = answer["records"][0]["message_id"].strip("<>")
    [trace] = answer["trace"]["traces"]
    [end] = trace["recipients"]
    assert (end["recipient"], end["outcome"]) == (to[0], "bounced")
    [true] = arrived(cluster, lambda one: one.returned == f"<{message_id}>", 1)
    [notice] = trace["notices"]
    assert (notice["to"], notice["outcome"]) == (true.recipient, "sent")
    assert way(notice) == true.path


def test_a_refused_mail_is_told_with_the_reply_and_found_in_the_log(
    cluster: Stage, server: Server
) -> None:
    to = "nobody.test@lists.example.test"
    words, answer = server.refused("send_test_mail", to=[to], profile="exchanger")
    assert words.startswith("SMTP_REJECTED: The server refused every recipient: 550 5.1.1")
    assert answer["outcome"] == "refused"
    mail = server.ask("query_logs", keywords=[to], status="rejected")["mails"][0]
    assert (mail["host"], mail["queue_id"]) == ("csmx1", None)
    assert [one["outcome"] for one in mail["recipients"]] == ["rejected"]
