"""A TCP connection to a host, within a deadline that holds for its name, too."""

from __future__ import annotations

import errno
import os
import select
import socket
import threading
import time
from typing import Any

from mailtrace_mcp.errors import Code, visible
from mailtrace_mcp.logs.ssh.keeper import given_up
from mailtrace_mcp.logs.ssh.login import Login
from mailtrace_mcp.logs.store import Stopped, StoreError

_SLICE = 0.05  # seconds between two looks at `stopped`
_IN_PROGRESS = (0, errno.EINPROGRESS, errno.EWOULDBLOCK)
_AddressInfo = tuple[Any, ...]  # of socket.getaddrinfo


def dialled(login: Login, deadline: float, stopped: Stopped) -> socket.socket:
    """A connected socket that sends small packets at once and notices a dead peer. Tries every
    address of the name. Raises StoreError HOST_UNREACHABLE or HOST_TIMEOUT."""
    where = f"{visible(login.address)} port {login.port}"
    found = _addresses(login, deadline, stopped)
    refused = 0
    for number, info in enumerate(found):
        left = deadline - time.monotonic()
        until = time.monotonic() + left / (len(found) - number)
        try:
            return _tuned(_connected(info, until, stopped))
        except TimeoutError:
            continue
        except OSError as error:
            refused = error.errno or errno.EIO
    if refused:
        words = f"{where} cannot be reached ({os.strerror(refused)}): host, port, firewall?"
        raise StoreError(Code.HOST_UNREACHABLE, words)
    words = f"{where} did not answer within {login.connect_timeout:g} s: host, port, firewall?"
    raise StoreError(Code.HOST_TIMEOUT, words)


def _connected(info: _AddressInfo, until: float, stopped: Stopped) -> socket.socket:
    """Raises TimeoutError, or OSError as connect(2) does."""
    family, kind, protocol, _, address = info
    connection = socket.socket(family, kind, protocol)
    try:
        connection.setblocking(False)
        begun = connection.connect_ex(address)
        if begun not in _IN_PROGRESS:
            raise OSError(begun, "")
        while begun:
            _, ready, _ = select.select([], [connection], [], _SLICE)
            if ready:
                break
            if stopped():
                raise given_up()
            if time.monotonic() >= until:
                raise TimeoutError
        result = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if result:
            raise OSError(result, "")
        return connection
    except BaseException:
        connection.close()
        raise


def _tuned(connection: socket.socket) -> socket.socket:
    """Nagle's algorithm makes 44 ms of a request's 2. A peer behind a NAT that forgot us is given up
    after about a minute."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", 20),
        ("TCP_KEEPINTVL", 10),
        ("TCP_KEEPCNT", 3),
        ("TCP_USER_TIMEOUT", 60_000),
    ):
        option = getattr(socket, name, None)  # not every system has them
        if option is not None:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
    return connection


def _addresses(login: Login, deadline: float, stopped: Stopped) -> list[_AddressInfo]:
    """What the name stands for. The resolver knows no deadline, so it is asked in a thread that is
    left behind if it does not answer."""
    found: list[_AddressInfo] = []
    failed: list[OSError] = []

    def ask() -> None:
        try:
            found.extend(socket.getaddrinfo(login.address, login.port, type=socket.SOCK_STREAM))
        except OSError as error:
            failed.append(error)

    resolver = threading.Thread(target=ask, name="mailtrace-ssh-name", daemon=True)
    resolver.start()
    while resolver.is_alive():
        resolver.join(_SLICE)
        if stopped():
            raise given_up()
        if time.monotonic() >= deadline:
            words = f"No name server told the address of {visible(login.address)} in time."
            raise StoreError(Code.HOST_TIMEOUT, words)
    if failed or not found:
        words = f"The name {visible(login.address)} has no address here: is it spelled right?"
        raise StoreError(Code.HOST_UNREACHABLE, words)
    return list(found)
