"""How much memory a program takes with all that it starts."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

_EVERY = 0.02  # seconds between two looks


def peak(command: Sequence[str], cwd: Path) -> int:
    """The most that a program and its processes had at once, in bytes: pages that they share count
    once (Pss of proc_pid_smaps_rollup(5)). Raises CalledProcessError."""
    process = subprocess.Popen(command, cwd=cwd, stdout=subprocess.DEVNULL)
    most = 0
    ended = threading.Event()

    def wait() -> None:
        process.wait()
        ended.set()

    waiter = threading.Thread(target=wait)
    waiter.start()
    while not ended.wait(_EVERY):
        most = max(most, sum(map(_proportional, _family(process.pid))))
    waiter.join()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return most


def _family(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):  # it has ended
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _family(int(child))


def _proportional(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
