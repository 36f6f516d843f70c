"""Answers on a terminal and in a pipe: colours, a table and a progress bar there, plain text here."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from mailtrace_mcp.answers import (
    CheckAnswer,
    FlowAnswer,
    QueryAnswer,
    SendAnswer,
    TraceAnswer,
    as_json,
)
from mailtrace_mcp.answers.parts import Part
from mailtrace_mcp.logs.gather import Progress
from mailtrace_mcp.views.branches import ASCII, UNICODE, Branches
from mailtrace_mcp.views.checks import check_text
from mailtrace_mcp.views.flow import flow_text
from mailtrace_mcp.views.sent import send_text
from mailtrace_mcp.views.text import HEADINGS, after_the_table, query_text, rows, trace_text

_SHOWN_AFTER = 1.0  # seconds: what is quicker needs no progress bar
_COLOURS = {
    "sent": "green",
    "accepted": "green",
    "refused": "red",
    "deferred": "yellow",
    "queued": "yellow",
    "held": "yellow",
    "bounced": "red",
    "expired": "red",
    "rejected": "red",
    "unknown": "magenta",
    "FAILED": "red",
}


def print_json(answer: Part) -> None:
    """Exactly the tool's structuredContent."""
    _write(json.dumps(as_json(answer), indent=2, ensure_ascii=not _can_show("├é")))


def print_trace(answer: TraceAnswer, graph: str) -> None:
    """The trees; or the drawings alone, for other programs, and the rest on stderr."""
    if graph in ("mermaid", "dot"):
        _write("\n".join(trace.graph for trace in answer.traces if trace.graph))
        sys.stderr.write("\n".join([answer.summary, *answer.hints]) + "\n")
        return
    _show(trace_text(answer, branches()))


def print_query(answer: QueryAnswer) -> None:
    console = Console()
    if not console.is_terminal or not answer.mails:
        _show(query_text(answer))
        return
    table = Table(*HEADINGS, header_style="bold", pad_edge=False, box=None)
    for row in rows(answer.mails):
        table.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in row))
    console.print(Text(answer.summary, style="bold"))
    console.print(table)
    _show("\n\n".join(after_the_table(answer)))


def print_sent(answer: SendAnswer) -> None:
    """What became of a test mail."""
    _show(send_text(answer, branches()))


def print_checks(answer: CheckAnswer) -> None:
    """Hosts, profiles and domains with what was found of each."""
    _show(check_text(answer))


def print_flow(answer: FlowAnswer) -> None:
    """What came into a cluster, and what of it stopped."""
    _show(flow_text(answer))


def print_text(text: str) -> None:
    """Any text of ours, as it is."""
    _write(text)


def _show(text: str) -> None:
    console = Console()
    if not console.is_terminal:
        _write(text)
        return
    console.print(coloured(text), soft_wrap=True)


def coloured(text: str) -> Text:
    """The text with its outcomes in colour."""
    shown = Text(text)
    for word, colour in _COLOURS.items():
        shown.highlight_words([f": {word}", f"→ {word}", f"-> {word}"], style=colour)
    return shown


def branches() -> Branches:
    """The lines of trees that stdout can show."""
    return UNICODE if _can_show("├→") else ASCII


def _can_show(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _write(text: str) -> None:
    encoding = sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    sys.stdout.flush()


@contextmanager
def progress_bar(doing: str = "searching") -> Iterator[Progress | None]:
    """What to tell about progress: a bar on a terminal, after a second; None elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    words = TextColumn("{task.description}", markup=False)
    bar = Bar(words, BarColumn(), MofNCompleteColumn(), console=console, transient=True)
    task = bar.add_task(doing, total=None)

    async def tell(done: int, total: int, said: str) -> None:
        bar.update(task, completed=done, total=total, description=said)

    later = threading.Timer(_SHOWN_AFTER, bar.start)
    later.daemon = True
    later.start()
    try:
        yield tell
    finally:
        later.cancel()
        later.join()
        bar.stop()
