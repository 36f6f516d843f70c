"""Rows of figures as Markdown, each written as soon as it is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """A target, what was measured, and whether that meets it (None: it was not measured). `how` tells
    what was compared with what, and by which clock."""

    name: str
    target: str
    figure: str
    met: bool | None
    how: str


def not_measured(name: str, why: str) -> Row:
    return Row(name, "", f"not measured: {why}", None, "")


def lines(machine: str, conditions: str, rows: Iterable[Row]) -> Iterator[str]:
    """The report, line by line."""
    yield "# How fast it is"
    yield ""
    yield machine
    yield conditions
    yield ""
    yield "| # | target | figure | met | how |"
    yield "|---|---|---|---|---|"
    for row in rows:
        met = {True: "yes", False: "NO", None: "–"}[row.met]
        cells = (row.name, row.target, row.figure, met, row.how)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
