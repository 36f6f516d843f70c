"""Every mail that matches stands on one page and on no other, whatever is read on the way."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import anyio

from mailtrace_mcp.config import load
from mailtrace_mcp.questions import LogQuestion, query_logs

# Both for bob, handed over in the other order than they came in: only the delivery lines name bob.
LOG = """\
2026-11-21T10:00:01.000000+00:00 mx1 postfix/smtpd[1]: AAAAA1: client=pc.example.net[203.0.113.9]
2026-11-21T10:00:02.000000+00:00 mx1 postfix/smtpd[2]: BBBBB2: client=pc.example.net[203.0.113.9]
2026-11-21T10:00:03.000000+00:00 mx1 postfix/local[4]: BBBBB2: to=<bob@example.test>, relay=local, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (delivered to maildir)
2026-11-21T10:00:05.000000+00:00 mx1 postfix/local[4]: AAAAA1: to=<bob@example.test>, relay=local, delay=4, delays=0/0/0/4, dsn=2.0.0, status=sent (delivered to maildir)
"""


def test_pages_of_one_mail_each(tmp_path: Path) -> None:
    (tmp_path / "mail.log").write_text(LOG)
    file = tmp_path / "config.yaml"
    file.write_text("timezone: UTC\nhosts: {mx1: {logs: {files: [mail.log]}}}\n")
    config, now = load(file, {}), datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
    listed: list[str | None] = []
    cursor = None
    for _ in range(3):
        asked = LogQuestion(keywords=("bob@example.test",), limit=1, cursor=cursor)
        answer = anyio.run(partial(query_logs, config, asked, now))
        listed += [mail.queue_id for mail in answer.mails]
        cursor = answer.next_cursor
        if cursor is None:
            break
    assert cursor is None
    assert sorted(map(str, listed)) == ["AAAAA1", "BBBBB2"]
