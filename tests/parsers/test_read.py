"""read() and records(): no bytes make them raise, and no line is lost."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from mailtrace_parsers.entry import Entry
from mailtrace_parsers.events import Delivery, MessageId, Notice, Unrecognised
from mailtrace_parsers.postfix import _ABOUT_MAIL, _ABOUT_PROCESS
from mailtrace_parsers.read import read, read_fragment, records, rest
from tests.parsers import logs_as_postfix as model
from tests.parsers.samples import CLOCK, samples

_SAMPLES = [sample.raw for sample in samples()]
_DAEMONS = sorted({*_ABOUT_MAIL, *_ABOUT_PROCESS, "local", "master", "unheard-of"})
# Words that the readers look for: a text made of them reaches further than a text of any characters.
_WORDS = [
    word + " " for sample in _SAMPLES for word in sample.decode("utf-8", "replace").split(" ")[4:]
]
_TEXTS = st.lists(st.sampled_from(_WORDS) | st.text(max_size=5), max_size=15).map("".join)
_BROKEN = st.builds(
    lambda raw, at, more: raw[: at % (len(raw) + 1)] + more + raw[at % (len(raw) + 1) :],
    st.sampled_from(_SAMPLES),
    st.integers(0, 3000),
    st.binary(max_size=12),
)


@given(data=st.binary() | st.lists(_BROKEN | st.binary(max_size=40)).map(b"\n".join))
@example(b"\n\n")
@example(b"\r\n\x0b\x0c\x1c\x1d\x1e\xc2\x85\xe2\x80\xa8")
def test_no_line_is_lost(data: bytes) -> None:
    lines = list(records(data))

    assert b"".join(line + b"\n" for line in lines) + rest(data) == data
    assert not any(b"\n" in line for line in lines)


@given(raw=st.binary() | _BROKEN, host=st.text(max_size=3), order=st.integers())
def test_any_bytes_are_read(raw: bytes, host: str, order: int) -> None:
    entry = read(raw, CLOCK, host=host, order=order, source="file")

    assert (entry.host, entry.order, entry.source) == (host, order, "file")
    assert raw.removesuffix(b"\n").removesuffix(b"\r") == entry.raw
    assert entry.event is not None
    assert not (entry.noqueue and entry.queue_id)


@given(daemon=st.sampled_from(_DAEMONS), queue_id=st.none() | model.IDS, text=_TEXTS)
def test_any_text_of_any_daemon_is_read(daemon: str, queue_id: str | None, text: str) -> None:
    """And the queue ID is the one that the line begins with, or the one behind its severity."""
    begin = f"{queue_id}: " if queue_id else ""
    entry = _read(daemon, begin + text)

    if queue_id:
        assert entry.queue_id == queue_id
    assert entry.queue_id is None or entry.queue_id in begin + text.partition(": ")[0] + text


@given(daemon=st.sampled_from(_DAEMONS), text=_TEXTS)
def test_a_line_is_a_delivery_only_behind_a_queue_id(daemon: str, text: str) -> None:
    entry = _read(daemon, text)

    assert not isinstance(entry.event, Delivery) or entry.queue_id or entry.noqueue


def _read(daemon: str, text: str) -> Entry:
    return read(
        f"Nov 21 04:14:42 mx1 postfix/{daemon}[1]: {text}".encode("utf-8", "replace"), CLOCK
    )


@given(program=st.from_regex(r"[a-z-]{1,12}(\[[0-9]{1,5}\])?", fullmatch=True), text=_TEXTS)
def test_other_programs_say_nothing(program: str, text: str) -> None:
    """LL049: the tag decides, whatever the text looks like."""
    entry = read(
        f"Nov 21 04:14:42 mx1 {program}: A1A1A1A1: {text}".encode("utf-8", "replace"), CLOCK
    )

    assert entry.queue_id is None
    assert entry.event == Notice("foreign", entry.frame.text)


def test_a_fragment_is_no_fact() -> None:
    """Scenario 30: the log ends in the middle of a record."""
    whole = b"Nov 21 04:14:42 mx1 postfix/cleanup[1]: A1A1A1A1: message-id=<a@b>\n"
    data = whole + b"Nov 21 04:14:42 mx1 postfix/qmgr[1]: A1A1A1A1: from=<a@b>, size=1, nrcpt=1"

    assert [type(read(raw, CLOCK).event) for raw in records(data)] == [MessageId]
    entry = read_fragment(rest(data), CLOCK, host="mx1", order=2, source="mail.log")
    assert isinstance(entry.event, Unrecognised)
    assert entry.queue_id is None
    assert entry.frame.daemon == "qmgr"
    assert entry.raw == rest(data)


def test_a_line_end_may_be_given_with_the_line() -> None:
    line = b"Nov 21 04:14:42 mx1 postfix/cleanup[1]: A1A1A1A1: message-id=<a@b>"

    assert read(line, CLOCK) == read(line + b"\n", CLOCK) == read(line + b"\r\n", CLOCK)
