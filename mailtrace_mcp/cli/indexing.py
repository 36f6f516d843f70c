"""`index`: the indexes of logs filled, a bar for each host on a terminal, a line for each in a pipe."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import anyio
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.progress import TransferSpeedColumn as SpeedColumn

from mailtrace_mcp.answers.index_types import IndexAnswer, IndexedLogs
from mailtrace_mcp.cli.codes import FOUND, INCOMPLETE, INTERRUPTED
from mailtrace_mcp.cli.printing import print_json, print_text
from mailtrace_mcp.config import load
from mailtrace_mcp.questions.indexing import Indexing, IndexProgress, IndexQuestion
from mailtrace_mcp.views.indexing import index_line

EPILOG = """\
Questions are answered without an index, too; with one, those over long windows are much quicker. It
follows by itself what is written later, up to 16 MB at a question. It may be deleted at any time, and
ended with Ctrl-C: what is done is kept.

exit codes: 0 all are up to date; 2 wrong usage or configuration; 3 logs could not be read, or not all of
them."""


def add_index(command: argparse.ArgumentParser) -> None:
    """Add the options of `index`."""
    add = command.add_argument
    add("hosts", nargs="*", metavar="HOST", help="host or cluster (default: all)")
    add("--host", action="append", default=[], help="the same")
    add("--since", metavar="TIME",
        help="index only what was written since (default: index.retention of the configuration)")  # fmt: skip
    add("--json", action="store_true", help="print what was done as JSON")


def index(options: argparse.Namespace) -> int:
    """Fill the indexes; gives the exit code. Raises MailtraceError for what cannot be asked."""
    config = load(options.config)
    asked = IndexQuestion((*options.hosts, *options.host), options.since)
    interrupted = False
    with _bars() as bars:
        at_once = bars is None and not options.json
        told = _print_line if at_once else None
        indexing = Indexing(config, asked, datetime.now(UTC), bars, told)
        try:
            answer = anyio.run(indexing.run)
        except KeyboardInterrupt:
            interrupted, answer = True, indexing.end()
    if options.json:
        print_json(answer)
    else:
        _print(answer, {"stopped"} if at_once else None)
    return INTERRUPTED if interrupted else _code(answer)


def _print(answer: IndexAnswer, left: set[str] | None) -> None:
    """The lines (those in a state of `left`, the others stand there; None: all), and the summary."""
    for one in answer.hosts:
        if left is None or one.state in left:
            _print_line(one)
    print_text(answer.summary)


def _print_line(one: IndexedLogs) -> None:
    print_text(index_line(one))


def _code(answer: IndexAnswer) -> int:
    bad = any(one.state in ("partial", "failed") for one in answer.hosts)
    return INCOMPLETE if bad else FOUND


@contextmanager
def _bars() -> Iterator[IndexProgress | None]:
    """What to tell about progress: a bar for each host on a terminal; None elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    words = TextColumn("{task.description}", markup=False)
    columns = (words, BarColumn(), DownloadColumn(), SpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        tasks = {}

        def tell(host: str, done: int, total: int, path: str) -> None:
            if host not in tasks:
                tasks[host] = bars.add_task(host, total=None)
            bars.update(tasks[host], completed=done, total=total)

        yield tell
