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
from mailtrace_mcp.cli.codes import FOUND, INCOMPLETE, INTERRUPTED, NOTHING, USAGE, of_coverage
from mailtrace_mcp.cli.growing import Watching, growing
from mailtrace_mcp.cli.printing import print_json, print_sent, progress_bar
from mailtrace_mcp.cli.send_options import operator_words, question
from mailtrace_mcp.config import load
from mailtrace_mcp.errors import Code, MailtraceError, visible
from mailtrace_mcp.questions import Dispatch, reads_only
from mailtrace_mcp.send import write_export

# Nothing was tried, and what is to be mended is on this side.
_OURS = (Code.SECRET_MISSING, Code.CONFIG_INVALID)


def send(options: argparse.Namespace) -> int:
    """Send; gives the exit code. Raises MailtraceError for what is not begun, and FILE_DENIED, after
    everything was told, if the export could not be written."""
    config, asked = load(options.config), question(options)
    words = operator_words(options, config.own)
    if reads_only(config) and not asked.dry_run:
        raise MailtraceError(Code.NOT_ALLOWED, "MAILTRACE_READ_ONLY forbids sending.")
    if options.export_records is not None:
        _check_writable(options.export_records)
    with _watching(options) as watching:

        def sent(answer: SendAnswer) -> None:
            watching.said(answer.summary)
            _export(options, dispatch)  # now: following may be ended from outside

        now = datetime.now(UTC)
        dispatch = Dispatch(config, asked, now, words, watching.onlooker, sent)
        interrupted, answer = False, None
        try:
            answer = anyio.run(dispatch.run, watching.progress)
        except KeyboardInterrupt:
            if not dispatch.begun:
                raise
            interrupted = True
    answer = answer or dispatch.answer()
    print_json(answer) if options.json else print_sent(answer)
    if (denied := _export(options, dispatch)) is not None:
        raise denied
    return INTERRUPTED if interrupted else _code(answer)


def _export(options: argparse.Namespace, dispatch: Dispatch) -> MailtraceError | None:
    """Write the records where that is wanted; gives what hindered it."""
    if options.export_records is None or options.dry_run:
        return None
    try:
        write_export(dispatch.records, options.export_records)
    except MailtraceError as error:
        return error
    return None


@contextmanager
def _watching(options: argparse.Namespace) -> Iterator[Watching]:
    """The tree that grows with --follow, else the progress bar."""
    if options.follow is not None and not options.dry_run:
        with growing(aside=options.json) as watching:
            yield watching
        return
    with progress_bar("sending") as progress:
        yield Watching(progress, lambda _: None, lambda _: None)


def _code(answer: SendAnswer) -> int:
    if answer.plan is not None:
        return FOUND if answer.plan.allowed else USAGE
    if answer.code in _OURS:
        return USAGE
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
