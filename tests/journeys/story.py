"""One story of fixtures/journeys: its logs as a configuration, its questions, and what must come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import yaml

from mailtrace_mcp.answers import TraceAnswer, as_json
from mailtrace_mcp.config import Config, load
from mailtrace_mcp.questions import MailQuestion, trace_mail

FOLDER = Path(__file__).parents[2] / "fixtures" / "journeys"


@dataclass(frozen=True)
class Story:
    """expected.yaml of one folder, with the folder."""

    folder: Path
    expected: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.folder.name

    def config(self, scratch: Path) -> Config:
        """A config.yaml over this story's logs, loaded as an operator's would be."""
        hosts = {
            name: {**(keys or {}), "logs": {"kind": "files", "files": [f"{self.folder / name}/*"]}}
            for name, keys in self.expected["hosts"].items()
        }
        file = scratch / "config.yaml"
        text: dict[str, Any] = {"hosts": hosts, "limits": {"window": "200d"}}
        if clusters := self.expected.get("clusters"):
            text["clusters"] = clusters
        file.write_text(yaml.safe_dump(text))
        return load(file)

    def answer(self, ask: Mapping[str, Any], scratch: Path) -> TraceAnswer:
        """What trace_mail answers to one of the story's questions."""
        question = MailQuestion(
            queue_id=ask.get("queue_id"),
            message_id=ask.get("message_id"),
            keywords=tuple(ask.get("keywords", ())),
            host=ask.get("host"),
            time=self.expected["time"],
            time_range=self.expected["time_range"],
            detail="full",
        )
        now = datetime.fromisoformat(self.expected["now"])
        return anyio.run(partial(trace_mail, self.config(scratch), question, now))


def stories(prefix: str = "") -> list[Story]:
    """All stories whose name begins so, by name."""
    return [
        Story(file.parent, yaml.safe_load(file.read_text()))
        for file in sorted(FOLDER.glob(f"{prefix}*/expected.yaml"))
    ]


def story(prefix: str) -> Story:
    [found] = stories(prefix)
    return found


def said(answer: TraceAnswer) -> dict[str, Any]:
    """The answer as the object that both faces give."""
    return as_json(answer)


def steps(path: list[dict[str, Any]]) -> list[str]:
    return [f"{one['host']}/{one['queue_id'] or '-'}" for one in path]
