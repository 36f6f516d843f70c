"""One thread that ends what nobody may wait for any longer, and closes what is idle.

paramiko waits without end for the reply to some requests (exec, subsystem), and a channel that is
closed wakes whoever waits on it. So whatever may hang is done inside `Keeper.limit`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.store import Stopped, StoreError

_TICK = 0.05  # seconds; how late a limit may be
_IDLE_TICK = 5.0


class Limit:
    """What `end` stops once the deadline (time.monotonic) has passed or the caller has gone."""

    def __init__(self, end: Callable[[], object], deadline: float, stopped: Stopped) -> None:
        self.end = end
        self.deadline = deadline
        self.stopped = stopped
        self.reached = False

    def over(self) -> bool:
        return time.monotonic() >= self.deadline or self.stopped()


class Keeper:
    """Limits that are in force, and chores that are done every few seconds while there are any."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._limits: set[Limit] = set()
        self._chore: Callable[[], bool] | None = None
        self._thread: threading.Thread | None = None
        self._asleep = False

    @contextmanager
    def limit(
        self, end: Callable[[], object], deadline: float, stopped: Stopped
    ) -> Iterator[Limit]:
        """Calls `end` from another thread if the block lasts past `deadline` or `stopped` says so.
        Raises StoreError HOST_TIMEOUT in the place of whatever that led to."""
        limit = Limit(end, deadline, stopped)
        with self._changed:
            self._limits.add(limit)
            self._wake()
        try:
            yield limit
        except Exception:
            if limit.reached:
                raise given_up() from None
            raise
        finally:
            with self._changed:
                self._limits.discard(limit)
        if limit.reached:
            raise given_up()

    def every_few_seconds(self, chore: Callable[[], bool]) -> None:
        """Does `chore` as long as it says that there is something left to do."""
        with self._changed:
            self._chore = chore
            self._wake()

    def no_more_chores(self) -> None:
        """Lets the thread end."""
        with self._changed:
            self._chore = None
            self._changed.notify()

    def _wake(self) -> None:
        """The caller holds the lock. The thread lives only while there is something to keep."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="mailtrace-ssh", daemon=True)
            self._thread.start()
        elif self._asleep:
            self._changed.notify()

    def _run(self) -> None:
        next_chore = time.monotonic() + _IDLE_TICK
        while True:
            with self._changed:
                if not self._limits and self._chore is None:
                    self._thread = None
                    return
                self._asleep = not self._limits
                self._changed.wait(_TICK if self._limits else _IDLE_TICK)
                self._asleep = False
                over = [limit for limit in self._limits if limit.over()]
                self._limits.difference_update(over)
                chore = self._chore if time.monotonic() >= next_chore else None
            for limit in over:
                limit.reached = True
                _done(limit.end)
            if chore is not None:
                next_chore = time.monotonic() + _IDLE_TICK
                self._do(chore)

    def _do(self, chore: Callable[[], bool]) -> None:
        if not _done(chore):
            with self._changed:
                self._chore = None if self._chore is chore else self._chore


@contextmanager
def held(lock: threading.Lock, deadline: float, stopped: Stopped) -> Iterator[None]:
    """The lock, waited for only as long as the caller may wait. Raises StoreError HOST_TIMEOUT."""
    while not lock.acquire(timeout=_TICK):
        if stopped() or time.monotonic() >= deadline:
            raise given_up()
    try:
        yield
    finally:
        lock.release()


def given_up() -> StoreError:
    return StoreError(Code.HOST_TIMEOUT, "Its answer did not come in time.")


def _done(act: Callable[[], object]) -> object:
    """A failure to close what is broken anyway must not end the thread."""
    with suppress(Exception):
        return act()
    return None
