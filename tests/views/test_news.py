"""What following tells from look to look: each thing once, and again when it has changed."""

from __future__ import annotations

from mailtrace_mcp.views.news import News
from tests.answers.found import two_hops


def test_a_hop_says_what_it_came_from() -> None:
    news = News()
    told = list(news.lines(two_hops()))
    assert told == [
        "a A00001  10:00:00",
        "b B00001  10:00:01  relay after a A00001",
        "a A00002  10:00:03  bounce after a A00001",
        "who@example.com: bounced at a A00001 (refused for good with 550 5.1.1 after RCPT TO: there is no such mailbox)",
        "bob@example.test: sent at b B00001",
    ]
    assert list(news.lines(two_hops())) == []
    assert news.told == len(told)
