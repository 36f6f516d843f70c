"""The lines of a host in order of time, with their stamps, into a file of a wanted size."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from bench.genlog.mails import Mails
from bench.genlog.people import People
from bench.genlog.queue import Queue

Stamps = Literal["rfc3339", "bsd"]

START = datetime(2026, 11, 20, tzinfo=UTC)
_RATE = 5.0  # mails a second, on average over a day
_AT_ONCE = 30.0  # seconds of the log that are put in order together
_LONGEST = 6.5  # seconds before a line's turn in which it may be made: postscreen rejects after six


@dataclass(frozen=True)
class Log:
    """A log that is written: its path, bytes, lines, and the times of its first and last line."""

    path: Path
    size: int
    lines: int
    start: datetime
    end: datetime


def write(
    path: Path,
    size: int,
    seed: int = 1,
    host: str = "mx1.example.net",
    stamps: Stamps = "rfc3339",
    long_ids: bool = False,
    plant: Sequence[tuple[float, str]] = (),
) -> Log:
    """Write at least `size` bytes and one block of lines more at most. `plant` are further lines as
    (second after START, text). The file's mtime is the time of its last line."""
    people = People(seed, long_ids)
    queue = Queue(people, host)
    mails = Mails(people, queue)
    queue.lines += plant
    form = _rfc3339 if stamps == "rfc3339" else _bsd
    now, written, count, last = 0.0, 0, 0, 0.0
    with path.open("wb", buffering=1 << 20) as file:
        while written < size:
            until = now + _AT_ONCE
            while now < until:
                now += people.random.expovariate(_rate(now))
                queue.retry_until(now)
                mails.arrive(now)
            for block in _due(queue, now - _LONGEST):
                data = form(block, host).encode()
                written, count, last = written + file.write(data), count + len(block), block[-1][0]
    end = START + timedelta(seconds=int(last))
    os.utime(path, (end.timestamp(), end.timestamp()))
    return Log(path, written, count, START, end)


def _rate(second: float) -> float:
    """Mails a second: most in the afternoon, few at night."""
    hour = second / 3600 % 24
    return _RATE * (1 + 0.8 * math.sin((hour - 9) / 12 * math.pi))


def _due(queue: Queue, until: float) -> list[list[tuple[float, str]]]:
    """The lines before `until`, in order, those of one second together; they leave the queue."""
    queue.lines.sort(key=lambda line: line[0])
    seconds: dict[int, list[tuple[float, str]]] = {}
    number = 0
    for number, line in enumerate(queue.lines):  # noqa: B007  it is used below
        if line[0] >= until:
            break
        seconds.setdefault(int(line[0]), []).append(line)
    else:
        number = len(queue.lines)
    del queue.lines[:number]
    return list(seconds.values())


def _rfc3339(block: Sequence[tuple[float, str]], host: str) -> str:
    second = int(block[0][0])
    begin = f"{START + timedelta(seconds=second):%Y-%m-%dT%H:%M:%S}."
    return "".join(
        [f"{begin}{int((at - second) * 1e6):06d}+00:00 {host} {text}\n" for at, text in block]
    )


def _bsd(block: Sequence[tuple[float, str]], host: str) -> str:
    begin = f"{START + timedelta(seconds=int(block[0][0])):%b %e %H:%M:%S} {host} "
    return "".join([f"{begin}{text}\n" for _, text in block])
