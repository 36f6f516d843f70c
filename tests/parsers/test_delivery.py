"""Delivery lines, held against a model of their writer (global/log_adhoc.c)."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mailtrace_parsers.events import Delivery
from mailtrace_parsers.postfix import delivery as module
from mailtrace_parsers.postfix import event
from mailtrace_parsers.postfix.delivery import delivery
from tests.parsers import logs_as_postfix as model
from tests.parsers.samples import LINES, samples

Form = Callable[[str, str], str]


@given(
    local=model.LOCALS,
    domain=model.DOMAINS,
    original=st.none() | st.tuples(model.LOCALS, model.DOMAINS),
    host=model.HOSTS,
    address=model.ADDRESSES,
    middle=model.middles(),
    word=model.WORDS,
    said=model.SAID,
)
def test_what_postfix_writes_since_3_5_is_read_back(
    local: str,
    domain: str,
    original: tuple[str, str] | None,
    host: str,
    address: str,
    middle: str,
    word: str,
    said: str,
) -> None:
    """Quoted addresses can not move a field, whatever they hold; nor can the answer."""
    recipient = model.external(local, domain)
    before = model.external(*original) if original else None
    orig_to = f", orig_to=<{before}>" if before else ""
    line = f"to=<{recipient}>{orig_to}, relay={host}[{address}]:25{middle}, status={word} ({said})"

    read = delivery("smtp", line)

    if read is None or read.ambiguous:
        assert ">, relay=" in said  # the answer looks like a second reading
        return
    assert (read.recipient, read.original_recipient, read.status) == (recipient, before, word)
    assert read.relay is not None
    assert (read.relay.name, read.relay.address, read.relay.port) == (host, address, 25)
    assert read.dsn == "2.0.0"
    assert read.delays is not None
    assert read.text == said
    assert not read.truncated


@given(
    local=model.LOCALS,
    domain=model.DOMAINS,
    host=model.HOSTS,
    address=model.ADDRESSES,
    middle=model.middles(),
    word=model.WORDS,
    said=model.SAID,
)
@example("x>, relay=evil.test[6.6.6.6]:22, ", "a", "r", "1.1.1.1", ", dsn=2.0.0", "sent", "ok")
@example(
    "x>, relay=evil.test[6.6.6.6]:22, status=sent (250 2.0.0 Ok: queued as EVIL99)",
    "a", "r", "1.1.1.1", ", dsn=2.0.0", "sent", "ok",
)  # fmt: skip
def test_an_address_without_quotes_names_no_relay(
    local: str, domain: str, host: str, address: str, middle: str, word: str, said: str
) -> None:
    """Before 3.5: a relay or an answer that are told are the real ones, or none is.

    But for an address that begins with a quote: since 3.5 that is a quoted local part, and read as one.
    """
    assume(not local.startswith('"') and ':"' not in local)
    line = f"to=<{local}@{domain}>, relay={host}[{address}]:25{middle}, status={word} ({said})"

    read = delivery("smtp", line)

    if read is not None and read.relay is not None:
        assert (read.relay.name, read.relay.address) == (host, address)
        assert read.text == said
    elif read is not None:
        assert read.ambiguous
        assert read.reply is None


@given(line=st.data())
def test_the_plain_form_is_read_as_any_other(line: st.DataObject) -> None:
    """`_PLAIN` reads nothing that `_scanned` would read otherwise."""
    local = line.draw(st.text("abc._+-'", min_size=1, max_size=12))
    orig = line.draw(st.sampled_from(["", ", orig_to=<sales@example.test>"]))
    relay = line.draw(st.sampled_from(["local", "none", "a.test[1.2.3.4]:25", "a[private/x]"]))
    middle, word, said = line.draw(model.middles()), line.draw(model.WORDS), line.draw(model.SAID)
    text = f"to=<{local}@x.test>{orig}, relay={relay}{middle}, status={word} ({said})"

    _assert_read_alike(text)


def _samples_of_deliveries() -> list[str]:
    lines = (LINES / "grok-patterns.jsonl").read_text("utf-8").split("\n")
    texts = [json.loads(line)["message"] for line in lines if line] + [
        each.read().frame.text for each in samples()
    ]
    return [text.partition(": ")[2] for text in texts if ": to=" in text]


@pytest.mark.parametrize("text", _samples_of_deliveries())
def test_the_samples_are_read_alike_by_both(text: str) -> None:
    _assert_read_alike(text)


def _assert_read_alike(text: str) -> None:
    plain = module._PLAIN.match(text)
    if plain is None:
        return
    scanned = module._scanned(text)
    assert scanned is not None
    parts, _, begin = scanned
    assert (plain.groups(""), plain.end()) == (parts, begin)


def test_most_samples_are_plain() -> None:
    texts = _samples_of_deliveries()

    assert sum(module._PLAIN.match(text) is not None for text in texts) > len(texts) / 2


@given(
    line=st.sampled_from(_samples_of_deliveries()),
    cut=st.integers(0, 300),
)
def test_a_line_that_was_cut_is_no_whole_one(line: str, cut: int) -> None:
    """Cut anywhere: the status counts only when it is whole, an ID only when the line is."""
    whole, read = delivery("smtp", line), delivery("smtp", line[:cut])
    if read is None or whole is None or len(line) <= cut:
        return
    assert read.status == whole.status
    assert read.recipient == whole.recipient
    if line[:cut].endswith(")"):
        return  # at a bracket of the text's own, the cut does not show
    assert read.truncated
    assert read.reply is None or read.reply.queue_id is None


@given(
    queue_id=model.IDS, daemon=st.sampled_from(["smtp", "local", "qmgr", "cleanup", "unheard-of"])
)
def test_any_daemon_may_write_one(queue_id: str, daemon: str) -> None:
    text = f"{queue_id}: to=<a@b.test>, relay=none, delay=1, delays=1/0/0/0, dsn=4.0.0, status=deferred (x)"

    assert event(daemon, text)[0] == queue_id
    read = event(daemon, text)[2]
    assert isinstance(read, Delivery)
    assert read.agent == daemon
