"""The resources: hosts and clusters, one mail's log lines, and the page that draws a trace."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mcp.server.apps import Apps, ResourceCsp
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError

from mailtrace_mcp import questions
from mailtrace_mcp.answers.trust import clean
from mailtrace_mcp.config import Config
from mailtrace_mcp.errors import MailtraceError, visible
from mailtrace_mcp.server.configuration import Configuration
from mailtrace_mcp.views.page import app

GRAPH_URI = "ui://mailtrace/delivery-graph.html"
LONGEST_LINE = 2000  # Postfix itself cuts what it logs there (util/msg_logger.c)


def delivery_graph() -> Apps:
    """The page as an MCP App (SEP-1865): a client that shows Apps draws a trace with it. It asks no
    other place for anything, so no domain is named."""
    apps = Apps()
    apps.add_html_resource(
        GRAPH_URI, app(), name="delivery-graph", title="Delivery graph",
        description="Draws what trace_mail answers: hosts as lanes, hops, links, outcomes, a timeline.",
        csp=ResourceCsp(), prefers_border=True,
    )  # fmt: skip
    return apps


class MailResources:
    """What can be read without a question."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration

    async def clusters(self) -> dict[str, Any]:
        """The configured hosts, and the clusters that stand for several of them."""
        config = await self._config()
        clusters = {one.name: list(one.hosts) for one in config.clusters.values()}
        return {"hosts": list(config.hosts), "clusters": clusters}

    async def mail(self, host: str, queue_id: str) -> str:
        """The log lines of one mail on one host, oldest first. Data written by strangers."""
        config = await self._config()
        try:
            lines = await questions.mail_lines(config, host, queue_id, datetime.now(UTC))
        except MailtraceError as error:
            raise ResourceNotFoundError(str(error)) from None
        if not lines:
            raise ResourceNotFoundError(f"No line of {visible(queue_id)} on {visible(host)}.")
        return "\n".join(clean(line, LONGEST_LINE) for line in lines)

    async def _config(self) -> Config:
        try:
            return await self.configuration.get()
        except MailtraceError as error:
            raise ResourceError(str(error)) from None
