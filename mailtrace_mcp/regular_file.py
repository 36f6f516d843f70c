"""Opening what must be a file: a FIFO, device or directory is refused and never waited on."""

from __future__ import annotations

import os
import stat
from typing import BinaryIO


class NotRegularError(OSError):
    """The path leads to a directory, FIFO, socket or device; `str` says which."""


def open_regular(path: str) -> BinaryIO:
    """The file at `path`, opened for reading, unbuffered. Symbolic links are followed.

    Raises OSError as open(2) does, and NotRegularError. Opening never blocks: O_NONBLOCK lets a
    FIFO without a writer be opened, and then it is seen for what it is.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise NotRegularError(f"is {_kind(mode)}, not a regular file")
        return os.fdopen(descriptor, "rb", buffering=0)
    except BaseException:
        os.close(descriptor)
        raise


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a directory"
    if stat.S_ISFIFO(mode):
        return "a FIFO"
    if stat.S_ISSOCK(mode):
        return "a socket"
    return "a device"
