"""The indexes of logs filled, host by host: what questions alone never do where much is to be read."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from mailtrace_mcp import times
from mailtrace_mcp.answers.index_types import IndexAnswer, IndexedLogs, IndexOutcome
from mailtrace_mcp.answers.words import counted, listed
from mailtrace_mcp.config import Config, Host
from mailtrace_mcp.errors import Code, MailtraceError, visible
from mailtrace_mcp.logs.index import (
    Built,
    HostIndex,
    Order,
    StoppedError,
    UnusableIndexError,
    build,
    folder_of,
)
from mailtrace_mcp.logs.open import store_of
from mailtrace_mcp.logs.store import StoreError

# Host, bytes that were indexed, bytes that are to be (about), path. Called in a thread.
IndexProgress = Callable[[str, int, int, str], None]
Told = Callable[[IndexedLogs], None]

_NO_LIMIT = 1 << 50  # bytes; what is indexed streams through, and nothing of it is kept
_MOST_TOLD = 3
_PATIENCE = 30.0  # seconds in which a build that was told to stop does so


@dataclass(frozen=True)
class IndexQuestion:
    """`hosts`: hosts and clusters, none: all. `since`: a time as people type it; None: as far back as the
    index is kept."""

    hosts: tuple[str, ...] = ()
    since: str | None = None


@dataclass(frozen=True)
class _Logs:
    """The same logs of some hosts, and where their index lies (None: there is none)."""

    hosts: tuple[Host, ...]
    folder: Path | None


class Indexing:
    """Fills the indexes of the hosts that are asked for, one after the other: each uses all cores.

    `progress` is called while it goes on, `told` with each host that is done. Raises UNKNOWN_HOST,
    INVALID_ARGUMENT, TIME_INVALID, RANGE_TOO_WIDE, CONFIG_INVALID for what cannot be asked.
    """

    def __init__(
        self,
        config: Config,
        asked: IndexQuestion,
        now: datetime,
        progress: IndexProgress | None = None,
        told: Told | None = None,
    ) -> None:
        if not config.index.enabled:
            words = f"{config.path.name} switches the index off (index.enabled)."
            raise MailtraceError(Code.CONFIG_INVALID, words)
        self._config = config
        self._kept_from = now.astimezone(UTC) - config.index.retention
        self._since = self._beginning(asked.since, now)
        self._logs = _chosen(config, asked.hosts)
        self._progress = progress
        self._told = told
        self._done: list[IndexedLogs] = []
        self._stop = threading.Event()
        self._idle = threading.Event()
        self._idle.set()

    async def run(self) -> IndexAnswer:
        """All of it. Cancelled, it ends at its next block; `end` waits for that."""
        try:
            for logs in self._logs:
                await anyio.to_thread.run_sync(partial(self._index, logs), abandon_on_cancel=True)
        finally:
            self._stop.set()
        return self.answer()

    def end(self) -> IndexAnswer:
        """Stops what is under way, and gives the answer as far as it came. Blocks."""
        self._stop.set()
        self._idle.wait(_PATIENCE)
        return self.answer()

    def answer(self) -> IndexAnswer:
        """What was done so far."""
        done = tuple(self._done)
        return IndexAnswer(summary=_summary(done, len(self._logs)), hosts=done)

    def _beginning(self, since: str | None, now: datetime) -> datetime:
        if since is None:
            return self._kept_from
        meant = times.moment(since, self._config.zone, now)
        if meant < self._kept_from:
            days = f"{self._config.index.retention.total_seconds() / 86400:g}"
            words = f"is before what is kept: {days} days (index.retention of the configuration)."
            raise MailtraceError(Code.RANGE_TOO_WIDE, f"the time '{visible(since)}' {words}")
        return meant

    def _index(self, logs: _Logs) -> None:
        """In a thread."""
        self._idle.clear()
        try:
            one = self._one(logs)
            self._done.append(one)
            if self._told is not None and one.state != "stopped":
                self._told(one)
        finally:
            self._idle.set()

    def _one(self, logs: _Logs) -> IndexedLogs:
        host = logs.hosts[0]
        if logs.folder is None:
            words = "Its lines are in a journal, which has an index of its own."
            return _row(logs, "none", reason=words)
        index = HostIndex(logs.folder)
        begun = time.monotonic()
        built = Built()
        order = Order(host.logs.files, host.zone, self._since, self._kept_from)
        state: IndexOutcome | None = None
        code: str | None = None
        reason: str | None = None
        try:
            store = store_of(host, self._config, _NO_LIMIT)
            build(index, store, order, self._shown(host), self._stop.is_set, built=built)
        except StoppedError:
            state = "stopped"
        except StoreError as error:
            state, code, reason = "failed", error.code, str(error)
        except UnusableIndexError as error:
            state, reason = "failed", f"Its index cannot be written: {error}."
        finally:
            index.close()
        if state == "failed" and self._stop.is_set():
            state, code, reason = "stopped", None, None
        seconds = round(time.monotonic() - begun, 3)
        row = partial(
            _row, logs, files=built.files, read=built.size, seconds=seconds, size=index.size()
        )
        if state is not None:
            return row(state, code=code, reason=reason)
        return row(*_outcome(built))

    def _shown(self, host: Host) -> Callable[[int, int, str], None] | None:
        return None if self._progress is None else partial(self._progress, host.name)


def _chosen(config: Config, asked: tuple[str, ...]) -> list[_Logs]:
    """The logs of the hosts that are meant, each once, with all hosts whose lines they hold."""
    if any(not one.strip() for one in asked):
        words = "host is empty; leave it out for all hosts, or name one."
        raise MailtraceError(Code.INVALID_ARGUMENT, words)
    if not config.hosts:
        words = f"{config.path.name} names no hosts: say under `hosts:` where their logs lie."
        raise MailtraceError(Code.CONFIG_INVALID, words)
    names = {name for one in asked or (None,) for name in config.host_names(one)}
    groups: dict[tuple[str, Path | None], list[Host]] = {}
    for host in config.hosts.values():
        groups.setdefault((host.logs.place, folder_of(config, host)), []).append(host)
    return [
        _Logs(tuple(sorted(hosts, key=lambda one: one.name != place)), folder)
        for (place, folder), hosts in groups.items()
        if any(host.name in names for host in hosts)
    ]


def _outcome(built: Built) -> tuple[IndexOutcome, str | None, str | None]:
    """State, code and reason of what was built to its end."""
    if not built.troubles:
        return "indexed" if built.files else "current", None, None
    told = [f"{visible(one.path, 200)} {one.words}." for one in built.troubles[:_MOST_TOLD]]
    more = len(built.troubles) - _MOST_TOLD
    if more > 0:
        told.append(f"{counted(more, 'more file')} could not be read.")
    return "partial" if built.readable else "failed", built.troubles[0].code, " ".join(told)


def _row(
    logs: _Logs,
    state: IndexOutcome,
    code: str | None = None,
    reason: str | None = None,
    files: int = 0,
    read: int = 0,
    seconds: float = 0.0,
    size: int = 0,
) -> IndexedLogs:
    first, *others = (host.name for host in logs.hosts)
    return IndexedLogs(
        host=first,
        also=tuple(others),
        state=state,
        code=code,
        reason=reason,
        files=files,
        bytes=read,
        seconds=seconds,
        size=size,
    )


def _summary(done: tuple[IndexedLogs, ...], wanted: int) -> str:
    good = [one for one in done if one.state in ("indexed", "current")]
    bad = [one.host for one in done if one.state in ("partial", "failed")]
    kept = wanted - sum(one.state == "none" for one in done)
    if not kept:
        return "There is nothing to index."
    words = f"{len(good)} of {counted(kept, 'index', 'indexes')} up to date"
    if bad:
        words += f"; not all logs of {listed(bad)} could be read or indexed"
    return f"{words}."
