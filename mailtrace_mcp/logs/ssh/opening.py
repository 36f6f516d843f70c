"""An SSH transport: dialled, its host key verified, logged in. paramiko's errors end here."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Sequence
from contextlib import suppress

import paramiko

from mailtrace_mcp.errors import Code, visible
from mailtrace_mcp.logs.ssh import verifying
from mailtrace_mcp.logs.ssh.authentication import authenticate
from mailtrace_mcp.logs.ssh.dialling import dialled
from mailtrace_mcp.logs.ssh.keeper import Keeper
from mailtrace_mcp.logs.ssh.login import Login
from mailtrace_mcp.logs.store import Stopped, StoreError

_GRACE = 0.5  # seconds; each step has a limit of its own, and better words
_KEEPALIVE = 30  # seconds; below the few minutes after which a NAT forgets
# GCM first: it is the fastest by far with paramiko. No CBC, no SHA-1, no MD5.
_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes256-ctr")
_MACS = (
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
)
# paramiko asks for new keys after 512 MB, and then waits for itself if a channel is closed meanwhile.
# Keys are renewed all the same: sshd asks for it after a few GB (RekeyLimit).
_REKEY_BYTES = 1 << 36

# It logs a stranger's words, with tracebacks, and would print them where nobody configured logging.
logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)


class Opened:
    """A transport that is logged in, with the one it goes through."""

    def __init__(self, transport: paramiko.Transport, through: Opened | None) -> None:
        self.transport = transport
        self._through = through

    @property
    def alive(self) -> bool:
        return self.transport.is_active() and (self._through is None or self._through.alive)

    def close(self) -> None:
        _close(self.transport)
        if self._through is not None:
            self._through.close()


def opened(login: Login, keeper: Keeper, deadline: float, stopped: Stopped) -> Opened:
    """A new transport to a host, through others where `login.jump` says so. Raises StoreError."""
    through = opened(login.jump, keeper, deadline, stopped) if login.jump else None
    try:
        transport = paramiko.Transport(_wire(login, through, deadline, stopped))
    except BaseException:
        if through is not None:
            through.close()
        raise
    link = Opened(transport, through)
    try:
        with keeper.limit(lambda: _cut(transport), deadline + _GRACE, stopped):
            known = verifying.entries(login)
            _prepare(transport, deadline)
            verifying.ask_for_known_kinds(transport, login, known)
            _agree(transport, login, deadline)
            verifying.verify(transport, login, known)
            authenticate(transport, login, deadline)
            transport.set_keepalive(_KEEPALIVE)
        return link
    except BaseException:
        link.close()
        raise


def _wire(
    login: Login, through: Opened | None, deadline: float, stopped: Stopped
) -> socket.socket | paramiko.Channel:
    """What the protocol runs over: a socket, or a channel of the host on the way."""
    if through is None:
        return dialled(login, deadline, stopped)
    left = max(0.1, deadline - time.monotonic())
    try:
        return through.transport.open_channel(
            "direct-tcpip", (login.address, login.port), ("127.0.0.1", 0), timeout=left
        )
    except (paramiko.SSHException, EOFError, OSError):
        words = (
            f"The host on the way to it does not reach {visible(login.address)} port {login.port}."
        )
        raise StoreError(Code.HOST_UNREACHABLE, words) from None


def _prepare(transport: paramiko.Transport, deadline: float) -> None:
    left = max(0.1, deadline - time.monotonic())
    transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = left
    transport.packetizer.REKEY_BYTES = _REKEY_BYTES
    options = transport.get_security_options()
    options.ciphers, options.digests = _CIPHERS, _MACS


def _agree(transport: paramiko.Transport, login: Login, deadline: float) -> None:
    """Exchanges banners and keys."""
    try:
        transport.start_client(timeout=max(0.1, deadline - time.monotonic()))
    except paramiko.ssh_exception.IncompatiblePeer as error:
        raise StoreError(Code.HOST_UNREACHABLE, _incompatible(str(error), transport)) from None
    except (paramiko.SSHException, EOFError, OSError):
        if time.monotonic() < deadline:
            raise StoreError(Code.HOST_UNREACHABLE, _broken_off(login)) from None
    if not transport.initial_kex_done or not transport.is_active():
        words = (
            f"It accepts connections on port {login.port} but did not answer as an SSH server "
            f"within {login.connect_timeout:g} s."
        )
        raise StoreError(Code.HOST_TIMEOUT, words)


def _broken_off(login: Login) -> str:
    command = " ~/.ssh/config names a ProxyCommand, which is never run: use ProxyJump."
    return (
        f"It closed the connection on port {login.port} before a login: no SSH server, too many "
        "connections (MaxStartups), or this address is refused for a while."
    ) + (command if login.commanded else "")


def _incompatible(said: str, transport: paramiko.Transport) -> str:
    """paramiko's words name what could not be agreed on; the server's own are not repeated."""
    options = transport.get_security_options()
    kinds: tuple[tuple[str, str, Sequence[str]], ...] = (
        ("host key", "host key algorithm (ssh-rsa with SHA-1 is refused)", options.key_types),
        ("kex", "key exchange (group1 and SHA-1 are refused)", options.kex),
        ("cipher", "cipher", options.ciphers),
        ("mac", "MAC", options.digests),
    )
    for word, shown, ours in kinds:
        if word in said.lower():
            return f"It offers no {shown} that is safe today; accepted are {', '.join(ours)}."
    return "Its SSH server is too old: nothing it offers is safe today."


def _cut(transport: paramiko.Transport) -> None:
    """Wakes whoever waits on the transport, and waits for nobody itself."""
    if isinstance(transport.sock, socket.socket):
        transport.sock.shutdown(socket.SHUT_RDWR)
    else:
        transport.sock.close()


def _close(transport: paramiko.Transport) -> None:
    """Its timer for the handshake would keep the program from ending."""
    with suppress(Exception):
        transport.packetizer.complete_handshake()
        transport.close()
    with suppress(Exception):
        transport.sock.close()
