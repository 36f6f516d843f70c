"""One mail's way as trees: a root where it came in, a branch for each next hop, a leaf for each end."""

from __future__ import annotations

from datetime import datetime

from mailtrace_mcp.answers.parts import Place
from mailtrace_mcp.answers.trace_types import Hop, HopLink, NoticeSent, RecipientEnd, Trace
from mailtrace_mcp.answers.words import moment
from mailtrace_mcp.views import steps
from mailtrace_mcp.views.branches import Branches, Node

Spot = tuple[str, str | None]
_MOST_LEAVES = 100  # of one hop; a list of thousands is no picture


def journey(trace: Trace, branches: Branches) -> list[Node]:
    """The trees of one mail; one for each place where it came in."""
    return _Journey(trace, branches).roots()


def spot(place: Place) -> Spot:
    return place.host, place.queue_id


class _Journey:
    def __init__(self, trace: Trace, branches: Branches) -> None:
        self.trace = trace
        self.arrow = branches.arrow
        self.hops: dict[Spot, Hop] = {}
        for hop in trace.hops:
            self.hops.setdefault((hop.host, hop.queue_id), hop)
        self.links = {
            (spot(link.source), spot(link.target)): link
            for link in trace.links
            if link.target is not None
        }
        self.nodes: dict[tuple[Spot, ...], Node] = {}
        self.found: list[Node] = []
        self.leaves: dict[int, int] = {}
        self.notice_at: dict[Spot, Node] = {}  # where the notices hang whose way leads by a place

    def roots(self) -> list[Node]:
        for end in self.trace.recipients:
            self._leaf(self._way(tuple(spot(place) for place in end.path)), self._ended(end))
        # A notice about a notice hangs where that one does, which may stand later in the list.
        waiting = [one for one in self.trace.notices if not self._notice(one)]
        self.found.extend(Node(self._told(one)) for one in waiting if not self._notice(one))
        return self.found

    def _way(self, path: tuple[Spot, ...]) -> Node:
        """The node of the last place of a path; made, with those before it, where it is new."""
        siblings = self.found
        node = Node("")
        for length in range(1, len(path) + 1):
            known = self.nodes.get(path[:length])
            node = known or Node(self._hop(path[:length]))
            if known is None:
                self.nodes[path[:length]] = node
                siblings.append(node)
            siblings = node.children
        return node

    def _leaf(self, node: Node, text: str) -> None:
        seen = self.leaves[id(node)] = self.leaves.get(id(node), 0) + 1
        if seen <= _MOST_LEAVES:
            node.add(text)
        elif seen == _MOST_LEAVES + 1:
            node.add("…")

    def _hop(self, path: tuple[Spot, ...]) -> str:
        here = path[-1]
        hop = self.hops.get(here)
        said = f"{here[0]} {here[1] or '(no queue ID)'}"
        arrived = hop.arrived if hop is not None else None
        if len(path) == 1:
            said += f"  {moment(arrived)}" if arrived else ""
            return said + (f"  from {hop.client}" if hop is not None and hop.client else "")
        said += f"  {self._clock(arrived)}" if arrived else ""
        link = self.links.get((path[-2], here))
        if link is None:
            return said
        took = steps.after(steps.handed_on(self.hops.get(path[-2]), link))
        return f"{said}  [{_known(link)}]" + (f"  {took}" if took else "")

    def _ended(self, end: RecipientEnd) -> str:
        who = _name(end.recipient, end.recipient_ref, end.count)
        original = end.original_recipient
        if original and original != end.recipient:
            who = f"{original} {self.arrow} {who}"
        said = [f"{who}: {end.outcome}"]
        if end.end == "outside" and end.relay:
            said.append(f"to {end.relay}, not one of ours")
        elif end.end not in ("none", "outside"):
            said.append(f"to {end.end}")
        if end.dsn:
            said.append(end.dsn)
        if end.at is not None:
            said.append(self._clock(end.at))
        took = steps.after(steps.ended(self.hops.get((end.host, end.queue_id)), end))
        if end.attempts > 1:
            took = f"{took or 'after'} {'and ' if took else ''}{end.attempts} attempts"
        said += [took] if took else []
        if end.added_by:
            said.append(f"added by {end.added_by}")
        reason = f": {end.reason}" if end.reason else ""
        retry = f"; next try about {self._clock(end.next_retry)}" if end.next_retry else ""
        return "  ".join(said) + reason + retry

    def _notice(self, notice: NoticeSent) -> bool:
        """Hang a notice where it was made; False where that place is not in the tree (yet)."""
        parent = self._maker(notice)
        if parent is None:
            return False
        self._leaf(parent, self._told(notice))
        for place in notice.path:
            self.notice_at.setdefault(spot(place), parent)
        return True

    def _told(self, notice: NoticeSent) -> str:
        """A notice and its own way in one line."""
        way = f" {self.arrow} ".join(f"{one.host} {one.queue_id}" for one in notice.path)
        to = _name(notice.to, notice.to_ref, None)
        said = f"{notice.kind} to {to}: {notice.outcome}  ({way})"
        if notice.reason and notice.outcome != "sent":
            said += f": {notice.reason}"
        return said

    def _maker(self, notice: NoticeSent) -> Node | None:
        """The node of the hop that made a notice; that of the notice that made it (a double bounce)."""
        makers = (one for (one, _), link in self.links.items() if _makes(link, notice))
        source = next(makers, None)
        nodes = (node for path, node in self.nodes.items() if path[-1] == source)
        return None if source is None else next(nodes, self.notice_at.get(source))

    def _clock(self, at: datetime) -> str:
        """The time of day, and the date where it is not the day on which the mail came in."""
        started = self.trace.started
        if started is None or at.date() != started.date():
            return moment(at)
        return f"{at:%H:%M:%S}"


def _makes(link: HopLink, notice: NoticeSent) -> bool:
    return (
        link.kind == notice.kind
        and link.target is not None
        and spot(link.target) == (notice.host, notice.queue_id)
    )


def _known(link: HopLink) -> str:
    """What the link is and how sure: `relay, queued_as`."""
    sure = "" if link.confidence == "proven" else f", {link.confidence}"
    return f"{link.kind}, {link.evidence}{sure}"


def _name(value: str | None, ref: str | None, count: int | None) -> str:
    if value is not None:
        return value if count is None else f"{value} ({count} recipients)"
    if ref is not None:
        return f"({ref})"
    return f"{count or 1} recipient{'' if (count or 1) == 1 else 's'} not named"
