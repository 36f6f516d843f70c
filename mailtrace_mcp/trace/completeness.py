"""Whether a trail is all there is: nothing lost, nothing cut, no host unread that could hold more."""

from __future__ import annotations

from collections.abc import Iterable

from mailtrace_mcp.trace.coverage import Coverage
from mailtrace_mcp.trace.endings import Ending
from mailtrace_mcp.trace.graph import Trail
from mailtrace_mcp.trace.names import hosts_behind, is_loopback
from mailtrace_mcp.trace.outcomes import notice_endings
from mailtrace_mcp.trace.transactions import Transaction

STILL_GOING_ON = ("deferred", "queued", "held")


def is_complete(trail: Trail, found: Iterable[Ending], coverage: Coverage, cut: bool) -> bool:
    """True only where the trail itself leaves nothing open, from where the mail came in to every end.

    A trail whose own lines close it needs no other host: what an unread one holds is not this mail.
    What still goes on needs its host to be read up to the end of the window.
    """
    if cut or trail.cut:
        return False
    ends = [*found]
    for notice in trail.notices:
        if notice.target is None:
            return False
        ends.extend(notice_endings(trail, notice, coverage))
    read = {host.host for host in coverage.hosts if host.read_to_end}
    return (
        all(_closed(one, read) for one in ends)
        and all(life.queue_id is None or life.begins for life in trail.transactions)
        and not any(_came_from_us(trail, trail.graph.transactions[key]) for key in trail.roots)
    )


def _closed(ending: Ending, read: set[str]) -> bool:
    if ending.outcome == "unknown":
        return False
    return ending.outcome not in STILL_GOING_ON or ending.key.host in read


def _came_from_us(trail: Trail, root: Transaction) -> bool:
    """It came from another host of ours, whose part of the trail was not found."""
    if root.client is None or is_loopback(root.client.peer):
        return False
    known = trail.graph.links.known
    return bool(hosts_behind(root.client.peer, root.host, known) - {root.host})
