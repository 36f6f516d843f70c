"""`python -m bench.work JOB LOG …`: what is measured as a process of its own."""

from __future__ import annotations

import sys
from datetime import UTC, timedelta
from pathlib import Path

from bench import genlog
from bench.setting import order
from mailtrace_mcp.logs.index import HostIndex, build
from mailtrace_mcp.logs.local import LocalStore
from mailtrace_parsers.entry import Clock
from mailtrace_parsers.read import read, records

_BLOCK = 1 << 20


def events(log: Path) -> int:
    """Reads every line of a log; how many there were."""
    clock = Clock(UTC, genlog.START + timedelta(days=30))
    count, rest = 0, b""
    with log.open("rb") as file:
        while block := file.read(_BLOCK):
            data = rest + block
            end = data.rfind(b"\n") + 1
            for raw in records(data[:end]):
                read(raw, clock)
                count += 1
            rest = data[end:]
    return count


def index(log: Path, folder: Path) -> int:
    """Builds the index of a log; how many bytes were read."""
    return build(HostIndex(folder), LocalStore(), order(log)).size


def main() -> None:
    job, log, *more = sys.argv[1:]
    done = events(Path(log)) if job == "events" else index(Path(log), Path(more[0]))
    sys.stdout.write(f"{done}\n")


if __name__ == "__main__":
    main()
