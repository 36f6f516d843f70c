"""`mailtrace-mcp demo`: the whole main job, on three small relays inside the program.

It shows the way and proves nothing: the relays only write as Postfix does. Nothing leaves 127.0.0.1, and
all files lie in a folder that is removed at the end.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
from anyio import CancelScope

from mailtrace_mcp.config import packaged_config
from mailtrace_mcp.demo.cluster import cluster
from mailtrace_mcp.demo.relay import Tempo
from mailtrace_mcp.demo.report import say
from mailtrace_mcp.demo.scenes import Scenes
from mailtrace_mcp.demo.sites import SITES
from mailtrace_mcp.demo.throttle import Throttle

_ENDED = 128 + signal.SIGTERM  # as shells say it


def run() -> int:
    """Show it; gives 0 if all went as it should, else 1. Raises BrokenPipeError when nobody reads."""
    broken: BaseException | None = None
    code = 1
    try:
        with TemporaryDirectory(prefix="mailtrace-demo-") as folder:
            code = anyio.run(_show, Path(folder))
    except* BrokenPipeError as group:
        broken = group
    if broken is not None:
        raise BrokenPipeError from broken
    if code != _ENDED:
        say("", "All of it is gone again. Logs that a real Postfix wrote are here to look at:", "")
        say(f"$ {_sample()}")
    return code


async def _show(folder: Path) -> int:
    """Play the scenes; a signal to end ends them, and the folder is removed all the same."""
    code = _ENDED
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end_on_a_signal, tasks.cancel_scope)
        code = await _play(folder)
        tasks.cancel_scope.cancel()
    return code


async def _play(folder: Path) -> int:
    throttle = Throttle(per_minute=24, burst=2)
    say(
        "Three mail relays inside this program, on 127.0.0.1, each with its own log:",
        "  " + " → ".join(f"{site.full_name} [{site.address}]" for site in SITES),
        "A client starts `mailtrace-mcp serve` over their logs and speaks MCP with it.",
    )
    async with cluster(folder, Tempo(), throttle) as relays:
        good = await Scenes(relays, throttle).play()
    return 0 if good else 1


def _sample() -> str:
    """A command that traces a mail of the sample cluster."""
    named = "--message-id three-fates@example.test --time 2026-11-21T06:58:54Z"
    return f"mailtrace-mcp --config {os.path.relpath(packaged_config())} trace {named}"


async def _end_on_a_signal(scope: CancelScope) -> None:
    """Who ignores SIGHUP, as nohup does, goes on doing so."""
    ending = [signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        ending.append(signal.SIGHUP)
    with anyio.open_signal_receiver(*ending) as signals:
        async for _ in signals:
            scope.cancel()
