"""One mail's delivery graph as boxes and arrows, for the drawing languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from mailtrace_mcp.answers.trace_types import HopLink, RecipientEnd, Trace
from mailtrace_mcp.answers.words import moment
from mailtrace_mcp.views.journey import Spot, spot

Shape = Literal["hop", "end"]
Stroke = Literal["solid", "dashed", "dotted"]


@dataclass(frozen=True)
class Box:
    """A hop, or an end of recipients; `lines` are its label."""

    shape: Shape
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Arrow:
    """From one box to another, by their numbers. Dashed is a notice's way back, dotted is not sure."""

    source: int
    target: int
    label: str
    stroke: Stroke


@dataclass
class Picture:
    """The graph, boxes numbered by their place in the list."""

    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)


def picture(trace: Trace) -> Picture:
    """Hops, links between them, and an end for each way recipients ended at a hop."""
    drawn = Picture()
    places: dict[Spot, int] = {}
    for hop in trace.hops:
        at = (moment(hop.arrived),) if hop.arrived else ()
        places.setdefault((hop.host, hop.queue_id), len(drawn.boxes))
        drawn.boxes.append(Box("hop", (hop.host, hop.queue_id or "no queue ID", *at)))
    for link in trace.links:
        drawn.arrows.extend(_arrows(link, places))
    for (here, outcome, end), names in _ends(trace).items():
        if here not in places:
            places[here] = len(drawn.boxes)
            drawn.boxes.append(Box("hop", (here[0], here[1] or "no queue ID")))
        landed = f" ({end})" if end != "none" else ""
        drawn.arrows.append(Arrow(places[here], len(drawn.boxes), outcome, "solid"))
        drawn.boxes.append(Box("end", (f"{outcome}{landed}", *_some(names))))
    return drawn


def _arrows(link: HopLink, places: dict[Spot, int]) -> Iterator[Arrow]:
    targets = [link.target] if link.target else list(link.candidates or ())
    for target in targets:
        source, there = places.get(spot(link.source)), places.get(spot(target))
        if source is None or there is None:
            continue
        stroke: Stroke = "solid" if link.confidence == "proven" else "dotted"
        if link.kind in ("bounce", "success-dsn", "delay-dsn", "postmaster"):
            stroke = "dashed"
        sure = "" if link.confidence == "proven" else f" ({link.confidence})"
        yield Arrow(source, there, f"{link.kind}{sure}", stroke)


def _ends(trace: Trace) -> dict[tuple[Spot, str, str], list[str]]:
    found: dict[tuple[Spot, str, str], list[str]] = {}
    for one in trace.recipients:
        key = ((one.host, one.queue_id), one.outcome, one.end)
        found.setdefault(key, []).append(_name(one))
    return found


def _name(end: RecipientEnd) -> str:
    return end.recipient or end.recipient_ref or f"{end.count or 1} not named"


def _some(names: list[str], most: int = 8) -> list[str]:
    more = len(names) - most
    return names[:most] + ([f"and {more} more"] if more > 0 else [])
