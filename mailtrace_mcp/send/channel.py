"""The way of one mail after the other to a server: connections opened, used again, and left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

import anyio

from mailtrace_mcp.errors import Code, visible
from mailtrace_mcp.send import failures
from mailtrace_mcp.send.attempts import Account, Attempt, Peer
from mailtrace_mcp.send.compose import Mail, Pattern
from mailtrace_mcp.send.credentials import COMMAND_SECONDS, Credentials, credentials
from mailtrace_mcp.send.failures import SmtpError
from mailtrace_mcp.send.routes import Route, Timeouts

if TYPE_CHECKING:
    from mailtrace_mcp.send.connection import Connection

MAILS_PER_CONNECTION = 100
Begun = Callable[[Mail, Peer], None]


@dataclass(frozen=True)
class Way:
    """A server and the mail as it goes there: a fallback may have another sender. `warnings` are told
    with every mail that goes this way."""

    route: Route
    pattern: Pattern
    warnings: tuple[str, ...] = ()


class Ways:
    """The servers of a run: the first, and those to fall back to where one is not there at all. Shared
    by its channels, so that a server which was not there is not asked again."""

    def __init__(self, ways: Sequence[Way]) -> None:
        self._ways = tuple(ways)
        self._at = 0
        self._left: dict[Way, SmtpError] = {}
        self._logins: dict[Way, Credentials | None] = {}
        self._asking = anyio.Lock()

    @property
    def current(self) -> Way:
        return self._ways[self._at]

    def leave(self, way: Way, failure: SmtpError) -> bool:
        """`way` leads nowhere: go on with the next. False where there is none."""
        place = self._ways.index(way)
        if place + 1 < len(self._ways):
            self._left.setdefault(way, failure)
        self._at = min(max(self._at, place + 1), len(self._ways) - 1)
        return self.current is not way

    def told(self, attempt: Attempt, way: Way) -> Attempt:
        """The attempt, with what is to be said of the way it went."""
        did = "tried" if attempt.outcome == "refused" else "sent by"
        instead = f"{did} {_named(way.route)}, {_safety(way.route)}"
        fell_back = [
            f"{_named(left.route)} could not be reached ({failure.code}); {instead}."
            for left, failure in self._left.items()
            if left is not way
        ]
        return replace(attempt, warnings=(*fell_back, *way.warnings, *attempt.warnings))

    async def login(self, way: Way, seconds: float) -> Credentials | None:
        """The credentials for a way; a command that prints them runs once. Raises SECRET_MISSING."""
        async with self._asking:
            if way not in self._logins:
                login = way.route.login
                self._logins[way] = await credentials(login, seconds) if login else None
            return self._logins[way]


class Channel:
    """One connection at a time. `deadline` is a moment of anyio's clock; `begun` hears of each mail
    before the server does, and may raise MailtraceError: then the server does not."""

    def __init__(
        self, ways: Ways, timeouts: Timeouts, deadline: float = inf, begun: Begun | None = None
    ) -> None:
        self._ways = ways
        self._begun = begun
        self._timeouts = timeouts
        self._deadline = deadline
        self._way = ways.current
        self._connection: Connection | None = None

    @property
    def peer(self) -> Peer | None:
        """The server that is talked with, or was last."""
        return self._connection.peer if self._connection is not None else None

    def account(self) -> Account | None:
        """The connection that is open, or was last."""
        return self._connection.account() if self._connection is not None else None

    def interrupted(self) -> Attempt | None:
        """What is known of a mail that was on its way when `hand_over` was cancelled."""
        return self._connection.interrupted() if self._connection is not None else None

    async def hand_over(self, mail_for: Callable[[Way], Mail]) -> Attempt:
        """One mail, over the connection that is open or a new one. What servers do is in the Attempt;
        raises MailtraceError for what is missing here: SECRET_MISSING, CONFIG_INVALID, and as `begun`."""
        while True:
            way = self._ways.current
            try:
                connection = await self._ready(way)
            except SmtpError as failure:
                if failure.unreachable and self._ways.leave(way, failure):
                    continue
                return self._ways.told(Attempt(mail_for(way), "refused", failure=failure), way)
            mail = mail_for(way)
            if self._begun is not None:
                self._begun(mail, connection.peer)
            attempt = await connection.deliver(mail)
            if connection.mails == 1 or not _was_idle_too_long(attempt):
                return self._ways.told(attempt, way)

    async def close(self) -> None:
        """Say goodbye to the server."""
        if self._connection is not None:
            await self._connection.close()

    def drop(self) -> None:
        """Hang up at once."""
        if self._connection is not None:
            self._connection.drop()

    async def _ready(self, way: Way) -> Connection:
        """A connection on which a mail can be handed over now."""
        known = self._connection
        if known is not None and known.usable:
            if self._way is way and known.mails < MAILS_PER_CONNECTION:
                return known
            await known.close()
        left = self._deadline - anyio.current_time()
        if left <= 0:
            raise failures.out_of_time("connect", way.route.server)
        # Not before a mail is sent: aiosmtplib is no part of a start.
        from mailtrace_mcp.send.connection import Connection

        login = await self._ways.login(way, min(COMMAND_SECONDS, left))
        self._way = way
        self._connection = Connection(way.route, login, self._timeouts, self._deadline)
        await self._connection.open()
        return self._connection


def _named(route: Route) -> str:
    return f"{visible(route.name)} ({visible(route.server, 254)})"


def _safety(route: Route) -> str:
    if route.tls == "none":
        return "not encrypted"
    return "encrypted and verified" if route.verify else "encrypted, its certificate not verified"


def _was_idle_too_long(attempt: Attempt) -> bool:
    """A server ends a connection that it has seen enough of; a new one is no second try of the mail."""
    failure = attempt.failure
    if failure is None or failure.stage != "mail" or attempt.outcome != "refused":
        return False
    closing = failure.reply is not None and failure.reply.code == 421  # RFC 5321 3.8
    return closing or failure.code == Code.SMTP_DISCONNECTED
