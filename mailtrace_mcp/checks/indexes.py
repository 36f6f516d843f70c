"""How far the index of a machine's logs follows them. No file is opened."""

from __future__ import annotations

from collections.abc import Sequence

from mailtrace_mcp.answers.words import counted
from mailtrace_mcp.checks.files import size
from mailtrace_mcp.checks.finding import Finding, aside, bad, good
from mailtrace_mcp.config import Config, Host
from mailtrace_mcp.logs.index import HostIndex, folder_of, state
from mailtrace_mcp.logs.logfile import SMALL
from mailtrace_mcp.logs.rotation import Listed
from mailtrace_mcp.logs.store import Store


def check(config: Config, host: Host, store: Store, listing: Sequence[Listed]) -> Finding:
    """The state of the index of the machine that holds the host's log."""
    folder = folder_of(config, host)
    if folder is None:
        return aside("index", "None is kept (index.enabled).")
    index = HostIndex(folder)
    try:
        seen = state(index, store, listing)
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
    behind = f"; {size(seen.behind)} are not yet, and follow with the next question"
    return good("index", told + (f"{behind}." if seen.behind else ", all there is."))
