"""Private keys: files, and those that an agent holds. Errors name the path and nothing else."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import cast

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from paramiko.pkey import UnknownKeyType

from mailtrace_mcp.config.values import Secret
from mailtrace_mcp.errors import Code, visible
from mailtrace_mcp.logs.ssh.login import Login, names
from mailtrace_mcp.logs.store import StoreError

_BROKEN = (paramiko.SSHException, UnknownKeyType, ValueError, OSError, UnsupportedAlgorithm)
_MOST_OF_AGENT = 5  # sshd takes six tries and hangs up then (MaxAuthTries)


def file_keys(login: Login) -> list[paramiko.PKey]:
    """The keys of `login.keys`, in order; a file that ~/.ssh/config names may be missing, unless all
    are. Raises StoreError AUTH_FAILED or SECRET_MISSING."""
    found = [path for path in login.keys if login.keys_needed or os.path.exists(path)]
    if login.keys and not found:
        missing = visible(names(login.keys), 200)
        raise StoreError(Code.AUTH_FAILED, f"Of its keys none is there: {missing}.")
    return [_loaded(path, login.passphrase) for path in found]


def agent_keys(agent: paramiko.Agent) -> Iterator[paramiko.AgentKey]:
    """The first few keys of the agent that SSH_AUTH_SOCK names; none if there is no agent."""
    yield from agent.get_keys()[:_MOST_OF_AGENT]


def _loaded(path: str, passphrase: Secret | None) -> paramiko.PKey:
    """The key of a file, which may not be encrypted though a passphrase is there for others."""
    shown = visible(path, 200)
    _check(path, shown)
    try:
        return _opened(path, None)
    except _SealedError:
        if passphrase is None:
            words = f"Its key {shown} is encrypted: set passphrase under its ssh, as ${{NAME}}."
            raise StoreError(Code.SECRET_MISSING, words) from None
    except _BROKEN:
        words = f"Its key {shown} cannot be read: is it one as ssh-keygen writes them?"
        raise StoreError(Code.AUTH_FAILED, words) from None
    try:
        return _opened(path, passphrase)
    except (_SealedError, *_BROKEN):
        words = f"Its key {shown} cannot be opened with its passphrase."
        raise StoreError(Code.AUTH_FAILED, words) from None


class _SealedError(Exception):
    """The key is encrypted, and no passphrase was given."""


def _opened(path: str, passphrase: Secret | None) -> paramiko.PKey:
    # paramiko says str, but passes it on to cryptography, which wants bytes.
    opener = cast(str, passphrase.get_secret_value().encode()) if passphrase else None
    try:
        return paramiko.PKey.from_path(path, opener)
    except TypeError:  # that is how cryptography says it
        raise _SealedError from None


def _check(path: str, shown: str) -> None:
    """The file is there, is a file, and is its owner's alone, as OpenSSH demands."""
    try:
        status = os.stat(path)
    except OSError:
        words = f"Its key {shown} is not there, or may not be looked at."
        raise StoreError(Code.AUTH_FAILED, words) from None
    if not stat.S_ISREG(status.st_mode):
        raise StoreError(Code.AUTH_FAILED, f"Its key {shown} is not a file.")
    if status.st_uid == os.geteuid() and status.st_mode & 0o077:
        words = f"Its key {shown} may be read by others, and is not used: chmod 600."
        raise StoreError(Code.AUTH_FAILED, words)
