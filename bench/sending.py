"""T11: mails a second over one connection beside smtp-source, and mails rendered beside EmailMessage."""

from __future__ import annotations

import getpass
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime

import anyio

from bench import ports
from bench.measure import call, compare, program
from bench.programs import program as found
from bench.report import Row
from bench.setting import Setting
from mailtrace_mcp.send.addresses import address
from mailtrace_mcp.send.channel import Way
from mailtrace_mcp.send.compose import MailPlan, Pattern
from mailtrace_mcp.send.routes import Route
from mailtrace_mcp.send.schedule import Load
from mailtrace_mcp.send.traffic import Effort, Run

_SENT = 1000
_RENDERED = 2000
_AT = datetime(2026, 11, 21, 15, 4, 5, tzinfo=UTC)
_PLAN = MailPlan(
    address("bench@example.com", "from"),
    (address("bench@example.net", "to"),),
    subject="A test mail",
)


def sent(setting: Setting) -> Iterator[Row]:
    """T11, the first half."""
    source = found("smtp-source")
    size = len(Pattern(_PLAN).mail(_AT, "0123456789abcdef").data)
    with _sink() as port:
        command = (
            *(source, "-d", "-s", "1", "-m", str(_SENT), "-l", str(size)),
            *("-f", "bench@example.com", "-t", "bench@example.net", f"127.0.0.1:{port}"),
        )
        compared = compare(
            lambda: call(lambda: _send(port)), lambda: program(*command), setting.pairs
        )
    faster = compared.faster("wall")
    yield Row(
        "T11",
        "sending on one reused connection ≥ 0.2× smtp-source",
        faster.shown(),
        faster.median >= 0.2,
        f"{_SENT} mails of {size} bytes to the same smtp-sink, by the clock; ours renders each and keeps"
        " the dialogue, and connects anew after 100",
    )


def rendered(setting: Setting) -> Iterator[Row]:
    """T11, the second half."""
    pattern = Pattern(_PLAN)
    compared = compare(
        lambda: call(lambda: [pattern.mail(_AT, f"{number:016x}") for number in range(_RENDERED)]),
        lambda: call(lambda: [_message(number) for number in range(_RENDERED)]),
        setting.pairs,
    )
    faster = compared.faster("cpu")
    yield Row(
        "T11",
        "a generator that renders once ≥ 3× EmailMessage-per-mail",
        faster.shown(),
        faster.median >= 3,
        "processor time; the same headers and body",
    )


def _send(port: int) -> None:
    route = Route("bench", "127.0.0.1", port, "none", verify=False)
    load = Load(1e6, 1e6, _SENT / 1e6)
    run = Run([Way(route, Pattern(_PLAN))], load, Effort(), lambda: _AT)
    anyio.run(run.go)
    if [one.success for one in run.done.records] != [True] * _SENT:
        raise RuntimeError(f"not all mails were taken: {run.done.failure}")


def _message(number: int) -> bytes:
    """What Pattern.mail gives, as most programs make it."""
    unique = f"{number:016x}"
    message = EmailMessage()
    message["Date"] = format_datetime(_AT)
    message["Message-ID"] = f"<{unique}@example.com>"
    message["X-Mailtrace-Id"] = unique
    message["From"] = "bench@example.com"
    message["To"] = "bench@example.net"
    message["Subject"] = "A test mail"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"This is a test mail.\n\nSent: {_AT:%F %T}\nMailtrace: {unique}\n")
    return message.as_bytes()


@contextmanager
def _sink() -> Iterator[int]:
    """A smtp-sink while it is needed; its port."""
    port = ports.free()
    command = (found("smtp-sink"), "-u", getpass.getuser(), f"127.0.0.1:{port}", "100")
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    with ports.listening(process, port):
        yield port
