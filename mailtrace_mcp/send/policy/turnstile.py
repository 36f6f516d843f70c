"""The mails of a run through the quota, one after the other, each when there is room for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import anyio
import anyio.to_thread

from mailtrace_mcp.config.smtp import Policy
from mailtrace_mcp.send.policy.quota import BEAT, Quota, Reservation
from mailtrace_mcp.send.policy.windows import RateLimitedError, Spent, caps


class Turnstile:
    """`each` is the recipients of a mail; `at_once` how many mails may be let through together: as many
    as a second brings, so that a fast run writes the file once a second."""

    def __init__(
        self,
        quota: Quota,
        policy: Policy,
        reservation: Reservation,
        each: int,
        at_once: int,
        now: Callable[[], datetime],
    ) -> None:
        self._quota, self._policy, self._reservation = quota, policy, reservation
        self._each, self._at_once = each, at_once
        self._now = now
        self._through = 0  # mails that were let through and are not begun
        self._ended: list[Spent] = []
        self._over = 0  # recipients
        self._one_by_one = anyio.Lock()

    async def ask(self) -> float:
        """Whether the next mail may go: 0.0, or the seconds after which to ask again. Raises NOT_ALLOWED
        where it cannot be counted."""
        async with self._one_by_one:
            if self._through == 0:
                many, seconds = await anyio.to_thread.run_sync(self._let_through)
                if many == 0:
                    return max(seconds, 0.01)
                self._through = many
            self._through -= 1
        return 0.0

    def over(self, counted: bool) -> None:
        """A mail that was let through is decided; `counted` if a server was asked to take it."""
        if not counted:
            self._through += 1
            return
        self._ended.append((self._now().timestamp(), self._each))
        self._over += self._each

    async def keep(self) -> None:
        """Until cancelled: tell the quota that this run lives."""
        while True:
            await anyio.sleep(BEAT)
            await anyio.to_thread.run_sync(self._quota.keep, self._reservation, self._now())

    def settle(self, spent: int) -> None:
        """The run is over, and `spent` recipients counted. Blocks; raises as the quota does."""
        now = self._now()
        cut_off = spent - self._over
        ended = [*self._ended, (now.timestamp(), cut_off)] if cut_off else self._ended
        self._quota.settle(self._reservation, _by_the_second(ended), now)

    @property
    def refusal(self) -> RateLimitedError:
        """For a mail whose turn did not come in time."""
        words = f"{caps(self._policy)}, and the rest of the run was held back for too long."
        return RateLimitedError(words, 60.0)

    def _let_through(self) -> tuple[int, float]:
        ended = list(self._ended)
        found = self._quota.let_through(
            self._reservation,
            self._policy,
            self._at_once,
            self._each,
            _by_the_second(ended),
            self._now(),
        )
        del self._ended[: len(ended)]
        return found


def _by_the_second(ended: list[Spent]) -> list[Spent]:
    """The same, with what ended within one second put together at the latest of it."""
    seconds: dict[int, Spent] = {}
    for at, recipients in ended:
        known_at, known = seconds.get(int(at), (at, 0))
        seconds[int(at)] = max(at, known_at), known + recipients
    return list(seconds.values())
