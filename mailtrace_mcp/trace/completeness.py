"""Whether a trail is all there is: nothing lost, nothing cut, no host unread that could hold more.

A trail whose own lines close it needs no other host: what an unread one holds is not this mail. What
still goes on needs its host to be read up to the end of the window.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mailtrace_mcp.trace.coverage import Coverage
from mailtrace_mcp.trace.endings import Ending
from mailtrace_mcp.trace.graph import Trail
from mailtrace_mcp.trace.names import hosts_behind, is_loopback
from mailtrace_mcp.trace.outcomes import notice_endings
from mailtrace_mcp.trace.transactions import Transaction

STILL_GOING_ON = ("deferred", "queued", "held")


def is_complete(trail: Trail, found: Iterable[Ending], coverage: Coverage, cut: bool) -> bool:
    """True only where the trail leaves nothing open, from where the mail came in to every end."""
    return not any(True for _ in gaps(trail, found, coverage, cut))


def gaps(trail: Trail, found: Iterable[Ending], coverage: Coverage, cut: bool) -> Iterator[str]:
    """What the trail leaves open, each as a sentence of ours; `cut`: there was more to ask for."""
    if cut:
        yield "The rounds or the time of this call were used up before everything was asked for."
    if trail.cut:
        yield "More queue files hang together than are followed."
    read = {host.host for host in coverage.hosts if host.read_to_end}
    for ending in found:
        yield from _of_ending(ending, read)
    for notice in trail.notices:
        if notice.target is None:
            yield f"{notice.source.host} names a notice, and no line of it was found."
        for ending in notice_endings(trail, notice, coverage):
            yield from _of_ending(ending, read)
    for life in trail.transactions:
        if life.queue_id is not None and not life.begins:
            yield f"{life.host} has no line that tells how {life.queue_id} came in."
    for key in trail.roots:
        yield from _came_from_us(trail, trail.graph.transactions[key])


def _of_ending(ending: Ending, read: set[str]) -> Iterator[str]:
    host = ending.key.host
    if ending.outcome == "unknown":
        yield f"At {host} the trail is lost: {ending.reason or 'no line tells more'}."
    elif ending.outcome in STILL_GOING_ON and host not in read:
        yield f"{host} was not read to the end of the window: it may have gone on there."


def _came_from_us(trail: Trail, root: Transaction) -> Iterator[str]:
    """It came from another host of ours, whose part of the trail was not found."""
    if root.client is None or is_loopback(root.client.peer):
        return
    known = trail.graph.links.known
    for host in sorted(hosts_behind(root.client.peer, root.host, known) - {root.host}):
        yield (
            f"It came to {root.host} from {host}, and no line there can be tied to it: was its log read, "
            "and is its time zone right?"
        )
