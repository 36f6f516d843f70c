"""How to reach a configured host: its own keys of config.yaml over what ~/.ssh/config says."""

from __future__ import annotations

import getpass
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mailtrace_mcp.config import Host
from mailtrace_mcp.config.values import Secret
from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.ssh.known_hosts import DEFAULT_PORT
from mailtrace_mcp.logs.ssh.user_config import Options, options
from mailtrace_mcp.logs.store import StoreError

USER_CONFIG = Path("~/.ssh/config")
_USUAL_KEYS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
_MOST_JUMPS = 5


@dataclass(frozen=True)
class Login:
    """One SSH server and how to log in there. `host` is its name in answers.

    `known_as`: the names under which known_hosts may have it, the one that counts first. `keys` are
    files; those of `keys_needed` must be there. `jump` is the server to go through. Timeouts in
    seconds. `commanded`: ~/.ssh/config has a ProxyCommand for it, which is never run.
    """

    host: str
    address: str
    port: int
    user: str
    known_as: tuple[str, ...]
    known_hosts: str
    keys: tuple[str, ...] = ()
    keys_needed: bool = False
    allow_agent: bool = False
    password: Secret | None = None
    passphrase: Secret | None = None
    jump: Login | None = None
    connect_timeout: float = 10.0
    command_timeout: float = 30.0
    commanded: bool = False


def login(host: Host, user_config: Path = USER_CONFIG) -> Login:
    """The login of a configured host. Raises StoreError if ~/.ssh/config leads through too many
    hosts, or nobody's name is known."""
    said = options(user_config.expanduser(), host.name)
    address = host.addresses[0] if host.addresses else said.hostname or host.name
    names = [said.host_key_alias] if said.host_key_alias else [address, host.name]
    ssh = host.ssh
    return Login(
        host=host.name,
        address=address,
        port=ssh.port or said.port or DEFAULT_PORT,
        user=ssh.user or said.user or _own_name(),
        known_as=tuple(dict.fromkeys(names)),
        known_hosts=os.path.expanduser(ssh.known_hosts),
        keys=_keys(host, said, address),
        keys_needed=ssh.key is not None,
        allow_agent=ssh.allow_agent,
        password=ssh.password,
        passphrase=ssh.passphrase,
        jump=_jump(said.proxy_jump, host, user_config, 0),
        connect_timeout=ssh.connect_timeout,
        command_timeout=ssh.command_timeout,
        commanded=said.commanded,
    )


def _keys(host: Host, said: Options, address: str) -> tuple[str, ...]:
    """The files whose keys are offered: the configured one alone, or those of ~/.ssh/config, and the
    usual ones only where the configuration says so."""
    if host.ssh.key is not None:
        return (os.path.expanduser(host.ssh.key),)
    found = [_filled(one, address, said.user) for one in said.identity_files]
    if host.ssh.look_for_keys:
        found += [os.path.expanduser(one) for one in _USUAL_KEYS]
    return tuple(dict.fromkeys(found))


def _filled(path: str, address: str, user: str | None) -> str:
    """An IdentityFile with its tokens: %d home, %h the address, %u who runs this, %r who logs in."""
    path = path.replace("%d", "~").replace("%h", address)
    path = path.replace("%u", _own_name()).replace("%r", user or _own_name())
    return os.path.expanduser(path)


def _jump(written: str | None, host: Host, user_config: Path, depth: int) -> Login | None:
    """The last of `[user@]host[:port],…`, through which the others are reached before it.

    A password is never shown to a host on the way; the host's key is, where the file names none.
    """
    if written is None or written.lower() == "none":
        return None
    if depth >= _MOST_JUMPS:
        words = "~/.ssh/config leads through more than five hosts to it (ProxyJump)."
        raise StoreError(Code.CONFIG_INVALID, words)
    before, _, last = written.rpartition(",")
    name, port, user = _destination(last.strip())
    said = options(user_config.expanduser(), name)
    address = said.hostname or name
    keys = tuple(_filled(one, address, said.user) for one in said.identity_files)
    further = before or said.proxy_jump
    return Login(
        host=f"{host.name} (the host on the way to it)",
        address=address,
        port=port or said.port or DEFAULT_PORT,
        user=user or said.user or _own_name(),
        known_as=(said.host_key_alias or address,),
        known_hosts=os.path.expanduser(host.ssh.known_hosts),
        keys=keys or _keys(host, Options(name), address),
        allow_agent=host.ssh.allow_agent,
        passphrase=host.ssh.passphrase,
        jump=_jump(further, host, user_config, depth + 1),
        connect_timeout=host.ssh.connect_timeout,
        command_timeout=host.ssh.command_timeout,
        commanded=said.commanded,
    )


def _destination(text: str) -> tuple[str, int | None, str | None]:
    """Name, port and user of `[user@]host[:port]`; an IPv6 address stands in brackets."""
    user, _, place = text.removeprefix("ssh://").rpartition("@")
    name, colon, port = place.rpartition(":")
    if not colon or not port.isdecimal() or (":" in name and not name.endswith("]")):
        name, port = place, ""
    return name.strip("[]"), int(port) if port else None, user or None


def names(some: Sequence[str]) -> str:
    """File names for a sentence."""
    return ", ".join(some[:3]) + (" …" if len(some) > 3 else "")


def _own_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        words = "It is not said as whom to log in: set user under its ssh in the configuration."
        raise StoreError(Code.CONFIG_INVALID, words) from None
