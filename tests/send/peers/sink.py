"""A real mail server for the tests: aiosmtpd, with STARTTLS, SMTPS, AUTH, DSN and SMTPUTF8.

It keeps what it was told, gives queue IDs as Postfix does, and refuses whom it is told to refuse.
"""

from __future__ import annotations

import asyncio
import hmac
import re
import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "mailtrace", "S3CRET p/ss+word=ü"
_DSN = re.compile(r" (NOTIFY|RET|ENVID)=(\S+)", re.IGNORECASE)


@dataclass
class Received:
    """One mail that the server took."""

    sender: str
    recipients: list[str]
    data: bytes
    queue_id: str
    dsn: list[str]
    secure: bool
    user: str | None
    mail_options: list[str] = field(default_factory=list)


@dataclass
class Sink:
    """The server: what it took, and what it does about recipients (`refuse`: address → reply)."""

    refuse: dict[str, str] = field(default_factory=dict)
    dsn: bool = True
    utf8: bool = True
    port: int = 0
    mails: list[Received] = field(default_factory=list)
    connections: int = 0
    logins: list[str] = field(default_factory=list)
    parameters: list[str] = field(default_factory=list)

    @property
    def message_ids(self) -> list[str]:
        return [_header(mail.data, "message-id").strip("<>") for mail in self.mails]

    async def handle_EHLO(  # noqa: N802  aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*replies[:-1], "250-DSN", *replies[-1:]] if self.dsn else replies

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        queue_id = f"4{len(self.mails):X}F2A1B3C5D"
        login = session.auth_data if session.authenticated else None
        transport = server.transport
        self.mails.append(
            Received(
                sender=envelope.mail_from or "",
                recipients=list(envelope.rcpt_tos),
                data=bytes(envelope.original_content or b""),
                queue_id=queue_id,
                dsn=list(self.parameters),
                secure=transport is not None and transport.get_extra_info("sslcontext") is not None,
                user=str(login) if login else None,
                mail_options=list(envelope.mail_options),
            )
        )
        self.parameters.clear()
        return f"250 2.0.0 Ok: queued as {queue_id}"

    async def auth_CRAM__MD5(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        challenge = "<1896.697170952@sink.example>"
        answer = await server.challenge_auth(challenge)
        digest = hmac.new(PASSWORD.encode(), challenge.encode(), "md5").hexdigest()
        good = answer == f"{USER} {digest}".encode()
        self.logins.append("CRAM-MD5")
        return AuthResult(success=good, handled=False, auth_data=USER)

    async def auth_XOAUTH2(self, server: SMTP, args: list[str]) -> AuthResult:  # noqa: N802
        wanted = f"user={USER}\x01auth=Bearer {PASSWORD}\x01\x01".encode()
        self.logins.append("XOAUTH2")
        good = args[1].encode() == b64encode(wanted)
        return AuthResult(success=good, handled=False, auth_data=USER)

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        self.logins.append(mechanism)
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        good = data.login == USER.encode() and data.password == PASSWORD.encode()
        return AuthResult(success=good, handled=False, auth_data=USER)


class _Server(SMTP):
    """aiosmtpd with the parameters of DSN (RFC 3461), which it does not know."""

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        await super().smtp_MAIL(self._without_dsn(arg))

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        await super().smtp_RCPT(self._without_dsn(arg))

    def _without_dsn(self, arg: str | None) -> str | None:
        sink: Sink = self.event_handler
        if arg is None or not sink.dsn:
            return arg
        sink.parameters += ["=".join(found) for found in _DSN.findall(arg)]
        return _DSN.sub("", arg)


@asynccontextmanager
async def listening(
    make: Callable[[], asyncio.BaseProtocol], tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """A server on a free port of 127.0.0.1; gives the port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(make, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        # What aiosmtpd still does for connections that hung up.
        await asyncio.sleep(0)


@asynccontextmanager
async def sink(
    refuse: Mapping[str, str] | None = None,
    starttls: ssl.SSLContext | None = None,
    smtps: ssl.SSLContext | None = None,
    only: str | None = None,
    auth_required: bool = False,
    auth_require_tls: bool = True,
    dsn: bool = True,
    utf8: bool = True,
    **more: Any,
) -> AsyncIterator[Sink]:
    """The server for as long as it is needed. `only`: the one AUTH mechanism that it offers."""
    server = Sink(dict(refuse or {}), dsn=dsn, utf8=utf8)
    every = {"PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"}

    def make() -> SMTP:
        server.connections += 1
        return _Server(
            server,
            hostname="sink.example",
            tls_context=starttls,
            authenticator=server.authenticate,
            auth_required=auth_required,
            auth_require_tls=auth_require_tls and smtps is None,
            auth_exclude_mechanism=(every - {only}) if only else {"CRAM-MD5", "XOAUTH2"},
            enable_SMTPUTF8=utf8,
            loop=asyncio.get_running_loop(),
            **more,
        )

    async with listening(make, smtps) as port:
        server.port = port
        yield server


def _header(data: bytes, name: str) -> str:
    for line in data.partition(b"\r\n\r\n")[0].decode().split("\r\n"):
        if line.lower().startswith(f"{name}:"):
            return line.partition(":")[2].strip()
    return ""
