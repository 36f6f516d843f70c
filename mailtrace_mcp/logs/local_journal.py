"""This machine's journal: journalctl run here."""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager

from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.journal import MATCHES, OPTIONS, why_not
from mailtrace_mcp.logs.store import Stopped, StoreError

_POLL = 0.1  # seconds between two looks at `stopped`
_CHUNK = 256 * 1024
_MOST_SAID = 4096
_PLACES = "/usr/bin:/bin"


class LocalJournal:
    """See Journal. `where` says which journal, for another one than the machine's (`--directory=…`)."""

    def __init__(self, where: Sequence[str] = ()) -> None:
        self._where = tuple(where)

    def entries(self, since: int, until: int, stopped: Stopped) -> Iterator[bytes]:
        yield b"".join(self._run(("-r", "--until", f"@{since}", "-n", "1"), stopped))
        yield from self._run(("-q", "--since", f"@{since}", "--until", f"@{until}"), stopped)

    def _run(self, span: Sequence[str], stopped: Stopped) -> Iterator[bytes]:
        program = shutil.which("journalctl", path=_PLACES)
        if program is None:
            raise StoreError(Code.FILE_NOT_FOUND, "There is no journalctl on this machine.")
        command = [program, *self._where, *OPTIONS, *span, *MATCHES]
        with _started(command) as process:
            said = yield from _output(process, stopped)
            if stopped():
                return
            failed = why_not(process.wait(), said)
        if failed is not None:
            raise failed


@contextmanager
def _started(command: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that does not outlive the block."""
    process = subprocess.Popen(  # noqa: S603  fixed words and two times
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "LC_ALL": "C"},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def _output(process: subprocess.Popen[bytes], stopped: Stopped) -> Generator[bytes, None, bytes]:
    """Gives the output and, at its end, the beginning of the error stream; both are drained."""
    said = b""
    with selectors.DefaultSelector() as streams:
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                streams.register(stream, selectors.EVENT_READ)
        while streams.get_map() and not stopped():
            for key, _ in streams.select(_POLL):
                data = os.read(key.fd, _CHUNK)
                if not data:
                    streams.unregister(key.fileobj)
                elif key.fileobj is process.stdout:
                    yield data
                else:
                    said += data[: _MOST_SAID - len(said)]
    return said
