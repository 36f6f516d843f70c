"""`check`: hosts, SMTP profiles and sending domains looked at, with what to do about what failed."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

import anyio

from mailtrace_mcp.answers import CheckAnswer
from mailtrace_mcp.cli.codes import FOUND, INCOMPLETE, NOTHING
from mailtrace_mcp.cli.printing import print_checks, print_json, progress_bar
from mailtrace_mcp.config import load
from mailtrace_mcp.questions import CheckQuestion, check_hosts

EPILOG = """\
No mail is sent and nothing is written. What failed says what to do.

exit codes: 0 all is well; 1 a check failed; 2 wrong usage or configuration; 3 a host cannot be read, or
not all of its files (3 beats 1)."""
# Checks of a host without which its log is not read, or not all of it.
_NEEDED = ("reachable", "host_key", "login", "commands", "sftp", "files")


def add_check(command: argparse.ArgumentParser) -> None:
    """Add the options of `check`."""
    add = command.add_argument
    add("hosts", nargs="*", metavar="HOST", help="host or cluster (default: all)")
    add("--no-profiles", action="store_true", help="do not try the SMTP profiles")
    add("--no-dns", action="store_true", help="do not look up the domains of senders")
    add("--json", action="store_true",
        help="print exactly what the tool's structuredContent holds")  # fmt: skip


def check(options: argparse.Namespace) -> int:
    """Look; gives the exit code. Raises MailtraceError for a question that cannot be asked."""
    config = load(options.config)
    asked = CheckQuestion(tuple(options.hosts), not options.no_profiles, not options.no_dns)
    with progress_bar("checking") as progress:
        answer = anyio.run(check_hosts, config, asked, datetime.now(UTC), progress)
    print_json(answer) if options.json else print_checks(answer)
    return _code(answer)


def _code(answer: CheckAnswer) -> int:
    for host in answer.hosts:
        if any(one.ok is False and one.check in _NEEDED for one in host.checks):
            return INCOMPLETE
    every = (*answer.hosts, *answer.profiles, *answer.domains)
    return NOTHING if any(one.ok is False for one in every) else FOUND
