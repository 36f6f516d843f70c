"""What the demo prints of answers and of the audit file."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from mailtrace_mcp.answers import TraceAnswer
from mailtrace_mcp.answers.words import moment
from mailtrace_mcp.views.text import how_read


def say(*lines: str) -> None:
    """Lines on stdout, at once; what the terminal cannot show is escaped."""
    encoding = sys.stdout.encoding or "ascii"
    text = "\n".join(lines) + "\n"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stdout.flush()


def paths(answer: TraceAnswer) -> Iterator[str]:
    """Path, outcome and reason for each recipient, and the coverage: as a client reads them."""
    for trace in answer.traces:
        for end in trace.recipients:
            path = " → ".join(f"{place.host} {place.queue_id}" for place in end.path)
            yield f"  {end.recipient}: {end.outcome} (end: {end.end})"
            yield f"    path: {path}"
            if end.reason:
                yield f"    reason: {end.reason}"
    window = answer.coverage.window
    span = f"{moment(window.start)} to {moment(window.end)} ({window.zone})"
    yield f"  coverage: {how_read(answer.coverage)}, {span}"


def attempts(audit: str, profile: str) -> Iterator[str]:
    """Each attempt at each mail of a profile, from the audit file: when, which mail, what came of it."""
    entries: list[dict[str, Any]] = [json.loads(line) for line in audit.splitlines()]
    own = [one for one in entries if one.get("profile") == profile and one["event"] == "send"]
    numbers: dict[str, int] = {}
    tries: dict[str, int] = {}
    for one in own:
        message_id = one["message_id"]
        number = numbers.setdefault(message_id, len(numbers) + 1)
        tries[message_id] = tries.get(message_id, 0) + 1
        after = datetime.fromisoformat(one["at"]) - datetime.fromisoformat(own[0]["at"])
        told = f"{one['outcome']} {one.get('status_code', '')}".rstrip()
        yield f"  {after.total_seconds():4.1f} s  mail {number}, attempt {tries[message_id]}: {told}"
