"""A mail that is followed, as it is seen: a tree that grows in place on a terminal, plain lines in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from mailtrace_mcp.answers import TraceAnswer
from mailtrace_mcp.cli.printing import branches, coloured, print_text
from mailtrace_mcp.logs.gather import Progress
from mailtrace_mcp.questions import Onlooker
from mailtrace_mcp.views.news import News
from mailtrace_mcp.views.text import tree


@dataclass(frozen=True)
class Watching:
    """Who is told while a mail is followed; `said` takes a sentence of ours, before the first look."""

    progress: Progress | None
    onlooker: Onlooker
    said: Callable[[str], None]


@contextmanager
def growing(aside: bool) -> Iterator[Watching]:
    """What to tell while following. `aside`: stdout belongs to the answer alone (JSON, a drawing), so
    lines go to stderr."""
    console = Console(stderr=aside)
    if not console.is_terminal:
        lines = _Lines(aside)
        yield Watching(None, lines, lines.say)
        return
    with Live(console=console, transient=True, refresh_per_second=8) as live:
        tree_shown = _Tree(live)
        yield Watching(tree_shown.progress, tree_shown, tree_shown.say)


class _Lines:
    """Each hop and each end in a line, as it appears."""

    def __init__(self, aside: bool) -> None:
        self._news = News()
        self._aside = aside

    def __call__(self, answer: TraceAnswer) -> None:
        for line in self._news.lines(answer):
            self.say(line)

    def say(self, line: str) -> None:
        if self._aside:
            encoding = sys.stderr.encoding or "ascii"
            sys.stderr.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        else:
            print_text(line)


class _Tree:
    """The trees as far as they are known, and below them what is going on."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._before, self._trees = Text(), Text()
        self._doing = Spinner("dots", Text("begins"))

    def __call__(self, answer: TraceAnswer) -> None:
        shown = branches()
        self._trees = coloured("\n".join(tree(one, shown) for one in answer.traces))
        self._show("waits for more, Ctrl-C ends")

    def say(self, line: str) -> None:
        self._before = Text(line)
        self._show("follows it")

    async def progress(self, done: int, total: int, said: str) -> None:
        self._show(said)

    def _show(self, doing: str) -> None:
        self._doing.update(text=Text(doing))
        self._live.update(Group(self._before, self._trees, self._doing))
