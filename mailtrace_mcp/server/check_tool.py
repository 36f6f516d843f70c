"""The tool that looks whether all is as it should be: check_hosts."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult

from mailtrace_mcp import questions
from mailtrace_mcp.answers import CheckAnswer
from mailtrace_mcp.questions import CheckQuestion
from mailtrace_mcp.server.arguments import Absent, parameter
from mailtrace_mcp.server.asking import answered
from mailtrace_mcp.server.configuration import Configuration
from mailtrace_mcp.views.checks import check_text

CheckedHost: TypeAlias = Annotated[
    str | Absent,
    parameter(
        "Host or cluster to check, as mailtrace://clusters names them. Left out: all of them.",
        examples=["csmail1", "smtp-cluster"],
    ),
]
Profiles: TypeAlias = Annotated[
    bool | Absent, parameter("Whether to try the SMTP profiles too, without sending a mail.", True)
]
Dns: TypeAlias = Annotated[
    bool | Absent,
    parameter(
        "Whether to look up the domains of the profiles' senders: MX, SPF, DKIM and DMARC.", True
    ),
]


class CheckTool:
    """Reads its arguments into a question and asks. No name can be given that is not configured."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration

    async def check_hosts(
        self,
        ctx: Context,
        host: CheckedHost = None,
        profiles: Profiles = None,
        dns: Dns = None,
    ) -> Annotated[CallToolResult, CheckAnswer]:
        """Check whether hosts can be read, mail servers used, and sending domains are set up.

        Use it when coverage names a host that was not read, when sending fails, or after the
        configuration was changed. Of each host: reached, its key known, login, what it allows, clock,
        log files, their age and form, time zone, index; of each SMTP profile: connect to NOOP; of
        each sending domain: MX, SPF, DKIM, DMARC. Reads only, sends no mail. What failed says what to
        do.
        """
        return await answered(
            self.configuration, ctx, questions.check_hosts, lambda: _question(host, profiles, dns),
            check_text,
        )  # fmt: skip


def _question(host: str | None, profiles: bool | None, dns: bool | None) -> CheckQuestion:
    return CheckQuestion(
        hosts=() if host is None else (host,),
        profiles=profiles is not False,
        dns=dns is not False,
    )
