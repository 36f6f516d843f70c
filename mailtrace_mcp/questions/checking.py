"""check_hosts: are the hosts, the SMTP profiles and the sending domains as they should be?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mailtrace_mcp.answers import CheckAnswer
from mailtrace_mcp.answers.checking import check_answer
from mailtrace_mcp.checks.running import Round, Wanted
from mailtrace_mcp.config import Config
from mailtrace_mcp.errors import Code, MailtraceError
from mailtrace_mcp.logs.gather import Progress
from mailtrace_mcp.questions.clusters import whole

if TYPE_CHECKING:
    from mailtrace_mcp.checks.lookups import Lookups


@dataclass(frozen=True)
class CheckQuestion:
    """check_hosts, as TOOLS.md names its parameters; `hosts` are hosts and clusters, none: all."""

    hosts: tuple[str, ...] = ()
    profiles: bool = True
    dns: bool = True


async def check_hosts(
    config: Config,
    asked: CheckQuestion,
    now: datetime,
    progress: Progress | None = None,
    lookups: Lookups | None = None,
) -> CheckAnswer:
    """What was found, within the deadline of one call; no mail is sent and nothing is written. `lookups`
    None: the DNS servers of this machine are asked.

    Raises UNKNOWN_HOST, INVALID_ARGUMENT for a host that is none.
    """
    config, _ = await whole(config, lookups=lookups)
    wanted = Wanted(_hosts(config, asked.hosts), asked.profiles, asked.dns)
    report = await Round(config, wanted, now, lookups, progress).run()
    return check_answer(report, config.smtp.policy is not None, config.limits.answer_chars)


def _hosts(config: Config, asked: tuple[str, ...]) -> tuple[str, ...]:
    """The hosts that are meant, each once."""
    if any(not one.strip() for one in asked):
        words = "host is empty; leave it out for all hosts, or name one."
        raise MailtraceError(Code.INVALID_ARGUMENT, words)
    if not asked:
        return tuple(config.hosts)
    return tuple(dict.fromkeys(name for one in asked for name in config.host_names(one)))
