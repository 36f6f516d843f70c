"""How far the index of a machine's logs follows them. No file is opened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from mailtrace_mcp.answers.words import counted, size
from mailtrace_mcp.checks.finding import Finding, aside, bad, good
from mailtrace_mcp.config import Config, Host
from mailtrace_mcp.logs.index import HostIndex, folder_of, state
from mailtrace_mcp.logs.logfile import SMALL
from mailtrace_mcp.logs.plan import BEHIND
from mailtrace_mcp.logs.rotation import Listed
from mailtrace_mcp.logs.store import Store


def check(
    config: Config, host: Host, store: Store, listing: Sequence[Listed], now: datetime
) -> Finding:
    """The state of the index of the machine that holds the host's log. What is older than it is kept is
    not missed in it."""
    folder = folder_of(config, host)
    if folder is None:
        return aside("index", "None is kept (index.enabled).")
    index = HostIndex(folder)
    try:
        kept_from = (now - config.index.retention).timestamp()
        seen = state(index, store, [one for one in listing if one.written >= kept_from])
    finally:
        index.close()
    if not seen.exists:
        advice = "mailtrace-mcp index builds one: questions about long windows are quicker then."
        return aside("index", "There is none.", advice if seen.behind > SMALL else None)
    if seen.trouble is not None:
        return bad(
            "index", f"It cannot be used: {seen.trouble}.",
            "Questions are answered without it. Build it again: mailtrace-mcp index.",
        )  # fmt: skip
    told = f"{counted(seen.logs, 'log')}, {size(seen.indexed)} indexed"
    if seen.behind > BEHIND:
        words = f"{told}; {size(seen.behind)} are not yet, which is more than a question adds by itself."
        return good("index", words, "Run mailtrace-mcp index: questions are quicker then.")
    behind = f"; {size(seen.behind)} are not yet, and follow with the next question"
    return good("index", told + (f"{behind}." if seen.behind else ", all there is."))
