"""What an answer must say of a mail, by its oracle, and in what it differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.e2e.stage import Mail

Trace = Mapping[str, Any]
Place = tuple[str, str | None]

# By which kinds a mail may have come to a hop through that daemon: from another host, or the same one.
FROM_ANOTHER = {"smtpd": ("relay",)}
FROM_ITSELF = {
    "smtpd": ("reinject",),
    "pickup": ("resubmit", "requeue"),
    "none": ("forward", "expand"),
}


# What the log can tell less exactly than the client knows it: the reply is in no line.
AS_LOGGED = {"too-big": "aborted"}


def place(one: Mapping[str, Any]) -> Place:
    return one["host"], one["queue_id"]


def way(one: Mapping[str, Any]) -> list[Place]:
    return [place(hop) for hop in one["path"]]


def true_way(one: Mapping[str, Any]) -> list[Place]:
    return [(host, queue_id) for host, queue_id in one["path"]]


def same_way(found: list[Place], true: list[Place]) -> bool:
    """Equal, where the oracle knows the ID: who was refused was told none."""
    return len(found) == len(true) and all(
        one[0] == other[0] and (other[1] is None or one[1] == other[1])
        for one, other in zip(found, true, strict=True)
    )


def trace_of(mail: Mail, traces: list[Trace]) -> Trace | None:
    """The trace among those found that is this mail's: it began where the mail really began, and of
    several (where nobody was told a queue ID) the one that agrees best."""
    starts = [true_way(one)[:1] for one in mail["recipients"]]
    begun = [
        trace
        for trace in traces
        if any(same_way(way(one)[:1], start) for one in trace["recipients"] for start in starts)
    ]
    return min(begun, key=lambda trace: len(differences(mail, trace)), default=None)


def differences(mail: Mail, trace: Trace) -> list[str]:
    """Each thing that the trace says otherwise than it was, or does not say."""
    return [
        *_recipients(mail, trace),
        *_links(mail, trace),
        *_notices(mail, trace),
        *([] if trace["complete"] else ["the trace is not complete"]),
    ]


def _recipients(mail: Mail, trace: Trace) -> Iterator[str]:
    left = list(trace["recipients"])
    for row in mail["recipients"]:
        true = {**row, "outcome": AS_LOGGED.get(mail["story"], row["outcome"])}
        found = next((one for one in left if _is_end(one, true)), None)
        if found is None:
            yield f"no recipient {_told(true)} in {[_said(one) for one in left]}"
        else:
            left.remove(found)
    for one in left:
        yield f"a recipient too many: {_said(one)}"


def _is_end(found: Mapping[str, Any], true: Mapping[str, Any]) -> bool:
    original, adder = true["original_recipient"], true.get("added_by")
    # The first host's log names an added recipient as it names all others.
    told_apart = adder is not None and adder != true["path"][0][0]
    return (
        (found["outcome"], found["end"]) == (true["outcome"], true["end"])
        and same_way(way(found), true_way(true))
        and (found["recipient"] is None or found["recipient"] == true["recipient"])
        and (
            None in (original, found["original_recipient"])
            or found["original_recipient"] == original
        )
        and found.get("added_by") == (adder if told_apart else None)
    )


def _told(true: Mapping[str, Any]) -> str:
    return f"{true['recipient']} {true['outcome']} {true['end']} {true['path']}"


def _said(found: Mapping[str, Any]) -> str:
    return f"{found['recipient']} {found['outcome']} {found['end']} {way(found)}"


def _links(mail: Mail, trace: Trace) -> Iterator[str]:
    for row in [*mail["recipients"], *mail.get("notices", [])]:
        path, doors = true_way(row), row.get("doors", ())
        for before, after, door in zip(path, path[1:], doors[1:], strict=False):
            kinds = (FROM_ITSELF if before[0] == after[0] else FROM_ANOTHER).get(door, ())
            link = link_between(trace, before, after)
            if link is None:
                yield f"no link from {before} to {after}"
            elif link["kind"] not in kinds or link["confidence"] not in ("proven", "likely"):
                yield f"from {before} to {after}: {link['kind']}, {link['confidence']}; came by {door}"


def link_between(trace: Trace, before: Place, after: Place) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = next(
        (
            link
            for link in trace["links"]
            if link["to"] is not None
            and (place(link["from"]), place(link["to"])) == (before, after)
        ),
        None,
    )
    return found


def _notices(mail: Mail, trace: Trace) -> Iterator[str]:
    true = [_notice(one, true_way(one)) for one in mail.get("notices", [])]
    found = [_notice(one, way(one)) for one in trace["notices"]]
    if sorted(true) != sorted(found):
        yield f"the notices are {found}, they were {true}"
    for one in mail.get("notices", []):
        about = (one["about"][0], one["about"][1])
        link = link_between(trace, about, true_way(one)[0])
        if link is None or (link["kind"], link["evidence"]) != (one["kind"], "notification"):
            yield f"no link of kind {one['kind']} from {about} to its notice"


def _notice(one: Mapping[str, Any], path: list[Place]) -> str:
    return f"{one['kind']} to {one['to']}: {one['outcome']} {path}"
