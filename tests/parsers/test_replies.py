"""replies.py on fixtures/lines/replies.yaml, and what must never become a link."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtrace_parsers.events import Reply
from mailtrace_parsers.replies import cut_reply, reply
from tests.parsers.samples import load

SAMPLES = load("replies")
ACCEPTED = [sample for sample in SAMPLES if sample["gives"].get("queue_id")]
TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~=/:-]{0,127}")


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: str(sample["name"]))
def test_reply(sample: dict[str, Any]) -> None:
    read = reply(sample["text"])

    for field, wanted in sample["gives"].items():
        value = getattr(read, field)
        if isinstance(wanted, dict):
            assert {key: getattr(value, key) for key in wanted} == wanted
        else:
            assert value == wanted, field


@pytest.mark.parametrize("sample", ACCEPTED, ids=lambda sample: str(sample["name"]))
def test_no_id_from_an_answer_that_was_cut(sample: dict[str, Any]) -> None:
    cut = cut_reply(sample["text"])

    assert cut.queue_id is None
    assert cut.message_id is None
    assert cut.code == reply(sample["text"]).code


@pytest.mark.parametrize("sample", ACCEPTED, ids=lambda sample: str(sample["name"]))
@given(words=st.text(min_size=1, max_size=40))
def test_no_other_id_from_an_answer_with_more_words(sample: dict[str, Any], words: str) -> None:
    """Behind the ID, or in front of the vendor's words, may stand what will: it makes no other ID
    (but for words that make the token itself longer)."""
    honest = reply(sample["text"])
    behind = reply(sample["text"] + " " + words)
    before = reply(f"250 2.0.0 {words} {sample['text']}")

    assert behind.queue_id in (None, honest.queue_id)
    assert before.queue_id in (None, honest.queue_id) or before.queue_id in words


@given(st.text() | st.builds("250 2.0.0 Ok: queued as {}".format, st.text()))
def test_an_id_is_a_token(text: str) -> None:
    read = reply(text)

    assert isinstance(read, Reply)
    assert read.queue_id is None or TOKEN.fullmatch(read.queue_id)
    assert read.queue_id is None or ".." not in read.queue_id.split("/")
