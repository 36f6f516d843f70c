"""`send`: a test mail or a run of them by the operator's own words, with what was done told at any end."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import anyio

from mailtrace_mcp.answers import SendAnswer
from mailtrace_mcp.cli.codes import FOUND, INCOMPLETE, INTERRUPTED, NOTHING, of_coverage
from mailtrace_mcp.cli.growing import Watching, growing
from mailtrace_mcp.cli.printing import print_json, print_sent, progress_bar
from mailtrace_mcp.cli.send_options import operator_words, question
from mailtrace_mcp.config import load
from mailtrace_mcp.errors import Code, MailtraceError, visible
from mailtrace_mcp.questions import Dispatch, reads_only
from mailtrace_mcp.send import write_export


def send(options: argparse.Namespace) -> int:
    """Send; gives the exit code. Raises MailtraceError for what is not begun."""
    asked, words = question(options), operator_words(options, os.environ)
    if reads_only(os.environ) and not asked.dry_run:
        raise MailtraceError(Code.NOT_ALLOWED, "MAILTRACE_READ_ONLY forbids sending.")
    if options.export_records is not None:
        _check_writable(options.export_records)
    config = load(options.config)
    with _watching(options) as watching:
        dispatch = Dispatch(config, asked, datetime.now(UTC), words, watching.onlooker)
        interrupted, answer = False, None
        try:
            answer = anyio.run(dispatch.run, watching.progress)
        except KeyboardInterrupt:
            if not dispatch.begun:
                raise
            interrupted = True
    answer = answer or dispatch.answer()
    if options.export_records is not None and not asked.dry_run:
        write_export(dispatch.records, options.export_records)
    print_json(answer) if options.json else print_sent(answer)
    return INTERRUPTED if interrupted else _code(answer)


@contextmanager
def _watching(options: argparse.Namespace) -> Iterator[Watching]:
    """The tree that grows with --follow, else the progress bar."""
    if options.follow is not None and not options.dry_run:
        with growing(aside=options.json) as watching:
            yield watching
        return
    with progress_bar("sending") as progress:
        yield Watching(progress, lambda _: None)


def _code(answer: SendAnswer) -> int:
    if answer.plan is not None:
        return FOUND if answer.plan.allowed else NOTHING
    if answer.outcome == "unknown" or any(one.success is None for one in answer.records):
        return INCOMPLETE
    code = FOUND if answer.outcome == "accepted" else NOTHING
    if answer.trace is None:
        return code
    traces = answer.trace.traces
    whole = bool(traces) and all(one.complete for one in traces)
    return of_coverage(code == FOUND, answer.trace.coverage, whole)


def _check_writable(path: Path) -> None:
    """Before anything is sent: what was done must find its place."""
    folder = path.parent
    good = os.access(path, os.W_OK) if path.exists() else os.access(folder, os.W_OK)
    if path.is_dir() or not folder.is_dir() or not good:
        words = f"--export-records {visible(str(path), 200)} cannot be written."
        raise MailtraceError(Code.FILE_DENIED, words)
