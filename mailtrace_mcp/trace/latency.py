"""Where the time of a mail went: first arrival to the last end, and the phase that took the most.

Postfix's `delays=a/b/c/d` (global/log_adhoc.c): `a` counts from arrival until the queue manager took
the mail for this attempt, so that for a later attempt it holds the waits between attempts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

from mailtrace_mcp.trace.clocks import Skews
from mailtrace_mcp.trace.endings import Ending
from mailtrace_mcp.trace.transactions import Key, Transaction
from mailtrace_parsers.events import Delays

Phase = Literal["before_qmgr", "in_qmgr", "connection_setup", "transmission", "retries"]

FINAL = ("sent", "bounced", "expired", "rejected", "discarded", "deleted", "aborted")


@dataclass(frozen=True)
class Spent:
    """Seconds that one host spent in one phase of one delivery."""

    host: str
    phase: Phase
    seconds: float


@dataclass(frozen=True)
class Latency:
    """`total` in seconds, None while nothing has ended or where the arrival was not seen."""

    total: float | None
    slowest: Spent | None


def latency(lives: Iterable[Transaction], ends: Iterable[Ending], skews: Skews) -> Latency:
    """The time spent on a mail: its transactions without those of its notices, and its endings."""
    by_key = {life.key: life for life in lives}
    totals = [seconds for one in ends if (seconds := _seconds_to(one, by_key, skews)) is not None]
    phases = [spent for life in by_key.values() for spent in _phases(life)]
    slowest = max(phases, key=lambda spent: spent.seconds, default=None)
    return Latency(max(totals, default=None), slowest)


def first_arrival(life: Transaction) -> datetime | None:
    """When a mail came in: its arrival line, else what the delay of its first attempt tells."""
    if life.arrived is not None:
        return life.arrived
    for attempt in life.attempts:
        if attempt.at is not None and attempt.delivery.delay is not None:
            return attempt.at - timedelta(seconds=attempt.delivery.delay)
    return life.started


def _seconds_to(ending: Ending, lives: dict[Key, Transaction], skews: Skews) -> float | None:
    root = lives.get(ending.path[0])
    start = first_arrival(root) if root is not None else None
    if start is None or ending.at is None or ending.outcome not in FINAL:
        return None
    ended = ending.at - _ahead([key.host for key in ending.path], skews)
    return max(0.0, (ended - start).total_seconds())


def _ahead(hosts: list[str], skews: Skews) -> timedelta:
    """How far the last host's clock is ahead of the first's, as far as that is sure."""
    total = timedelta(0)
    for one, following in pairwise(hosts):
        span = skews.between(one, following)
        if span.surely_off:
            total += (span.low + span.high) / 2
    return total


def _phases(life: Transaction) -> Iterator[Spent]:
    by_recipient: dict[str, list[Delays]] = defaultdict(list)
    for attempt in life.attempts:
        if attempt.delivery.delays is not None:
            by_recipient[attempt.delivery.recipient.casefold()].append(attempt.delivery.delays)
    for attempts in by_recipient.values():
        first = attempts[0]
        yield Spent(life.host, "before_qmgr", first.before_qmgr)
        for delays in attempts:
            yield Spent(life.host, "in_qmgr", delays.in_qmgr)
            yield Spent(life.host, "connection_setup", delays.connection_setup)
            yield Spent(life.host, "transmission", delays.transmission)
            yield Spent(life.host, "retries", max(0.0, delays.before_qmgr - first.before_qmgr))
