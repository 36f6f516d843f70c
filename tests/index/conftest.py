"""Random logs on disk, and the ways in which they can be read."""

from __future__ import annotations

import gzip
import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import anyio

from mailtrace_mcp.logs import LogSource, Reading, Term, TermKind
from mailtrace_mcp.logs.index.building import Order, build
from mailtrace_mcp.logs.index.host import HostIndex, Shape
from mailtrace_mcp.logs.local import LocalStore
from mailtrace_mcp.logs.logfile import stamp
from mailtrace_mcp.logs.plan import Measures, PlannedSource
from mailtrace_mcp.logs.rotation import Listed, Trouble
from mailtrace_mcp.logs.scan import Member
from mailtrace_mcp.logs.store import Found, Stopped, Store
from mailtrace_mcp.logs.unpack import Packing
from mailtrace_mcp.trace.coverage import Window

from .everything import Everything

LIMIT = 64 << 20
AGES = datetime(2000, 1, 1, tzinfo=UTC)
TINY = Measures(small=0, at_once=0, grain=256)  # every file is large
QUEUE_IDS = ["4F2A1B3C5D", "3Pt2mN2VXxznjll", "A1B2C3D4E5F", "1234567890AB", "9876543210"]
ADDRESSES = [
    "bob@ex.com",
    "Bob@EX.com",
    "ann@ex.com.au",
    "jim.bob@ex.com",
    "x=bob@ex.com",
    "dörte@ex.com",
]
MESSAGE_IDS = ["1.A@ex.com", "4F2A1B3C5D.1@mx1", "weird"]
TEXTS = [
    "{q}: to=<{a}>, orig_to=<{b}>, relay=mx[192.0.2.1]:25, status=sent (250 ok: queued as {r})",
    "{q}: from=<{a}>, size=1, nrcpt=1 (queue active)",
    "{q}: message-id=<{m}>",
    "{q}: client=mx.ex.com[192.0.2.1], sasl_username={a}",
    "{q}: removed",
    "connect from mx.ex.com[192.0.2.1]",
    "NOQUEUE: reject: RCPT from x[192.0.2.1]: 550 <{a}>: no; from=<{b}> to=<{a}>",
    "{q}: sender non-delivery notification: {r}",
]  # fmt: skip


class Far:
    """This machine's files as if they were another's: fetched by path, one call a round trip."""

    def __init__(self) -> None:
        self._store = LocalStore()
        self.calls: list[str] = []

    def listed(
        self, patterns: Sequence[str], stopped: Stopped
    ) -> tuple[list[Listed], list[Trouble]]:
        self.calls.append("listed")
        return self._store.listed(patterns, stopped)

    def spans(self, path: str, spans: Sequence[tuple[int, int]], stopped: Stopped) -> list[bytes]:
        self.calls.append("spans")
        return self._store.spans(path, spans, stopped)

    def chunks(self, path: str, packing: Packing, start: int, stopped: Stopped) -> Iterator[bytes]:
        self.calls.append("chunks")
        return self._store.chunks(path, packing, start, stopped)

    def grep(
        self, path: str, start: int, end: int, keys: Sequence[bytes], fold: bool, stopped: Stopped
    ) -> Iterator[Found]:
        self.calls.append("grep")
        assert keys
        assert all(keys)
        return self._store.grep(path, start, end, keys, fold, stopped)


def ask(source: LogSource, terms: Sequence[Term], window: Window) -> Reading:
    return anyio.run(source.read, terms, window)


