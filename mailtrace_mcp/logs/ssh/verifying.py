"""Is it the host that known_hosts knows? Decided before any login, and there is no switch for it."""

from __future__ import annotations

import paramiko

from mailtrace_mcp.errors import Code, visible
from mailtrace_mcp.logs.ssh import known_hosts
from mailtrace_mcp.logs.ssh.known_hosts import Entry
from mailtrace_mcp.logs.ssh.login import Login
from mailtrace_mcp.logs.store import StoreError


def entries(login: Login) -> list[Entry]:
    """What the file of a login holds; nothing where it cannot be read."""
    try:
        with open(login.known_hosts, encoding="utf-8", errors="replace") as file:
            return list(known_hosts.entries(file.read()))
    except OSError:
        return []


def ask_for_known_kinds(transport: paramiko.Transport, login: Login, known: list[Entry]) -> None:
    """The kinds of key that are known go first: a server with several would else show another one."""
    options = transport.get_security_options()
    kinds = known_hosts.known_kinds(known, login.known_as, login.port)
    wanted = [one for one in options.key_types if _kind(one) in kinds]
    options.key_types = (*wanted, *(one for one in options.key_types if one not in wanted))


def verify(transport: paramiko.Transport, login: Login, known: list[Entry]) -> None:
    """Raises StoreError HOST_KEY_UNKNOWN or HOST_KEY_MISMATCH, with the fingerprint."""
    shown = transport.get_remote_server_key()
    verdict = known_hosts.verdict(known, login.known_as, login.port, shown.asbytes())
    if verdict == "known":
        return
    kind = visible(shown.get_name())
    key = f"{kind} {known_hosts.fingerprint(shown.asbytes())}"
    file = visible(login.known_hosts, 200)
    name = visible(known_hosts.written(login.known_as[0], login.port))
    if verdict == "unknown":
        raise StoreError(
            Code.HOST_KEY_UNKNOWN,
            f"Its host key {key} is not in {file} (as {name}). Compare it with `ssh-keygen -l -f "
            f"/etc/ssh/ssh_host_{_file_kind(kind)}_key.pub` on the host itself, then add what "
            f"`ssh-keyscan -p {login.port} {visible(login.address)}` prints.",
        )
    what = "is revoked there" if verdict == "revoked" else "is not the one there"
    raise StoreError(
        Code.HOST_KEY_MISMATCH,
        f"Its host key {key} {what} ({file}, {name}). Somebody may be in between, or the host was set "
        "up anew: ask who runs it before that line is changed. No login was tried.",
    )


def _kind(algorithm: str) -> str:
    """The kind of key that an algorithm works with: RSA keys stand as ssh-rsa in the file."""
    return "ssh-rsa" if algorithm.startswith("rsa-sha2-") else algorithm


def _file_kind(kind: str) -> str:
    return "ecdsa" if kind.startswith("ecdsa") else kind.removeprefix("ssh-")
