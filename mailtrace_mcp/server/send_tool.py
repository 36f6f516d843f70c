"""The tool that writes: send_test_mail."""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult

from mailtrace_mcp import questions
from mailtrace_mcp.answers import SendAnswer
from mailtrace_mcp.questions import SendQuestion
from mailtrace_mcp.server import arguments as args
from mailtrace_mcp.server import send_arguments as send
from mailtrace_mcp.server.asking import answered
from mailtrace_mcp.server.configuration import Configuration
from mailtrace_mcp.views.sent import send_text


class SendTool:
    """Reads its arguments into a question and asks. Neither a server, a port, credentials nor a header
    can be named: these are the configuration's."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration

    async def send_test_mail(
        self,
        ctx: Context,
        to: send.To = None,
        subject: send.Subject = None,
        profile: send.ProfileName = None,
        sender: send.Sender = None,
        ssl_mode: send.SslMode = None,
        verify: send.Verify = None,
        auth: send.Auth = None,
        body: send.Body = None,
        html: send.Html = None,
        cc: send.Cc = None,
        bcc: send.Bcc = None,
        dsn: send.Dsn = None,
        rate: send.Rate = None,
        duration: send.Duration = None,
        follow: send.Follow = None,
        follow_seconds: send.FollowFor = None,
        dry_run: send.DryRun = None,
    ) -> Annotated[CallToolResult, SendAnswer]:
        """Send a real test mail through a configured server; with follow, trace it to its ends.

        Use it to see whether mail flows: it goes out at once and counts against the quota. Only
        recipients, senders and servers of the configuration. Answers the message-id and queue ID for
        trace_mail, the dialogue with the server, and advice where it refused. outcome unknown means
        that the server may have the mail: trace it, do not send it again. dry_run sends nothing.
        """
        asked = args.given(
            to=to, subject=subject, profile=profile, sender=sender, ssl_mode=ssl_mode, verify=verify,
            auth=auth, body=body, html=html, cc=cc, bcc=bcc, dsn=dsn, rate=rate, duration=duration,
            follow=follow, follow_seconds=follow_seconds, dry_run=dry_run,
        )  # fmt: skip
        return await answered(
            self.configuration, ctx, questions.send_test_mail, lambda: SendQuestion(**asked),
            send_text, _refused,
        )  # fmt: skip


def _refused(answer: SendAnswer) -> str | None:
    """The error where nobody took the mail, and that is certain."""
    if answer.outcome != "refused" or answer.code is None:
        return None
    return f"{answer.code}: {answer.reason}"