@dataclass
class Machine:
    """A folder of logs, which are of `zone` and hold the lines of `members`, and an index of them. A
    store sees the logs at `there`, if that is not where they are."""

    folder: Path
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    members: tuple[Member, ...] = ()
    owner_of: Callable[[str], str | None] = field(default=lambda name: None)
    shape: Shape = field(default_factory=lambda: Shape(256, 64, 16))
    there: str = ""

    def __post_init__(self) -> None:
        self.logs = self.folder / "logs"
        self.logs.mkdir(exist_ok=True)
        self.index = HostIndex(self.folder / "index", self.shape)

    @property
    def patterns(self) -> tuple[str, ...]:
        return (str(self.logs / "mail.log*"),)

    def seen_by(self, store: Store | None) -> str:
        """The folder of the logs as a store sees it; None: this machine's."""
        return self.there if store is not None and self.there else str(self.logs)

    def write(self, name: str, data: bytes, written: datetime) -> Path:
        path = self.logs / name
        path.write_bytes(gzip.compress(data, mtime=0) if name.endswith(".gz") else data)
        at = int(written.timestamp())  # over SSH seconds are whole
        os.utime(path, (at, at))
        return path

    def append(self, name: str, data: bytes, written: datetime) -> None:
        with (self.logs / name).open("ab") as file:
            file.write(data)
        at = int(written.timestamp())
        os.utime(self.logs / name, (at, at))

    def build(self, since: datetime = AGES, store: Store | None = None) -> None:
        order = Order((f"{self.seen_by(store)}/mail.log*",), self.zone, since, AGES)
        build(self.index, store or LocalStore(), order)

    def reference(self) -> LogSource:
        return Everything(self.logs, self._members(), self.owner_of, self.planned())

    def planned(
        self,
        store: Store | None = None,
        index: bool = False,
        measures: Measures | None = None,
        limit: int = LIMIT,
    ) -> PlannedSource:
        return PlannedSource(
            store or LocalStore(),
            (f"{self.seen_by(store)}/mail.log*",),
            self._members(),
            self.owner_of,
            limit,
            self.seen_by(store),
            self.index if index else None,
            measures,
        )

    def _members(self) -> tuple[Member, ...]:
        return self.members or (Member("mx1", self.zone),)


@dataclass
class Lines:
    """Makes log lines; stamps go up to `wobble` seconds back, and some lines have none."""

    seed: int
    start: datetime
    bsd: bool
    zone: ZoneInfo
    wobble: float = 200.0
    bare: bool = True
    second: float = 0.0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def some(self, count: int) -> bytes:
        return b"".join(self.one() for _ in range(count))

    def one(self) -> bytes:
        pick = self.random.choice
        text = pick(TEXTS).format(
            q=pick(QUEUE_IDS), r=pick(QUEUE_IDS), a=pick(ADDRESSES), b=pick(ADDRESSES), m=pick(MESSAGE_IDS)
        )  # fmt: skip
        self.second += self.random.random() * 60
        if self.bare and self.random.random() < 0.05:
            return text.encode() + b"\n"
        host = pick(["mx1", "mx2.ex.com", "other"])
        return f"{self.stamp()} {host} postfix/smtp[{pick('123')}]: {text}\n".encode()

    def stamp(self) -> str:
        at = self.start + timedelta(seconds=self.second - self.random.random() * self.wobble)
        if self.bsd:
            return f"{at.astimezone(self.zone):%b %e %H:%M:%S}"
        return at.isoformat(timespec="microseconds")

    @property
    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.second)


def some_terms(chosen: random.Random, window: Window) -> list[Term]:
    """A few terms of all kinds, each with a window of its own."""
    pool: list[tuple[TermKind, str]] = [
        *(("queue_id", text) for text in QUEUE_IDS),
        *(("address", text) for text in ADDRESSES),
        *(("message_id", text) for text in MESSAGE_IDS),
        ("domain", "ex.com"),
        ("domain", "EX.COM.AU"),
        ("process", "postfix/smtp[2]"),
        ("literal", "status=sent"),
        ("queue_id", "1abcDE-0001-2b"),
        ("everything", ""),
    ]
    length = (window.end - window.start) / 4
    terms = []
    for kind, text in chosen.sample(pool, chosen.randrange(1, 4)):
        start = window.start + length * chosen.random() * 3
        terms.append(Term(kind, text, Window(start, start + length * (0.2 + chosen.random()))))
    return terms


def same(one: Reading, other: Reading, stamped_only: bool = False) -> None:
    """Both have the same lines, and tell the same of them."""
    assert _lines(one, stamped_only) == _lines(other, stamped_only)
    for left, right in zip(one.coverage, other.coverage, strict=True):
        assert (left.host, left.state, left.code) == (right.host, right.state, right.code)
        assert (left.files, left.reason) == (right.files, right.reason)
        if not stamped_only:
            assert left.lines == right.lines


def _lines(reading: Reading, stamped_only: bool) -> list[object]:
    return [
        (line.host, line.order, line.raw, line.source, line.clock)
        for line in reading.lines
        if not stamped_only or stamp(line.raw, line.clock) is not None
    ]
