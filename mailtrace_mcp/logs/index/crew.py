"""Blocks read by several processes: one uses one core, and a first index of a large log takes a while."""

from __future__ import annotations

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import islice
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection

from mailtrace_mcp.logs.blocks import Block
from mailtrace_mcp.logs.index.failures import UnusableIndexError
from mailtrace_mcp.logs.index.reading import Abstract, abstract

# Blocks, each with where the next one begins, and the file's reference → what is kept of each.
Reader = Callable[[Iterable[tuple[Block, int]], datetime], Iterator[tuple[Abstract, int]]]

_AT_ONCE = 8  # blocks that one process is given


def alone(
    blocks: Iterable[tuple[Block, int]], reference: datetime
) -> Iterator[tuple[Abstract, int]]:
    """A Reader that is this process."""
    for block, end in blocks:
        yield abstract(block, reference), end


@contextmanager
def crew(count: int) -> Iterator[Reader]:
    """A Reader of `count` processes besides this one. They end with it, however it ends: what they
    wait on is closed then."""
    context = multiprocessing.get_context("spawn")
    ours: list[Connection] = []
    workers = []
    for _ in range(count):
        mine, theirs = context.Pipe()
        worker = context.Process(target=_serve, args=(theirs,), daemon=True)
        with _uninterrupted():
            worker.start()
        theirs.close()
        ours.append(mine)
        workers.append(worker)
    try:
        yield lambda blocks, reference: _read(ours, blocks, reference)
    finally:
        for mine in ours:
            mine.close()
        for worker in workers:
            worker.join()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """A process that is started inside is not ended by Ctrl-C, from its first moment on: who started it
    is, and closes the connection."""
    resource_tracker.ensure_running()  # it is started with the first process, and lets SIGINT in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _read(
    workers: list[Connection], blocks: Iterable[tuple[Block, int]], reference: datetime
) -> Iterator[tuple[Abstract, int]]:
    """In order: each process has one batch, and is given the next when it has answered."""
    rest = iter(blocks)
    idle = deque(workers)
    busy: deque[tuple[Connection, list[int]]] = deque()
    try:
        while batch := list(islice(rest, _AT_ONCE)):
            if not idle:
                yield from _answered(busy, idle)
            worker = idle.popleft()
            worker.send((reference, [block for block, _ in batch]))
            busy.append((worker, [end for _, end in batch]))
        while busy:
            yield from _answered(busy, idle)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise UnusableIndexError("a process that read for it was ended") from None
    finally:  # what was asked for is answered, whether it is still of use or not
        with suppress(EOFError, OSError):
            for worker, _ in busy:
                worker.recv()


def _answered(
    busy: deque[tuple[Connection, list[int]]], idle: deque[Connection]
) -> list[tuple[Abstract, int]]:
    worker, ends = busy.popleft()
    found: list[Abstract] = worker.recv()
    idle.append(worker)
    return list(zip(found, ends, strict=True))


def _serve(connection: Connection) -> None:
    with suppress(EOFError, OSError):  # who gave the work has gone
        while True:
            reference, blocks = connection.recv()
            connection.send([abstract(block, reference) for block in blocks])
