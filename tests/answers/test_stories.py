"""Every story of fixtures/journeys, through every output: schema, text, drawings, and nothing hidden."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from mailtrace_mcp.answers import TraceAnswer, as_json
from mailtrace_mcp.answers.trust import clean
from mailtrace_mcp.views import dot, mermaid
from mailtrace_mcp.views.branches import ASCII
from mailtrace_mcp.views.text import trace_text
from tests.journeys.story import Story, stories

STORIES = stories()


@cache
def validator() -> Draft202012Validator:
    return Draft202012Validator(TraceAnswer.model_json_schema())


@pytest.mark.parametrize("story", STORIES, ids=[story.name for story in STORIES])
def test_a_story_in_every_form(story: Story, tmp_path: Path) -> None:
    answer = story.answer(story.expected["asks"][0], tmp_path)
    structured = as_json(answer)
    validator().validate(structured)
    assert len(answer.model_dump_json()) <= 40_000
    text = trace_text(answer)
    assert text.startswith(answer.summary)
    assert all(clean(line, 4000) == line for line in text.split("\n"))
    assert len(trace_text(answer, ASCII).split("\n")) == len(text.split("\n"))
    for trace in answer.traces:
        places = {(hop.host, hop.queue_id) for hop in trace.hops}
        for end in trace.recipients:
            assert {(place.host, place.queue_id) for place in end.path} <= places
            assert (end.path[-1].host, end.path[-1].queue_id) == (end.host, end.queue_id)
        for drawn in (dot.drawing(trace), mermaid.drawing(trace)):
            assert all(hop.queue_id in drawn for hop in trace.hops if hop.queue_id)
