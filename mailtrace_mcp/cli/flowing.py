"""`flow`: whether every mail that came into a cluster reached an end."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

import anyio

from mailtrace_mcp.cli.codes import of_coverage
from mailtrace_mcp.cli.printing import print_flow, print_json, progress_bar
from mailtrace_mcp.config import load
from mailtrace_mcp.questions import FlowQuestion, check_flow

EPILOG = """
exit codes: 0 every mail that came in has ended; 1 some have not, or none came in; 2 wrong usage or
configuration; 3 a host could not be read (3 beats 0 and 1)."""


def add_flow(command: argparse.ArgumentParser) -> None:
    """Add the options of `flow` beside the window."""
    add = command.add_argument
    add("cluster", metavar="CLUSTER", help="cluster or host; all: every host")
    add("keywords", nargs="*", metavar="KEYWORD", help="only mails that match all of them")
    add("--time", default="now", help="middle of the window (default: now)")
    add("--time-range", default="1h", metavar="RANGE",
        help="30m, 2h, 1d to both sides of the time (default: 1h)")  # fmt: skip
    add("--limit", type=int, default=50, help="stopped mails to show (1 to 200, default: 50)")
    add("--json", action="store_true",
        help="print exactly what the tool's structuredContent holds")  # fmt: skip


def flow(options: argparse.Namespace) -> int:
    """Look; gives the exit code. Raises MailtraceError for a question that cannot be asked."""
    config = load(options.config)
    asked = FlowQuestion(
        options.cluster,
        options.time,
        options.time_range,
        tuple(options.keywords),
        options.limit,
    )
    with progress_bar() as progress:
        answer = anyio.run(check_flow, config, asked, datetime.now(UTC), progress)
    print_json(answer) if options.json else print_flow(answer)
    good = bool(answer.came_in) and not answer.stopped
    return of_coverage(good, answer.coverage, whole=good)
