"""How much was sent: recipients per minute and per day, kept on disk, exact between processes.

A reservation is made before the first mail, at the moments the mails are due. Each mail is let through
when it is about to be handed over, which may be later than it was due, and counts from then on; when
it is over it counts at that moment. So the minute is one of real time, however long a server takes.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mailtrace_mcp.config.smtp import Policy
from mailtrace_mcp.errors import Code, MailtraceError, visible
from mailtrace_mcp.send.policy.ledger import Ledger, Page
from mailtrace_mcp.send.policy.windows import (
    DAY,
    MINUTE,
    RateLimitedError,
    Row,
    Spent,
    Standing,
    fits,
    pause,
    refusal,
    room,
)

__all__ = ["BEAT", "Quota", "RateLimitedError", "Reservation", "fits"]

# Seconds. Those on their way count this much later than now, and are moved on twice as often: a program
# that was killed leaves them counted for no longer.
AHEAD, BEAT = 30.0, 15.0


@dataclass(frozen=True)
class Reservation:
    """What may be sent, at the moments it was asked for or later."""

    run: str
    recipients: int


@dataclass(frozen=True)
class Quota:
    """The quota in its file. Every method blocks for some milliseconds (a lock, an fsync), and raises
    NOT_ALLOWED where the file cannot be used."""

    path: Path

    def reserve(
        self, policy: Policy, wanted: Sequence[tuple[int, int]], now: datetime
    ) -> Reservation:
        """Count `wanted` ((seconds from now, recipients) …), or raise RateLimitedError and count nothing.

        No 60 seconds and no 24 hours may hold more than the policy says.
        """
        run = secrets.token_hex(8)
        with self._ledger.page(now) as page:
            page.tidy()
            new = [(page.now + after, recipients) for after, recipients in wanted]
            moment = datetime.fromtimestamp(page.now, now.tzinfo)
            if (no := refusal(page.rows(), new, policy, moment)) is not None:
                raise no
            page.write(new, run, Standing.RESERVED)
        return Reservation(run, sum(recipients for _, recipients in new))

    def let_through(
        self,
        reservation: Reservation,
        policy: Policy,
        mails: int,
        each: int,
        ended: Sequence[Spent],
        now: datetime,
    ) -> tuple[int, float]:
        """How many of the next `mails` may be handed over now, to `each` recipients, and if none the
        seconds to wait. They are on their way until `ended` (moment, recipients) tells that they are over.

        Counted is what was handed over, is on its way, or was due by now in another run. Raises
        NOT_ALLOWED where the reservation is not in the file any more.
        """
        with self._ledger.page(now) as page:
            self._write_ended(page, reservation, ended)
            rows = page.rows()
            known = _by_now(rows, reservation.run, page.now)
            own = sum(row.recipients for row in rows if _is_reserved(row, reservation.run))
            if own < each:
                raise self._gone()
            many = min(mails, own // each, room(known, policy, page.now) // each)
            if many == 0:
                return 0, pause(known, each, policy, page.now)
            page.take_off(many * each, reservation.run, Standing.RESERVED)
            ahead = [(page.now + AHEAD, many * each)]
            page.write(ahead, reservation.run, Standing.ON_THEIR_WAY)
        return many, 0.0

    def keep(self, reservation: Reservation, now: datetime) -> None:
        """Those on their way are so still: to be called every BEAT seconds."""
        with self._ledger.page(now) as page:
            page.move_on(reservation.run, page.now + AHEAD)

    def settle(self, reservation: Reservation, ended: Sequence[Spent], now: datetime) -> None:
        """The run is over: what no server was asked to take does not count."""
        with self._ledger.page(now) as page:
            self._write_ended(page, reservation, ended)
            page.close_run(reservation.run)

    def refusal(
        self, policy: Policy, wanted: Sequence[tuple[int, int]], now: datetime
    ) -> RateLimitedError | None:
        """What `reserve` would raise. Nothing is counted or made."""
        start = now.timestamp()
        new = [(start + after, recipients) for after, recipients in wanted]
        return refusal(self._ledger.look(), new, policy, now)

    def left(self, policy: Policy, now: datetime) -> tuple[int, int]:
        """Recipients that may be sent to now: in this minute, in this day. Nothing is counted or made."""
        start = now.timestamp()
        known = [(row.counts_at(start), row.recipients) for row in self._ledger.look()]
        minute = sum(count for at, count in known if at > start - MINUTE)
        day = sum(count for at, count in known if at > start - DAY)
        return max(0, policy.per_minute - minute), max(0, policy.per_day - day)

    @property
    def _ledger(self) -> Ledger:
        return Ledger(self.path)

    def _write_ended(self, page: Page, reservation: Reservation, ended: Sequence[Spent]) -> None:
        over = sum(recipients for _, recipients in ended)
        if over:
            page.take_off(over, reservation.run, Standing.ON_THEIR_WAY)
            by_now = [(min(at, page.now), recipients) for at, recipients in ended]
            page.write(by_now, reservation.run, Standing.HANDED_OVER)

    def _gone(self) -> MailtraceError:
        words = f"the quota in {visible(str(self.path), 200)} was changed by others, so no more is sent."
        return MailtraceError(Code.NOT_ALLOWED, words)


def _by_now(rows: Sequence[Row], run: str, now: float) -> list[Spent]:
    """What counts at this moment, but for what the run itself has reserved: that goes by its turn."""
    found = []
    for row in rows:
        at = row.counts_at(now)
        yet_to_come = row.standing == Standing.RESERVED and at > now
        if not (yet_to_come or _is_reserved(row, run)):
            found.append((min(at, now), row.recipients))
    return found


def _is_reserved(row: Row, run: str) -> bool:
    return row.run == run and row.standing == Standing.RESERVED
