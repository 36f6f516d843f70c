"""A machine that could not be asked, as a finding with what to do about it."""

from __future__ import annotations

from mailtrace_mcp.checks.finding import CheckName, Finding, bad
from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.store import StoreError

_ADVICE: dict[str, str] = {
    Code.HOST_UNREACHABLE: "Check its address and its SSH port, that sshd runs there, and the firewall "
    "between.",
    Code.HOST_TIMEOUT: "Check its address, its SSH port and the firewall between; ssh.connect_timeout and "
    "command_timeout are how long it is waited for.",
    Code.AUTH_FAILED: "Check user and key under its ssh, and the key in authorized_keys there "
    "(docs/hosts.md).",
    Code.SECRET_MISSING: "Set passphrase or password under its ssh, as ${NAME}.",
    Code.CONFIG_INVALID: "Check its ssh section, and ~/.ssh/config.",
    Code.REMOTE_COMMAND_FAILED: "Check what this user may do there (docs/hosts.md).",
    Code.FILE_DENIED: "Let it read: its user in the group systemd-journal, and the word journal behind "
    "mailtrace-read where that is the forced command (docs/hosts.md).",
}


def failure(check: CheckName, error: StoreError) -> Finding:
    """What stopped a check, with what to do about it: its own words where they say it."""
    found, _, more = str(error).partition(". ")
    default = _ADVICE.get(error.code, "See docs/hosts.md.")
    return bad(check, found.removesuffix(".") + ".", more or default, error.code)
