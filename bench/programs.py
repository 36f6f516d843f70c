"""The programs that ours is compared with, and what is not installed."""

from __future__ import annotations

import os
import shutil

_SYSTEM = "/usr/sbin:/sbin"  # where servers lie, which not everybody's PATH has
_PACKAGES = {
    "pflogsumm": "pflogsumm",
    "rg": "ripgrep",
    "grep": "grep",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "sshd": "openssh-server",
    "smtp-source": "postfix",
    "smtp-sink": "postfix",
}


class MissingError(Exception):
    """A program is not installed; `str` says which."""


def program(name: str) -> str:
    """Where a program lies. Raises MissingError."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SYSTEM}")
    if found is None:
        raise MissingError(f"needs {name} (Debian package {_PACKAGES[name]})")
    return found
