"""One function for each tool: gather, build, answer. The only place where logs, trace, send and answers
meet.

Both faces (server, cli) ask here, so `--json` and structuredContent are the same object.
"""

from __future__ import annotations

from mailtrace_mcp.answers import Detail, Drawing
from mailtrace_mcp.questions.asking import LogQuestion, MailQuestion
from mailtrace_mcp.questions.checking import CheckQuestion, check_hosts
from mailtrace_mcp.questions.flowing import FlowQuestion, check_flow
from mailtrace_mcp.questions.following import Onlooker
from mailtrace_mcp.questions.querying import query_logs
from mailtrace_mcp.questions.sending import Dispatch, SendQuestion, reads_only, send_test_mail
from mailtrace_mcp.questions.tracing import mail_lines, trace_mail

__all__ = [
    "CheckQuestion",
    "Detail",
    "Dispatch",
    "Drawing",
    "FlowQuestion",
    "LogQuestion",
    "MailQuestion",
    "Onlooker",
    "SendQuestion",
    "check_flow",
    "check_hosts",
    "mail_lines",
    "query_logs",
    "reads_only",
    "send_test_mail",
    "trace_mail",
]
