"""`--html FILE`: an answer as one page in a file, and one sentence of it on the terminal."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from mailtrace_mcp.answers import QueryAnswer, TraceAnswer
from mailtrace_mcp.cli.printing import print_text
from mailtrace_mcp.config import Config
from mailtrace_mcp.errors import Code, MailtraceError, visible
from mailtrace_mcp.views.page import page

# A page is read by people, in parts that open by a click, and by no agent: it may hold every log line.
PAGE_CHARS = 5_000_000


def add_html(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--html", type=Path, metavar="FILE",
        help="write one self-contained page with the drawing, the timeline and all log lines",
    )  # fmt: skip


def for_page(options: argparse.Namespace, config: Config) -> Config:
    """The configuration, with room for a page where one is asked for; `detail` is then full.

    Raises MailtraceError, before anything is searched, for what cannot go with a page and for a file
    that cannot be written.
    """
    if options.html is None:
        return config
    if options.json or getattr(options, "graph", "text") in ("mermaid", "dot"):
        words = "--html cannot go with --json, --graph mermaid or --graph dot; give one of them."
        raise MailtraceError(Code.INVALID_ARGUMENT, words)
    _check_writable(options.html)
    options.detail = "full"
    chars = max(PAGE_CHARS, config.limits.answer_chars)
    return replace(config, limits=config.limits.model_copy(update={"answer_chars": chars}))


def write_page(answer: TraceAnswer | QueryAnswer, path: Path) -> None:
    """Write the page, readable by this user only, and say so. Raises FILE_DENIED."""
    text = page(answer)
    try:
        with open(path, "w", encoding="utf-8", opener=_for_its_user) as file:
            file.write(text)
    except OSError as error:
        raise _denied(path, os.strerror(error.errno or 0)) from None
    print_text(answer.summary)
    sys.stderr.write("".join(f"{hint}\n" for hint in answer.hints))
    sys.stderr.write(f"The page is in {visible(str(path), 200)}\n")


def _for_its_user(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _check_writable(path: Path) -> None:
    if not path.parent.is_dir():
        raise _denied(path, "there is no such folder")
    if path.is_dir():
        raise _denied(path, "it is a folder")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise _denied(path, "permission denied")


def _denied(path: Path, why: str) -> MailtraceError:
    return MailtraceError(
        Code.FILE_DENIED, f"--html {visible(str(path), 200)} cannot be written: {why}."
    )
