"""How many channels may be open at once on a transport, learnt from what the server refuses."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from mailtrace_mcp.logs.ssh.keeper import given_up
from mailtrace_mcp.logs.store import Stopped

_SLICE = 0.05


class Turns:
    """`number` of them are taken, at most as many as it seems the server allows."""

    def __init__(self, most: int) -> None:
        self.number = 0
        self._most = most
        self._freed = threading.Condition()

    @contextmanager
    def taken(self, deadline: float, stopped: Stopped) -> Iterator[None]:
        """Waits for a turn. Raises StoreError HOST_TIMEOUT."""
        with self._freed:
            while self.number >= self._most:
                self._wait(deadline, stopped)
            self.number += 1
        try:
            yield
        finally:
            with self._freed:
                self.number -= 1
                self._freed.notify_all()

    def fewer(self, deadline: float, stopped: Stopped) -> bool:
        """The server refused a channel to a turn that is taken: it allows only as many as there are
        besides. True when there is room again; False at once if there are no others."""
        with self._freed:
            self.number -= 1  # who waits here uses none, and must not be waited for
            self._freed.notify_all()
            try:
                if self.number < 1:
                    return False
                self._most = min(self._most, self.number)
                while self.number >= self._most:
                    self._wait(deadline, stopped)
                return True
            finally:
                self.number += 1

    def _wait(self, deadline: float, stopped: Stopped) -> None:
        if stopped() or time.monotonic() >= deadline:
            raise given_up()
        self._freed.wait(_SLICE)
