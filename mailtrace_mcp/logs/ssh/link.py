"""The one transport of a login: made when it is first needed, again when it is lost, shared by all."""

from __future__ import annotations

import threading
import time

from mailtrace_mcp.logs.ssh.keeper import Keeper, held
from mailtrace_mcp.logs.ssh.login import Login
from mailtrace_mcp.logs.ssh.opening import Opened, opened
from mailtrace_mcp.logs.store import Stopped, StoreError

_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 60.0  # seconds before a host that failed is asked again
_FRESH = 10.0  # seconds after its last use during which nobody doubts that it is alive


class Link:
    """Only one transport is made at a time, and who waits for it shares its fate."""

    def __init__(self, login: Login, keeper: Keeper) -> None:
        self._login = login
        self._keeper = keeper
        self._making = threading.Lock()
        self._opened: Opened | None = None
        self._used = time.monotonic()
        self._doubted = False
        self._failure: StoreError | None = None
        self._failures = 0
        self._pause_until = 0.0
        self.number = 0  # of transports made: what was learnt on an older one may not hold any more

    @property
    def doubtful(self) -> bool:
        """Whether it may be dead without anybody knowing: long unused, or something hung on it."""
        return self._doubted or time.monotonic() - self._used > _FRESH

    def used(self) -> None:
        """It was seen to work."""
        self._doubted, self._used = False, time.monotonic()

    def doubt(self) -> None:
        """Something on it hung."""
        self._doubted = True

    def transport(self, deadline: float, stopped: Stopped) -> tuple[Opened, bool]:
        """The transport, and whether it was made just now. Raises StoreError: at once where the host
        failed a moment ago, for asking again and again is how addresses get banned."""
        with held(self._making, deadline, stopped):
            if self._opened is not None and self._opened.alive:
                return self._opened, False
            if self._failure is not None and time.monotonic() < self._pause_until:
                raise StoreError(self._failure.code, str(self._failure))
            return self._made(stopped), True

    def forget(self, dead: Opened) -> None:
        """Closes a transport that does not work any more."""
        with self._making:
            if self._opened is dead:
                self._drop()

    def close(self) -> None:
        with self._making:
            self._drop()

    def close_if_unused(self, seconds: float) -> bool:
        """Closes it if it is dead or was not used for so long; whether there is none now."""
        if not self._making.acquire(blocking=False):
            return False
        try:
            unused = time.monotonic() - self._used > seconds
            if self._opened is not None and (unused or not self._opened.alive):
                self._drop()
            return self._opened is None
        finally:
            self._making.release()

    def _made(self, stopped: Stopped) -> Opened:
        self._drop()
        deadline = time.monotonic() + self._login.connect_timeout
        try:
            self._opened = opened(self._login, self._keeper, deadline, stopped)
        except StoreError as error:
            if not stopped():  # else it was the caller who broke it off
                pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**self._failures)
                self._failure, self._failures = error, min(self._failures + 1, 10)
                self._pause_until = time.monotonic() + pause
            raise
        self._failure, self._failures = None, 0
        self.number += 1
        self.used()
        return self._opened

    def _drop(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None
