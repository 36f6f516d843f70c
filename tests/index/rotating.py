"""A log that is written quickly and rotated often, as rsyslog and logrotate do it.

Run as a program: FOLDER SECONDS PERIOD. It writes `mail.log`, and renames it every PERIOD seconds; whoever
writes goes on for a moment into the renamed file, as a daemon does before it is told. The older
files are renamed on, `.1` is packed at the next turn (delaycompress). What was written stands in `written`:
a count, which grows after a line was written, and the time of each line.
"""

from __future__ import annotations

import gzip
import mmap
import os
import shutil
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

RATE = 2000  # lines a second
_LATE = 0.05  # seconds for which a daemon writes on into the renamed file
_BATCH = 0.005  # seconds
_MOST = 400_000  # lines


@dataclass
class Written:
    """The table of what was written, shared by the writer and those who read."""

    table: mmap.mmap

    @classmethod
    def at(cls, folder: Path) -> Written:
        path = folder / "written"
        if not path.exists():
            with path.open("wb") as file:
                file.truncate(8 * (1 + _MOST))
        with path.open("r+b") as file:
            return cls(mmap.mmap(file.fileno(), 0))

    @property
    def count(self) -> int:
        (count,) = struct.unpack_from("q", self.table)
        return int(count)

    def add(self, microseconds: int) -> None:
        count = self.count
        struct.pack_into("q", self.table, 8 * (1 + count), microseconds)
        struct.pack_into("q", self.table, 0, count + 1)

    def between(self, first: int, last: int, count: int) -> set[int]:
        """The numbers of those of the first `count` lines that bear a time in [first, last]."""
        times = struct.unpack_from(f"{count}q", self.table, 8)
        return {number for number, at in enumerate(times) if first <= at <= last}


def microseconds(at: datetime) -> int:
    return round(at.timestamp() * 1e6)


def line(number: int, at: int) -> bytes:
    stamp = datetime.fromtimestamp(at / 1e6, UTC).isoformat(timespec="microseconds")
    queue_id = f"{0xA0000000 + number:X}"
    return f"{stamp} mx1 postfix/qmgr[7]: {queue_id}: removed number={number}\n".encode()


def rotate(log: Path) -> None:
    numbers = sorted(_numbers(log), reverse=True)
    for number, end in numbers:
        log.with_name(f"mail.log.{number}{end}").rename(
            log.with_name(f"mail.log.{number + 1}{end}")
        )
    log.rename(log.with_name("mail.log.1"))
    old = log.with_name("mail.log.2")
    if old.exists():
        with old.open("rb") as text, gzip.open(log.with_name("mail.log.2.gz"), "wb") as packed:
            shutil.copyfileobj(text, packed, 4096)
        status = old.stat()
        os.utime(log.with_name("mail.log.2.gz"), (status.st_atime, status.st_mtime))
        old.unlink()


def _numbers(log: Path) -> Iterator[tuple[int, str]]:
    for path in log.parent.glob("mail.log.*"):
        parts = path.name.split(".")
        yield int(parts[2]), ".gz" if path.name.endswith(".gz") else ""


def main(folder: Path, seconds: float, period: float) -> None:
    written = Written.at(folder)
    log = folder / "logs" / "mail.log"
    begun = time.time()
    turn = begun + period
    reopen = float("inf")
    file = log.open("ab", buffering=0)
    while (now := time.time()) < begun + seconds:
        for _ in range(written.count, int((now - begun) * RATE)):
            at = int(time.time() * 1e6)
            file.write(line(written.count, at))
            written.add(at)
        if now >= turn:
            rotate(log)
            turn, reopen = now + period, time.time() + _LATE
        if now >= reopen:
            file.close()
            file, reopen = log.open("ab", buffering=0), float("inf")
        time.sleep(_BATCH)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
