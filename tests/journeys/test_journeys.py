"""Every story of fixtures/journeys, asked in each of its ways: path, outcome and end of each recipient.

What must come out was written down by other means than this program: from Received: headers, queues
and SMTP replies of a real cluster, or by the authors of the scenarios.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.story import Story, said, steps, stories

Asked = tuple[Story, Mapping[str, Any]]


def every_question() -> Iterator[Any]:
    for story in stories():
        for ask in story.expected["asks"]:
            words = ask.get("queue_id") or ask.get("message_id") or " ".join(ask["keywords"])
            yield pytest.param((story, ask), id=f"{story.name}:{words}")


@pytest.mark.parametrize("asked", list(every_question()))
def test_story(asked: Asked, tmp_path: Path) -> None:
    story, ask = asked
    answer = said(story.answer(ask, tmp_path))
    expected = {_identity(one): one for one in story.expected["traces"]}
    found = {_identity(one): one for one in map(_simplified, answer["traces"])}
    assert sorted(found, key=str) == sorted(expected, key=str), answer["summary"]
    for key, one in expected.items():
        _compare(one, found[key])
    assert all(one["complete"] for one in answer["traces"]) is story.expected["complete"]


def _simplified(trace: Mapping[str, Any]) -> dict[str, Any]:
    """A trace with paths and link ends written as host/queue ID, as the stories have them."""
    recipients = [{**one, "path": steps(one["path"])} for one in trace["recipients"]]
    notices = [{**one, "path": steps(one["path"])} for one in trace["notices"]]
    links = [
        {**link, "from": steps([link["from"]])[0], "to": link["to"] and steps([link["to"]])[0]}
        for link in trace["links"]
    ]
    return {**trace, "recipients": recipients, "notices": notices, "links": links}


def _identity(trace: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(sorted((str(r["recipient"]), *r["path"]) for r in trace["recipients"]))


def _compare(expected: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    for key in ("outcome", "sender", "message_id"):
        if key in expected:
            assert found[key] == (expected[key] or None), key
    assert _by_path(found["recipients"], expected["recipients"]) == _by_path(expected["recipients"])
    if "notices" in expected:
        assert _by_path(found["notices"], expected["notices"]) == _by_path(expected["notices"])
    for link in expected.get("links", ()):
        assert any(link.items() <= one.items() for one in found["links"]), (link, found["links"])
    for address in expected.get("clients", ()):
        assert any(address in hop.get("client", "") for hop in found["hops"])


def _by_path(many: Any, as_in: Any = None) -> list[dict[str, Any]]:
    """Sorted by path; only the keys that the story tells."""
    wanted = {_place(one): set(one) for one in as_in} if as_in is not None else {}
    kept = [
        {
            key: value
            for key, value in one.items()
            if as_in is None or key in wanted.get(_place(one), one)
        }
        for one in many
    ]
    return sorted(kept, key=lambda one: (_place(one), str(one)))


def _place(one: Mapping[str, Any]) -> tuple[str, ...]:
    return (str(one.get("recipient", one.get("to"))), *one["path"])
