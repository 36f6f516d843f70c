"""Commands run, errors told in one line, and the exit code."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import anyio

from mailtrace_mcp import questions
from mailtrace_mcp.answers import TraceAnswer
from mailtrace_mcp.answers.trust import clean
from mailtrace_mcp.cli.clients import client_config, where_to_put
from mailtrace_mcp.cli.codes import BUG, FOUND, INTERRUPTED, USAGE, of_coverage
from mailtrace_mcp.cli.growing import growing
from mailtrace_mcp.cli.pages import for_page, write_page
from mailtrace_mcp.cli.parser import PROG, parse
from mailtrace_mcp.cli.printing import (
    print_json,
    print_query,
    print_text,
    print_trace,
    progress_bar,
)
from mailtrace_mcp.cli.received import headers_of
from mailtrace_mcp.config import Config, load
from mailtrace_mcp.errors import Code, MailtraceError
from mailtrace_mcp.release import version

_LONGEST_ERROR = 2000


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; gives the exit code. Never a traceback, unless MAILTRACE_DEBUG is set."""
    try:
        options = parse(sys.argv[1:] if argv is None else argv, version())
        return _COMMANDS[options.command](options)
    except MailtraceError as error:
        return _told(str(error), USAGE)
    except BrokenPipeError:
        return _nobody_reads()
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("MAILTRACE_DEBUG"):
            raise
        words = f"{type(error).__name__}: {error}"
        return _told(f"this is a bug ({words}); MAILTRACE_DEBUG=1 shows where", BUG)


def _told(words: str, code: int) -> int:
    sys.stderr.write(f"{PROG}: {clean(words, _LONGEST_ERROR)}\n")
    return code


def _nobody_reads() -> int:
    """The reader of our output has gone, as `head` does: nothing more to say, also not at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FOUND


def _query(options: argparse.Namespace) -> int:
    config = for_page(options, load(options.config))
    asked = questions.LogQuestion(
        keywords=tuple(options.keywords),
        host=options.host,
        time=options.time,
        time_range=options.time_range,
        role=options.role,
        status=options.status,
        limit=options.limit,
        cursor=options.cursor,
        detail=options.detail,
    )
    with progress_bar() as progress:
        answer = anyio.run(questions.query_logs, config, asked, datetime.now(UTC), progress)
    code = of_coverage(bool(answer.matched), answer.coverage, bool(answer.matched))
    if options.html is not None:
        write_page(answer, options.html)
    else:
        print_json(answer) if options.json else print_query(answer)
    return code


def _trace(options: argparse.Namespace) -> int:
    config = for_page(options, load(options.config))
    asked = questions.MailQuestion(
        queue_id=options.queue_id,
        message_id=options.message_id,
        keywords=tuple(options.keywords),
        headers=headers_of(options.eml) if options.eml is not None else None,
        host=options.host,
        time=options.time,
        time_range=options.time_range,
        graph=options.graph,
        detail=options.detail,
        limit=options.limit,
        follow_seconds=options.follow or 0,
    )
    answer, interrupted = _traced(options, config, asked)
    found = bool(answer.traces) and (not options.check or _all_delivered(answer))
    if options.html is not None:
        write_page(answer, options.html)
    else:
        print_json(answer) if options.json else print_trace(answer, options.graph)
    whole = bool(answer.traces) and all(trace.complete for trace in answer.traces)
    return INTERRUPTED if interrupted else of_coverage(found, answer.coverage, whole)


def _traced(
    options: argparse.Namespace, config: Config, asked: questions.MailQuestion
) -> tuple[TraceAnswer, bool]:
    """The answer, and whether Ctrl-C ended the following: then it is the latest."""
    now = datetime.now(UTC)
    if options.follow is None:
        with progress_bar() as progress:
            return anyio.run(questions.trace_mail, config, asked, now, progress), False
    looks: list[TraceAnswer] = []
    with growing(aside=options.json or options.graph in ("mermaid", "dot")) as watching:

        def see(answer: TraceAnswer) -> None:
            looks[:] = [answer]
            watching.onlooker(answer)

        try:
            answer = anyio.run(questions.trace_mail, config, asked, now, watching.progress, see)
        except KeyboardInterrupt:
            if not looks:
                raise
            return looks[0], True
    return answer, False


def _all_delivered(answer: TraceAnswer) -> bool:
    return all(one.outcome == "sent" for trace in answer.traces for one in trace.recipients)


def _send(options: argparse.Namespace) -> int:
    from mailtrace_mcp.cli.sending import send

    return send(options)


def _flow(options: argparse.Namespace) -> int:
    from mailtrace_mcp.cli.flowing import flow

    return flow(options)


def _check(options: argparse.Namespace) -> int:
    from mailtrace_mcp.cli.checking import check

    return check(options)


def _index(options: argparse.Namespace) -> int:
    from mailtrace_mcp.cli.indexing import index

    return index(options)


def _serve(options: argparse.Namespace) -> int:
    from mailtrace_mcp.server import serve

    serve(options.config, read_only=options.read_only, tool_prefix=options.tool_prefix)
    return FOUND


def _demo(options: argparse.Namespace) -> int:
    from mailtrace_mcp.demo import run

    if options.config is not None:
        words = "demo has hosts and a configuration of its own: leave --config out."
        raise MailtraceError(Code.INVALID_ARGUMENT, words)
    return run()


def _print_config(options: argparse.Namespace) -> int:
    config = load(options.config)
    sys.stderr.write(where_to_put(options.client) + "\n")
    print_text(client_config(options.client, config.path))
    return FOUND


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "query": _query,
    "trace": _trace,
    "send": _send,
    "flow": _flow,
    "check": _check,
    "index": _index,
    "serve": _serve,
    "demo": _demo,
    "print-config": _print_config,
}
