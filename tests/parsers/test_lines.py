"""Every sample of fixtures/lines/*.yaml gives what it says."""

from __future__ import annotations

import pytest

from mailtrace_parsers.events import Event
from tests.parsers.samples import LINES, Sample, load, samples, wrong

SAMPLES = list(samples())
# Every type of events.py must have a sample; a type without one is a pattern without a line.
TYPES = {kind.__name__ for kind in Event.__args__}


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_sample(sample: Sample) -> None:
    entry = sample.read()

    assert wrong(entry, sample.gives) == []
    assert entry.raw == sample.raw.removesuffix(b"\r")


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_sample_says_where_it_is_from(sample: Sample) -> None:
    assert sample.keys["source"]


def test_every_event_has_a_sample() -> None:
    assert {sample.gives["event"] for sample in SAMPLES} == TYPES


def test_names_are_told_apart() -> None:
    for path in LINES.glob("*.yaml"):
        names = [sample["name"] for sample in load(path.stem)]
        assert len(names) == len(set(names)), path.name


@pytest.mark.parametrize(
    "gives",
    [
        {"event": "Session"},
        {"event": "Client", "queue_id": "9F29D28A0C1"},
        {"event": "Client", "peer": {"name": "other"}},
        {"event": "Client", "before_queue": True},
        {"event": "Client", "no_such_field": None},
    ],
)
def test_a_wrong_expectation_is_seen(gives: dict[str, object]) -> None:
    sample = next(each for each in SAMPLES if each.gives["event"] == "Client")

    assert wrong(sample.read(), gives) != []
