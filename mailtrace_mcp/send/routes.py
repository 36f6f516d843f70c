"""A server to send through, with everything decided: no defaults, no presets, no choices left. Pure."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from mailtrace_mcp.config.presets import Tls
from mailtrace_mcp.config.smtp import Profile
from mailtrace_mcp.config.values import Secret

Mechanism = Literal["auto", "plain", "login", "cram-md5", "xoauth2"]
DEFAULT_PORTS: dict[Tls, int] = {"none": 25, "starttls": 587, "smtps": 465}


@dataclass(frozen=True)
class Login:
    """Who to log in as. The secret (a password, for xoauth2 a token) is here, or a command prints it."""

    user: str
    mechanism: Mechanism
    secret: Secret | None = None
    command: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Route:
    """One server. Paths are absolute; `login` None: no AUTH. `name` is the profile's."""

    name: str
    host: str
    port: int
    tls: Tls
    verify: bool
    min_tls: Literal["1.2", "1.3"] = "1.2"
    ca_file: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    login: Login | None = None
    allow_insecure: bool = False

    @property
    def server(self) -> str:
        """`host:port`, as an error names it."""
        return f"{self.host}:{self.port}"

    @property
    def secure(self) -> bool:
        """Encrypted, and with the server we mean."""
        return self.tls != "none" and self.verify


@dataclass(frozen=True)
class Timeouts:
    """Seconds: `connect` for the connection and again for the greeting, `read` for each later answer."""

    connect: float = 10.0
    read: float = 30.0


@dataclass(frozen=True)
class Server:
    """A server named on the command line, in place of the profile's; with the user and password that
    this command's environment gives, or none."""

    host: str | None = None
    port: int | None = None
    user: str | None = None
    password: Secret | None = None


def route_of(name: str, profile: Profile, folder: Path) -> Route:
    """The route of a profile; relative paths in it begin at `folder`, that of the configuration."""

    def path(text: str | None) -> Path | None:
        return None if text is None else folder.absolute() / os.path.expanduser(text)

    login = None
    if profile.user is not None and (profile.password or profile.password_command):
        login = Login(profile.user, profile.auth, profile.password, profile.password_command)
    return Route(
        name=name,
        host=profile.host,
        port=profile.port or DEFAULT_PORTS[profile.tls],
        tls=profile.tls,
        verify=profile.verify,
        min_tls=profile.min_tls,
        ca_file=path(profile.ca_file),
        cert=path(profile.cert),
        key=path(profile.key),
        login=login,
        allow_insecure=profile.allow_insecure,
    )


def with_tls(route: Route, mode: Tls | None, verify: bool | None) -> Route:
    """The route with another TLS mode or verification (None: as it is).

    Only to and from smtps does the usual port change with the mode, and only if it was the usual one:
    STARTTLS is spoken on the ports of plain SMTP.
    """
    port = route.port
    if mode is not None and mode != route.tls and "smtps" in (mode, route.tls):
        port = DEFAULT_PORTS[mode] if port == DEFAULT_PORTS[route.tls] else port
    return replace(
        route,
        tls=route.tls if mode is None else mode,
        verify=route.verify if verify is None else verify,
        port=port,
    )


def with_server(route: Route, server: Server) -> Route:
    """The route to another server. It gets neither the profile's credentials nor its client certificate;
    nor its leave to log in insecurely. The same host and port change nothing but given credentials."""
    host, port = server.host or route.host, server.port or route.port
    other = (host.lower().rstrip("."), port) != (route.host.lower().rstrip("."), route.port)
    if other:
        route = replace(
            route, host=host, port=port, login=None, cert=None, key=None, allow_insecure=False
        )
    if server.user is not None and server.password is not None:
        route = replace(route, login=Login(server.user, "auto", server.password))
    return route
