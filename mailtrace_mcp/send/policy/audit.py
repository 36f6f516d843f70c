"""What was sent and what was refused, for the operator to read: one JSON line each, only ever added."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mailtrace_mcp.errors import Code, MailtraceError, visible


@dataclass(frozen=True)
class Audit:
    """The audit file, 0600."""

    path: Path

    @contextmanager
    def opened(self) -> Iterator[AuditPen]:
        """For any number of lines. Raises NOT_ALLOWED where it cannot be written: what cannot be
        written down is not sent."""
        flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            descriptor = os.open(self.path, flags, 0o600)
        except OSError:
            raise _unwritable(self.path) from None
        try:
            yield AuditPen(descriptor, self.path)
        finally:
            os.close(descriptor)


@dataclass(frozen=True)
class AuditPen:
    """Writes lines into the open file."""

    descriptor: int
    path: Path

    def line(self, entry: Mapping[str, object]) -> None:
        """Add one line, in one write, so that lines of several processes never mix. What is not ASCII
        stands as \\u escapes: nothing in it can hide or move a cursor. None values are left out.

        Raises NOT_ALLOWED where it cannot be written.
        """
        said = {key: value for key, value in entry.items() if value is not None}
        line = json.dumps(said, default=str).encode() + b"\n"
        try:
            if os.write(self.descriptor, line) == len(line):
                return
        except OSError:
            pass
        raise _unwritable(self.path)

    def keep(self) -> None:
        """Make sure that it is on disk."""
        os.fsync(self.descriptor)


def _unwritable(path: Path) -> MailtraceError:
    words = f"the audit file {visible(str(path), 200)} cannot be written, so nothing is sent."
    return MailtraceError(Code.NOT_ALLOWED, words)
