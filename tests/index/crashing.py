"""Processes that write an index and are killed at any moment: what is left is an index, and whole.

Run as a program: FOLDER ROUNDS SEED. It has no thread of its own, so that it may fork.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

from mailtrace_mcp.logs.index.failures import UnusableIndexError
from mailtrace_mcp.logs.index.host import HostIndex
from tests.index.test_following import Host, whole


def work(host: Host, seed: int) -> None:
    """Indexes what comes, by questions and by building, until it is killed."""
    host.random.seed(seed)
    host.machine.index = HostIndex(host.machine.folder / "index", host.machine.shape)
    while True:
        try:
            if host.random.random() < 0.3:
                host.build()
            else:
                host.check()
        except UnusableIndexError:  # the other one is writing
            time.sleep(0.001)


def main(folder: Path, rounds: int, seed: int) -> None:
    chosen = random.Random(seed)
    host = Host(folder, seed)
    host.build()
    for number in range(rounds):
        act = chosen.choice(["write", "write", "rename", "copy_and_truncate", "pack"])
        getattr(host, act)()
        host.machine.index.close()  # SQLite must not be carried over a fork
        workers = [_forked(host, seed + number + one) for one in range(2)]
        time.sleep(chosen.random() * 0.08)
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
            _, status = os.waitpid(worker, 0)
            if os.WIFEXITED(status):
                raise AssertionError(f"round {number}: a worker failed by itself")
        host.machine.index = HostIndex(folder / "index", host.machine.shape)
        host.check()
        whole(host.machine)
    host.build()
    _no_leftovers(host)


def _forked(host: Host, seed: int) -> int:
    worker = os.fork()
    if worker == 0:
        try:
            work(host, seed)
        finally:
            os._exit(1)
    return worker


def _no_leftovers(host: Host) -> None:
    index = host.machine.index
    with index.writing() as catalogue:
        assert catalogue is not None
        with catalogue.look():
            named = {one.name for one in catalogue.segments() if not one.inline}
    assert {path.name for path in index.folder.glob("*.keys")} == named
    assert not list(index.folder.glob("*.new"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
