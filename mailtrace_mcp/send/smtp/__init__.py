"""The wire to a mail server. The only room that knows aiosmtplib."""

from __future__ import annotations

from mailtrace_mcp.send.smtp.wire import Answer, Wire

__all__ = ["Answer", "Wire"]
