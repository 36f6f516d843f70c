"""fixtures/lines/*.yaml: a line, and what it must give."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from mailtrace_parsers.entry import Clock, Entry
from mailtrace_parsers.read import read

LINES = Path(__file__).parents[2] / "fixtures" / "lines"
CLOCK = Clock(ZoneInfo("Asia/Taipei"), datetime(2026, 11, 22, tzinfo=UTC))
NO_LINES = ("replies", "frames")  # files of another form: no line, or no event


@dataclass(frozen=True)
class Sample:
    """One sample: the file it stands in, its name, the line, what it must give, and the rest."""

    file: str
    name: str
    raw: bytes
    gives: Mapping[str, Any]
    keys: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.file}: {self.keys.get('case', '')} {self.name}"

    def read(self, clock: Clock = CLOCK) -> Entry:
        return read(self.raw, clock, host="the-configured-host")


def load(name: str) -> list[dict[str, Any]]:
    """The samples of one file, as they stand in it."""
    loaded: list[dict[str, Any]] = yaml.safe_load((LINES / f"{name}.yaml").read_text("utf-8"))
    return loaded


def samples() -> Iterator[Sample]:
    """Every sample that is a line with an event."""
    for path in sorted(LINES.glob("*.yaml")):
        if path.stem not in NO_LINES:
            for keys in load(path.stem):
                yield Sample(path.stem, keys["name"], _raw(path.stem, keys), keys["gives"], keys)


def _raw(daemon: str, keys: Mapping[str, Any]) -> bytes:
    if "hex" in keys:
        return bytes.fromhex(keys["hex"])
    if "line" in keys:
        return str(keys["line"]).encode()
    return f"Nov 21 04:14:42 mx1 postfix/{keys.get('daemon', daemon)}[77]: {keys['text']}".encode()


def wrong(entry: Entry, gives: Mapping[str, Any]) -> list[str]:
    """What of an entry is not as a sample says."""
    of_entry = {"queue_id", "noqueue", "host", "frame"}
    found = [
        complaint
        for name, wanted in gives.items()
        if name != "event"
        for complaint in _compare(
            name,
            getattr(entry if name in of_entry else entry.event, name.removeprefix("event."), ...),
            wanted,
        )
    ]
    kind = type(entry.event).__name__
    return found + ([f"event: {kind}, not {gives['event']}"] if kind != gives["event"] else [])


def _compare(name: str, value: object, wanted: object) -> list[str]:
    if isinstance(wanted, Mapping) and not isinstance(value, Mapping):
        return [
            complaint
            for key, inner in wanted.items()
            for complaint in _compare(f"{name}.{key}", getattr(value, key, ...), inner)
        ]
    return [] if _plain(value) == _plain(wanted) else [f"{name}: {value!r}, not {wanted!r}"]


def _plain(value: object) -> object:
    """Tuples, lists and mappings of them alike, as YAML has no tuples."""
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    return list(value) if isinstance(value, list | tuple) else value
