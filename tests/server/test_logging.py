"""What the server logs: stderr, and no text that could deceive the terminal which shows it."""

from __future__ import annotations

import logging

from mailtrace_mcp.server.making import OneLine


def test_a_record_hides_nothing() -> None:
    said = "lost\x1b[31m \u202e%s"
    record = logging.LogRecord("x", logging.WARNING, "f", 1, said, ("a\u2028b",), None)
    assert OneLine("%(message)s").format(record) == "lost\\u{1b}[31m \\u{202e}a\\u{2028}b"
