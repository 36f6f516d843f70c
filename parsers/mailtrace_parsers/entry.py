"""One line of a log with all that is known of it."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import NamedTuple

from mailtrace_parsers.events import Event


class Frame(NamedTuple):
    """The syslog part of a line (syslog.py).

    `at` is aware, None where the line has no readable stamp; `resolution` is the stamp's in seconds
    (1.0 for BSD stamps, 1e-6 for microseconds). `host` is what the line claims: a line can be forged.
    `instance` is the label before the daemon (`postfix`, `postfix/submission`), `daemon` the last part
    of the tag, None for a line that is not framed. `repeated` is rsyslog's "message repeated N times".
    """

    at: datetime | None
    resolution: float
    host: str | None
    instance: str | None
    daemon: str | None
    pid: int | None
    text: str
    repeated: int = 1


class Entry(NamedTuple):
    """A frame, the queue ID its text is about (None for none or NOQUEUE), and what it says.

    `host` is the configured host whose log it is, `order` its place in that host's log: entries of one
    host sort by (frame.at, order). `noqueue` is true where the text says NOQUEUE.
    `source` names the file, or the unit, for the evidence; `raw` is the line without its 0x0A.
    """

    host: str
    order: int
    frame: Frame
    queue_id: str | None
    event: Event
    raw: bytes
    source: str = ""
    noqueue: bool = False


class Clock(NamedTuple):
    """How to read stamps that lack a year or a zone.

    `zone` is the host's; `reference` is an aware time at or after the last line of the file (its mtime,
    the date in its name, or now): a BSD stamp takes the latest year that does not put it more than a
    day after the reference.
    """

    zone: tzinfo
    reference: datetime


# read(raw, clock, host=…, order=…, source=…) -> Entry lives in mailtrace_parsers/read.py
