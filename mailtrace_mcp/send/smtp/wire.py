"""A connection to a mail server, command by command.

The TLS mode is always given: left to itself the library tries STARTTLS and, where an attacker took it
out of the answer to EHLO, logs in over the open line. The content is written here and not by the
library, so that a loss before the final dot and one after it are told apart.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from math import inf

import aiosmtplib
import anyio

from mailtrace_mcp.send import failures
from mailtrace_mcp.send.advice import TOKEN
from mailtrace_mcp.send.commands import dotted, own_name, peer_name
from mailtrace_mcp.send.credentials import Credentials
from mailtrace_mcp.send.dialling import dialled
from mailtrace_mcp.send.dialogue import MAIL_STAGES, Dialogue
from mailtrace_mcp.send.failures import SmtpError
from mailtrace_mcp.send.routes import Route, Timeouts
from mailtrace_mcp.send.smtp.client import Client, UnaskedReplyError
from mailtrace_mcp.send.tls import TlsFacts, facts, tell_handshake

_CHUNK = 256 << 10  # bytes written at once: what was not written was certainly not received
_QUIT_SECONDS = 5.0
_NO = re.compile(r"([45][0-9]{2})[ -](.*)", re.ASCII)

Answer = aiosmtplib.SMTPResponse
"""A code and the text of all lines, a stranger's, parted by line breaks."""


