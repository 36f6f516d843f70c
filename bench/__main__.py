"""`make bench`: the targets of speed, each as a ratio, met or not, as Markdown."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from bench import (
    cluster,
    connections,
    following,
    lookups,
    machine,
    reading,
    report,
    sending,
    serving,
)
from bench.programs import MissingError
from bench.report import Row
from bench.setting import Setting
from bench.sizes import shown, size

TARGETS: tuple[tuple[str, Callable[[Setting], Iterator[Row]]], ...] = (
    ("T1", reading.index_speed),
    ("T2", reading.index_size),
    ("T3", lookups.with_index),
    ("T4", lookups.without_index),
    ("T5", following.grown),
    ("T6", cluster.traced),
    ("T7", connections.warm_connection),
    ("T8", connections.many_hosts),
    ("T9", reading.event_speed),
    ("T10", serving.tools),
    ("T11", sending.sent),
    ("T11", sending.rendered),
)


def rows(setting: Setting, wanted: Collection[str] = ()) -> Iterator[Row]:
    """The figures of these targets (none: of all), each as soon as it is known."""
    for name, measure in TARGETS:
        if not wanted or name in wanted:
            try:
                yield from measure(setting)
            except MissingError as error:
                yield report.not_measured(name, str(error))


def main() -> None:
    given = _parser().parse_args()
    wanted = given.only.upper().split(",") if given.only else ()
    with tempfile.TemporaryDirectory(prefix="mailtrace-bench-", dir=given.folder) as folder:
        setting = Setting(Path(folder), given.size, given.pairs)
        conditions = (
            f"Logs of {shown(given.size)} each; medians of {given.pairs} pairs run in turns, in brackets"
            " between what they lie."
        )
        told: list[str] = []
        for line in report.lines(machine.described(), conditions, rows(setting, wanted)):
            told.append(line)
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
    if given.report is not None:
        given.report.write_text("\n".join(told) + "\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--size", type=size, default=size("100M"), help="of a log: 100M, 1G (100M)")
    parser.add_argument("--pairs", type=int, default=5, help="of runs, for each comparison (5)")
    parser.add_argument("--only", help="some targets, with commas between: T1,T9")
    parser.add_argument("--report", type=Path, help="a file to write the report to, besides stdout")
    parser.add_argument(
        "--folder", type=Path, help="where there is room for the logs (a temporary one)"
    )
    return parser


if __name__ == "__main__":
    main()
