"""What a look at mails brought that the looks before did not: hops that appeared, ends that changed."""

from __future__ import annotations

from collections.abc import Iterator

from mailtrace_mcp.answers.trace_types import Hop, HopLink, RecipientEnd, Trace, TraceAnswer

_Key = tuple[str | None, ...]


class News:
    """Tells each thing once, in one line of checked values."""

    def __init__(self) -> None:
        self._known: dict[_Key, str] = {}
        self.told = 0

    def lines(self, answer: TraceAnswer) -> Iterator[str]:
        """The lines of what is new in this answer, oldest first."""
        for trace in answer.traces:
            for key, said in (*_hops(trace), *_ends(trace)):
                if self._known.get(key) != said:
                    self._known[key] = said
                    self.told += 1
                    yield said


def _hops(trace: Trace) -> Iterator[tuple[_Key, str]]:
    before = {
        (link.target.host, link.target.queue_id): link
        for link in trace.links
        if link.target is not None and link.confidence != "possible"
    }
    for hop in trace.hops:
        key = hop.host, hop.queue_id
        yield ("hop", *key), _arrival(hop, before.get(key))


def _arrival(hop: Hop, link: HopLink | None) -> str:
    """Where it is, since when, and what it came from, so that a reader can draw the tree."""
    when = f"  {hop.arrived:%H:%M:%S}" if hop.arrived is not None else ""
    said = f"{hop.host} {hop.queue_id or '(no queue ID)'}{when}"
    if link is None:
        return said
    return f"{said}  {link.kind} after {link.source.host} {link.source.queue_id}"


def _ends(trace: Trace) -> Iterator[tuple[_Key, str]]:
    for end in trace.recipients:
        yield ("end", end.host, end.queue_id, end.recipient, end.recipient_ref), _ended(end)


def _ended(end: RecipientEnd) -> str:
    who = end.recipient or end.original_recipient or end.recipient_ref
    said = f"{who or 'a recipient whom no line names'}: {end.outcome} at {end.host}"
    if end.queue_id:
        said += f" {end.queue_id}"
    return said + (f" ({end.reason})" if end.reason and end.outcome != "sent" else "")
