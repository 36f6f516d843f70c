"""The tools that read: a question is read, one function of questions is asked, and its answer shown."""

from __future__ import annotations

from typing import Annotated

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult

from mailtrace_mcp import questions
from mailtrace_mcp.answers import QueryAnswer, TraceAnswer
from mailtrace_mcp.questions import LogQuestion, MailQuestion
from mailtrace_mcp.server import arguments as args
from mailtrace_mcp.server.asking import answered
from mailtrace_mcp.server.configuration import Configuration
from mailtrace_mcp.views.text import query_text, trace_text


class MailTools:
    """The tools that read; each reads its arguments into a question and asks."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration

    async def query_logs(
        self,
        ctx: Context,
        keywords: args.LogKeywords = None,
        host: args.LogHost = None,
        time: args.Time = None,
        time_range: args.TimeRange = None,
        role: args.SearchRole = None,
        status: args.SearchStatus = None,
        limit: args.LogLimit = None,
        cursor: args.PageCursor = None,
        detail: args.HowMuch = None,
    ) -> Annotated[CallToolResult, QueryAnswer]:
        """Search the mail logs: which mails of an address, domain, message-id or host were there.

        Use it first, to find queue IDs; then trace_mail tells the whole way of one. Give at least
        one keyword, a host or a status. Reads logs only. Answers the mails on each host, newest
        first, with how they ended for each recipient, page by page; nothing found is an answer with
        hints, and coverage says what was not seen.
        """
        asked = args.given(
            keywords=keywords, host=host, time=time, time_range=time_range, role=role, status=status,
            limit=limit, cursor=cursor, detail=detail,
        )  # fmt: skip
        return await answered(
            self.configuration, ctx, questions.query_logs, lambda: LogQuestion(**asked), query_text
        )

    async def trace_mail(
        self,
        ctx: Context,
        queue_id: args.QueueId = None,
        mail_id: args.MailId = None,
        message_id: args.MessageId = None,
        keywords: args.MailKeywords = None,
        headers: args.Headers = None,
        host: args.StartHost = None,
        time: args.Time = None,
        time_range: args.TimeRange = None,
        follow_seconds: args.FollowSeconds = None,
        graph: args.Graph = None,
        detail: args.HowMuch = None,
        limit: args.TraceLimit = None,
    ) -> Annotated[CallToolResult, TraceAnswer]:
        """Follow a mail from host to host: where it came in, every step, how it ended for each.

        Use it when you have a queue ID, a message-id, an address or a received mail's headers; give
        exactly one of queue_id, message_id, keywords, headers. It may start anywhere on the way and
        finds all of it, with the bounces it caused. Reads logs only. Each outcome says why;
        complete and coverage say what was not seen.
        """

        def question() -> MailQuestion:
            asked = args.given(
                queue_id=args.one_queue_id(queue_id, mail_id), message_id=message_id,
                keywords=keywords, headers=headers, host=host, time=time, time_range=time_range,
                follow_seconds=follow_seconds, graph=graph, detail=detail, limit=limit,
            )  # fmt: skip
            return MailQuestion(**asked)

        return await answered(self.configuration, ctx, questions.trace_mail, question, trace_text)
