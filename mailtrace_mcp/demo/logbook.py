"""A relay's mail log, in the words of Postfix 3.x (fixtures/lines; global/log_adhoc.c, smtpd/, qmgr/)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TextIO

from mailtrace_parsers.events import Delays, Peer

# A log that begins within the window of a question is told as one that may lack lines.
_UP_FOR = timedelta(hours=1)


@dataclass(frozen=True)
class Outcome:
    """One line of a delivery attempt: `status` as Postfix says it, `text` what stands in its brackets."""

    relay: str
    dsn: str
    status: str
    text: str


class LogBook:
    """Writes one host's log, a whole line at a time."""

    def __init__(self, path: Path, host: str) -> None:
        self._host = host
        self._file: TextIO = path.open("a", buffering=1, encoding="utf-8")
        self._pids = count(201)
        self.qmgr, self.cleanup, self.bounce = (self.pid() for _ in range(3))
        started = datetime.now(UTC) - _UP_FOR
        self.line("postfix-script", self.pid(), "starting the Postfix mail system", started)

    def close(self) -> None:
        self._file.close()

    def pid(self) -> int:
        """Of a process that was not there before."""
        return next(self._pids)

    def line(self, daemon: str, pid: int, text: str, at: datetime | None = None) -> None:
        """Write a line, `at` now. After `close` there is nobody to read it: a client may hang up late."""
        if self._file.closed:
            return
        stamp = (at or datetime.now(UTC)).isoformat(timespec="microseconds")
        self._file.write(f"{stamp} {self._host} postfix/{daemon}[{pid}]: {text}\n")

    def message_id(self, queue_id: str, message_id: str) -> None:
        self.line("cleanup", self.cleanup, f"{queue_id}: message-id={message_id}")

    def active(self, queue_id: str, sender: str, size: int, recipients: int) -> None:
        """A queue run takes it up. Size in bytes; `recipients` as many as it came in with."""
        said = f"{queue_id}: from=<{sender}>, size={size}, nrcpt={recipients} (queue active)"
        self.line("qmgr", self.qmgr, said)

    def removed(self, queue_id: str) -> None:
        self.line("qmgr", self.qmgr, f"{queue_id}: removed")

    def notified(self, queue_id: str, notice: str) -> None:
        self.line("bounce", self.bounce, f"{queue_id}: sender non-delivery notification: {notice}")

    def attempt(
        self, agent: str, pid: int, queue_id: str, recipient: str, spent: Delays, end: Outcome
    ) -> None:
        """The line of one recipient's attempt."""
        delays = "/".join(seconds(one) for one in spent)
        self.line(
            agent, pid,
            f"{queue_id}: to=<{recipient}>, relay={end.relay}, delay={seconds(sum(spent))}, "
            f"delays={delays}, dsn={end.dsn}, status={end.status} ({end.text})",
        )  # fmt: skip


def seconds(span: float) -> str:
    """Two significant digits, and at most two decimals: delay_logging_resolution_limit (log_adhoc.c)."""
    if span >= 10:
        return f"{span:.0f}"
    return f"{span:.1f}".removesuffix(".0") if span >= 1 else f"{span:.2f}".rstrip("0").rstrip(".")


def written(peer: Peer) -> str:
    """`NAME[ADDRESS]:PORT`, without the port where there is none."""
    port = f":{peer.port}" if peer.port is not None else ""
    return f"{peer.name}[{peer.address}]{port}"


def counters(commands: Mapping[str, tuple[int, int]]) -> str:
    """`ehlo=1 rcpt=1/2 commands=2/3`: accepted and seen (smtpd/smtpd.c smtpd_format_cmd_stats)."""
    accepted = sum(good for good, _ in commands.values())
    seen = sum(every for _, every in commands.values())
    all_of_them = {**commands, "commands": (accepted, seen)}
    return " ".join(
        f"{name}={good}" + (f"/{every}" if good != every else "")
        for name, (good, every) in all_of_them.items()
    )
