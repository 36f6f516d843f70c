"""A profile tried without a mail: connect, EHLO, TLS, login, NOOP. For check_hosts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import anyio

from mailtrace_mcp.config import Config
from mailtrace_mcp.errors import MailtraceError
from mailtrace_mcp.send.attempts import Account
from mailtrace_mcp.send.credentials import COMMAND_SECONDS, credentials
from mailtrace_mcp.send.policy.rules import login as may_log_in
from mailtrace_mcp.send.policy.rules import profile_of
from mailtrace_mcp.send.routes import Route, Timeouts, route_of


@dataclass(frozen=True)
class Probe:
    """How far it went. `failure` None: all of it. `logged_in` False without a failure: the profile has
    no login, or `note` says why it was left out. The account's text is masked, not cleaned."""

    route: Route
    account: Account | None
    logged_in: bool
    failure: MailtraceError | None
    note: str | None = None


async def probe(
    config: Config, profile: str, seconds: float, timeouts: Timeouts | None = None
) -> Probe:
    """Try a profile of the configuration, within `seconds`. Never raises for what the server does;
    UNKNOWN_PROFILE for a name that is none."""
    # aiosmtplib is no part of a start.
    from mailtrace_mcp.send.connection import Connection

    route = route_of(profile, profile_of(config.smtp, profile)[1], config.path.parent)
    allowed, note = may_log_in(route), None
    if not allowed.allowed:
        route, note = replace(route, login=None), f"No login was tried: {allowed.why}."
    deadline = anyio.current_time() + seconds
    connection = None
    try:
        login = None
        if route.login is not None:
            login = await credentials(route.login, min(COMMAND_SECONDS, seconds))
        connection = Connection(route, login, timeouts, deadline)
        await connection.open()
        await connection.noop()
        await connection.close()
    except MailtraceError as failure:
        return Probe(route, connection.account() if connection else None, False, failure, note)
    finally:
        if connection is not None:
            connection.drop()
    return Probe(route, connection.account(), route.login is not None, None, note)