class Wire:
    """One connection. Every method raises SmtpError for what the network or the server does.

    `deadline` is a moment of anyio's clock, after which nothing is waited for. `dot_sent` tells, of the
    latest content, whether its final dot was written. Cancelled, call `drop`.
    """

    def __init__(
        self, route: Route, dialogue: Dialogue, timeouts: Timeouts, deadline: float = inf
    ) -> None:
        self.route = route
        self.peer = route.server
        self.tls: TlsFacts | None = None
        self.dot_sent = False
        self._dialogue = dialogue
        self._timeouts = timeouts
        self._deadline = deadline
        self._client: Client | None = None
        self._token = False  # whether the login is one, and no password

    @property
    def usable(self) -> bool:
        """Whether it is open still, and in step."""
        client = self._client
        return client is not None and client.is_connected and not client.unasked

    @property
    def mechanisms(self) -> list[str]:
        """The AUTH mechanisms that the server offers, in lower case: a stranger's text."""
        return self._connected().server_auth_methods

    async def connect(self, tls: ssl.SSLContext | None) -> None:
        """Connect and hear the greeting, for smtps inside TLS."""
        route, dialogue = self.route, self._dialogue
        dialogue.begin("connect")
        sock = await self._dialled()
        self.peer = peer_name(route.host, sock.getpeername())
        self._client = client = Client(
            hostname=route.host,
            local_hostname=own_name(sock.getsockname()[0]),
            sock=sock,
            # Both are always said: the library's own choice would be encryption if it is offered.
            use_tls=route.tls == "smtps",
            start_tls=False,
            tls_context=tls,
        )
        client.dialogue = dialogue
        dialogue.begin("tls" if route.tls == "smtps" else "banner")
        if route.tls == "smtps" and tls is not None:
            tell_handshake(tls, lambda: dialogue.begin("banner"))
        with self._failures(self._timeouts.connect):
            banner = await client.connect(timeout=self._left(self._timeouts.connect))
            client.watch()
            dialogue.heard(banner.code, banner.message)
            if route.tls == "smtps":
                self._note_tls(client)

    async def hello(self) -> Mapping[str, str]:
        """EHLO; HELO to a server that knows no EHLO (RFC 5321 3.2). Gives what it offers (a stranger's
        text, keywords in lower case)."""
        client = self._connected()
        self._dialogue.begin("ehlo")
        with self._failures():
            try:
                await client.ehlo(timeout=self._left())
            except aiosmtplib.SMTPHeloError as error:
                if error.code not in (500, 502, 504) or not client.is_connected:
                    raise
                await client.helo(timeout=self._left())
        return dict(client.esmtp_extensions)

    async def start_tls(self) -> None:
        """STARTTLS (RFC 3207); what the server offered before it is forgotten."""
        client = self._connected()
        self._dialogue.begin("tls")
        if not client.supports_extension("starttls"):
            raise failures.no_starttls(self.route.server)
        with self._failures():
            await client.look_up()
            self._dialogue.said("STARTTLS")
            with client.asking():
                response = await client.starttls(timeout=self._left())
            self._dialogue.heard(response.code, response.message)
            self._note_tls(client)

    async def log_in(self, mechanism: str, login: Credentials) -> None:
        """AUTH by one mechanism, once: a second try could lock the account."""
        client = self._connected()
        says = {
            "plain": client.auth_plain,
            "login": client.auth_login,
            "cram-md5": client.auth_crammd5,
            "xoauth2": client.auth_xoauth2,
        }[mechanism]
        client.in_auth = True
        self._token = mechanism == "xoauth2"
        try:
            with self._failures():
                await says(login.user, login.secret.get_secret_value(), timeout=self._left())
        finally:
            client.in_auth = self._token = False

    async def command(self, *words: bytes) -> Answer:
        """One command and its answer, whatever its code."""
        try:
            return await self._connected().execute_command(*words, timeout=self._left())
        except (aiosmtplib.SMTPException, OSError) as error:
            raise self._failure(error, self._timeouts.read) from None

    async def content(self, data: bytes) -> Answer:
        """The content, after 354, and its final dot (RFC 5321 4.5.2); gives the answer to it."""
        client = self._connected()
        protocol, transport = client.protocol, client.transport
        wire = dotted(data)
        last = max(0, len(wire) - 1) // _CHUNK * _CHUNK
        with self._failures():
            if protocol is None or not isinstance(transport, asyncio.Transport):
                raise aiosmtplib.SMTPServerDisconnected("lost")
            self._dialogue.said(f"({len(data)} octets of content and the final dot)")
            for start in range(0, last, _CHUNK):
                protocol.write(wire[start : start + _CHUNK])
                with anyio.fail_after(self._left()):
                    # Nothing calls when a library's transport has room again.
                    while transport.get_write_buffer_size() > _CHUNK:  # noqa: ASYNC110
                        await anyio.sleep(0.005)
            await client.look_up()
            # Nothing is awaited between the look and the dot, nor between the dot and its answer.
            self.dot_sent = True
            with client.asking():
                protocol.write(wire[last:])
                response = await protocol.read_response(timeout=self._left())
        self._dialogue.heard(response.code, response.message)
        return response

    async def quit(self) -> None:
        """QUIT, with little patience; then the connection is closed."""
        with suppress(SmtpError), self._failures():
            await self._connected().quit(timeout=min(_QUIT_SECONDS, self._left()))
        self.drop()

    def drop(self) -> None:
        """Hang up at once; what was not written yet is not written."""
        if self._client is None:
            return
        if isinstance(self._client.transport, asyncio.Transport):
            self._client.transport.abort()
        self._client.close()

    async def _dialled(self) -> socket.socket:
        route, seconds = self.route, self._left(self._timeouts.connect)
        try:
            with anyio.fail_after(seconds):
                return await dialled(route.host, route.port)
        except OSError as error:
            if isinstance(error, TimeoutError) and error.errno is None:  # ours, not the kernel's
                raise failures.timed_out("connect", route.server, seconds) from None
            raise failures.unreachable(error, route.server) from None

    def _connected(self) -> Client:
        if self._client is None or not self._client.is_connected:
            raise self._failure(aiosmtplib.SMTPServerDisconnected("lost"), 0)
        return self._client

    def _left(self, limit: float | None = None) -> float:
        """Seconds to wait for the next answer. Raises SmtpError when the deadline is over."""
        seconds = limit or self._timeouts.read
        if self._deadline != inf:
            seconds = min(seconds, self._deadline - anyio.current_time())
            if seconds <= 0:
                raise failures.out_of_time(self._dialogue.stage, self.route.server)
        return seconds

    def _note_tls(self, client: Client) -> None:
        self.tls = facts(client.get_transport_info("ssl_object"), self.route, self.peer)

    @contextmanager
    def _failures(self, seconds: float | None = None) -> Iterator[None]:
        """What the library and the system raise, as SmtpError; without what they quote in it."""
        try:
            yield
        except (aiosmtplib.SMTPException, OSError) as error:
            waited = min(seconds or self._timeouts.read, self._timeouts.read)
            raise self._failure(error, waited) from None

    def _failure(self, error: Exception, waited: float) -> SmtpError:
        stage, server = self._dialogue.stage, self.route.server
        if isinstance(error, aiosmtplib.SMTPResponseException) and 200 <= error.code <= 599:
            return self._refusal(error)
        # What comes later would be taken for the answer to another command.
        self.drop()
        if isinstance(error, UnaskedReplyError):
            return self._unasked(str(error))
        if isinstance(error, aiosmtplib.SMTPResponseException):
            self._dialogue.garbled(error.message)
            return failures.garbled(stage, server)
        inside = stage != "tls" and (self.tls is not None or self.route.tls == "smtps")
        behind = self._client.lost_by if self._client is not None else None
        for one in (*_causes(error), *_causes(behind)):
            if isinstance(one, ssl.SSLError) and stage not in MAIL_STAGES:
                return failures.no_tls(one, server)
            # ConnectionAbortedError is how asyncio ends a handshake that takes too long.
            if isinstance(one, TimeoutError | ConnectionAbortedError):
                return failures.timed_out(stage, server, waited, inside)
        return failures.lost(stage, server, inside)

    def _unasked(self, said: str) -> SmtpError:
        """A server that shuts down, or has heard enough of the content, may say so unasked."""
        dialogue = self._dialogue
        match = _NO.match(said)
        if match and (match[1] == "421" or dialogue.stage == "data"):
            code, text = int(match[1]), match[2].rstrip("\r")
            dialogue.heard(code, text)
            return failures.refused(dialogue.stage, dialogue.read(code, text))
        dialogue.garbled(said)
        return failures.unasked(dialogue.stage, self.route.server)

    def _refusal(self, error: aiosmtplib.SMTPResponseException) -> SmtpError:
        """A reply that the library raised. Answers to commands were written down already."""
        dialogue = self._dialogue
        if dialogue.stage in ("banner", "tls"):
            dialogue.heard(error.code, error.message)
        reply = dialogue.read(error.code, error.message)
        return failures.refused(dialogue.stage, reply, text=TOKEN if self._token else "")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what is behind it. A server that wants a client certificate says so, in TLS 1.3,
    after the handshake (RFC 8446 4.4.2.4): what is seen first is a loss."""
    while error is not None:
        yield error
        error = error.__cause__
