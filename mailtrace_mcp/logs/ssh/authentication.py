"""Logging in: the keys, the agent, the password that the configuration names for this very host."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial

import paramiko

from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.ssh.keys import agent_keys, file_keys
from mailtrace_mcp.logs.ssh.login import Login
from mailtrace_mcp.logs.store import StoreError

# RFC 4252 and 4256, and what OpenSSH has: a server's other words are not repeated.
_METHODS = ("publickey", "password", "keyboard-interactive", "hostbased", "gssapi-with-mic")
_SHOWN = {"publickey": "a key", "password": "a password"}

_Attempt = tuple[str, Callable[[], Sequence[str]]]  # its method; gives what is wanted besides


def authenticate(transport: paramiko.Transport, login: Login, deadline: float) -> None:
    """Tries each thing once, until the server is content. Raises StoreError AUTH_FAILED (or what
    opening a key says), HOST_TIMEOUT, HOST_UNREACHABLE; the user's name stands in none."""
    allowed: Sequence[str] = _METHODS
    refused: list[str] = []
    accepted = False
    for method, attempt in _attempts(transport, login):
        if method not in allowed:
            continue
        try:
            allowed = attempt()
        except paramiko.BadAuthenticationType as error:
            allowed = error.allowed_types
            continue
        except (paramiko.SSHException, EOFError, OSError):
            _check_still_there(transport, deadline, bool(refused))
        else:
            if not allowed:
                return
            accepted = True
            continue
        refused.append(method)
    raise StoreError(Code.AUTH_FAILED, _refusal(refused, allowed, accepted))


def _attempts(transport: paramiko.Transport, login: Login) -> Iterator[_Attempt]:
    for key in file_keys(login):
        yield "publickey", partial(transport.auth_publickey, login.user, key)
    if login.allow_agent:
        with closing(paramiko.Agent()) as agent:
            for held in agent_keys(agent):
                yield "publickey", partial(transport.auth_publickey, login.user, held)
    if login.password is not None:
        password = login.password.get_secret_value()
        # By keyboard-interactive where the server calls it that: one field, filled once.
        yield "password", partial(transport.auth_password, login.user, password)


def _check_still_there(transport: paramiko.Transport, deadline: float, refused: bool) -> None:
    """A refusal leaves the transport open; anything else is no refusal."""
    if time.monotonic() >= deadline:
        raise StoreError(Code.HOST_TIMEOUT, "It did not answer to the login in time.")
    if transport.is_active():
        return
    if refused:
        raise StoreError(Code.AUTH_FAILED, "It refused the login and closed the connection.")
    words = "It closed the connection during the login: is this user, from this address, let in?"
    raise StoreError(Code.HOST_UNREACHABLE, words)


def _refusal(refused: Sequence[str], allowed: Sequence[str], accepted: bool) -> str:
    known = [method for method in _METHODS if method in allowed]
    wanted = ", ".join(known) or "another method"
    if accepted:
        return f"It wants more than was given: {wanted}. Give this key a login without that."
    tried = " and ".join(_SHOWN[method] for method in dict.fromkeys(refused))
    if tried:
        takes = "" if allowed is _METHODS else f"; it takes: {wanted}"  # it need not tell
        return (
            f"It refused the login with {tried}{takes}. Is the public key in the authorized_keys of "
            "the user there?"
        )
    return (
        f"Nothing that it takes ({wanted}) is configured: set key (or password, or allow_agent) "
        "under its ssh."
    )
