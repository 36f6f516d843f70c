"""docs/journeys.md: what each story of a run was, and what its answer showed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recording import stories

from tests.e2e.stage import Mail

PAGE = Path(__file__).parents[2] / "docs" / "journeys.md"
HEAD = """\
# Journeys

Written by `make lab`: a real Postfix cluster is brought up on one machine, these mails go through it among
some 2,000 others, and `mailtrace-mcp` is asked about each one, over MCP and SSH, by message-id, by recipient
and by queue ID. What is true is read from the Received headers in the mailboxes, from `postqueue -j`,
`postcat`, notices and SMTP replies, never from a log. `met`: every answer named the same recipients,
outcomes, ends, ways, kinds of links and notices as the oracle.

| story | hosts | outcome of each recipient | evidence of each link | met |
|---|---|---|---|---|
"""


@dataclass
class Journal:
    """The rows of the table, as the stories are asked."""

    rows: dict[str, str] = field(default_factory=dict)

    def note(self, mail: Mail, trace: Mapping[str, Any] | None, met: bool) -> None:
        """Take down one story's mail with what its trace (None: not found) says of it."""
        story = mail["story"]
        cells = [story, _hosts(mail), _outcomes(mail), _evidence(trace), "yes" if met else "NO"]
        self.rows[story] = "| " + " | ".join(each.replace("|", "\\|") for each in cells) + " |"

    def write(self) -> None:
        """Write the page, if no story is missing: a run of a few tests leaves it as it is."""
        names = [mail.story for mail in stories.ALL]
        if all(name in self.rows for name in names):
            PAGE.write_text(HEAD + "".join(self.rows[name] + "\n" for name in names))


def _hosts(mail: Mail) -> str:
    """The hosts of every way, in order, each way once."""
    ways = {tuple(host for host, _ in one["path"]): None for one in mail["recipients"]}
    return "; ".join(" → ".join(way) for way in ways)


def _outcomes(mail: Mail) -> str:
    told = Counter(
        f"{one['outcome']} ({one['end']})" if one["end"] != "none" else one["outcome"]
        for one in mail["recipients"]
    )
    notices = Counter(f"{one['kind']}: {one['outcome']}" for one in mail.get("notices", []))
    return "; ".join(
        f"{count} × {what}" if count > 1 else what
        for what, count in [*told.items(), *notices.items()]
    )


def _evidence(trace: Mapping[str, Any] | None) -> str:
    if trace is None:
        return "not found"
    told = Counter(
        f"{link['kind']}: {link['evidence']}, {link['confidence']}"
        for link in trace["links"]
        if link["to"] is not None
    )
    return (
        "; ".join(f"{what} × {count}" if count > 1 else what for what, count in told.items()) or "–"
    )
