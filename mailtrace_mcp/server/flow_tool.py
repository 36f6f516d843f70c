"""The tool that looks whether mail flows through a cluster: check_flow."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult
from pydantic import Field

from mailtrace_mcp import questions
from mailtrace_mcp.answers import FlowAnswer
from mailtrace_mcp.questions import FlowQuestion
from mailtrace_mcp.questions.flowing import MOST_STOPPED
from mailtrace_mcp.server import arguments as args
from mailtrace_mcp.server.asking import answered
from mailtrace_mcp.server.configuration import Configuration
from mailtrace_mcp.views.flow import flow_text

Cluster: TypeAlias = Annotated[
    str,
    Field(
        description="Cluster or host whose mail is looked at, as mailtrace://clusters names them; all: "
        "every host.",
        examples=["smtp-cluster"],
    ),
]
FlowLimit: TypeAlias = Annotated[
    int | args.Absent,
    args.parameter("Most stopped mails to show.", 50, minimum=1, maximum=MOST_STOPPED),
]


class FlowTool:
    """Reads its arguments into a question and asks."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration

    async def check_flow(
        self,
        ctx: Context,
        cluster: Cluster,
        time: args.Time = None,
        time_range: args.TimeRange = None,
        keywords: args.LogKeywords = None,
        limit: FlowLimit = None,
    ) -> Annotated[CallToolResult, FlowAnswer]:
        """Check that every mail which came into a cluster reached an end, or name where it stopped.

        Use it to see whether mail flows, or what is stuck: no sender or recipient need be known.
        Counts the mails that came in within the window by how they ended, and lists those that did
        not (queued, deferred, held, lost), the longest first, with host, queue ID and why. Follows
        them to other hosts too. Reads logs only.
        """
        asked = args.given(
            cluster=cluster, time=time, time_range=time_range, keywords=keywords, limit=limit
        )
        return await answered(
            self.configuration, ctx, questions.check_flow, lambda: FlowQuestion(**asked), flow_text
        )
