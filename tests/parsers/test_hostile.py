"""What an attacked Postfix logged, and the log-line cases of bad_inputs.jsonl."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from mailtrace_parsers.entry import Entry
from mailtrace_parsers.events import Client, Delivery, MessageId, Peer, QueueActive, Unrecognised
from mailtrace_parsers.read import LONGEST, read, records, rest
from tests.parsers.samples import CLOCK, LINES, samples

LOG = (LINES / "postfix-hostile.log").read_bytes()
ENTRIES = [read(raw, CLOCK, order=order) for order, raw in enumerate(records(LOG))]
# lines of 100 KB and more, in test_linear.py
ELSEWHERE = {"LL031", "LL032", "LL033", "LL034", "LL052"}
# below: more than one line, or one that is too long to stand in a YAML file
HERE = {"LL026", "LL030", "LL035", "LL036", "LL037"}


def test_as_many_records_as_line_ends() -> None:
    assert len(ENTRIES) == LOG.count(b"\n")
    assert b"".join(entry.raw + b"\n" for entry in ENTRIES) == LOG
    assert rest(LOG) == b""


def test_every_record_is_understood() -> None:
    assert [entry.raw for entry in ENTRIES if isinstance(entry.event, Unrecognised)] == []


def test_no_record_is_forged() -> None:
    """All of them were written at one time by one host, and none by smtp[99] about FORGED2."""
    assert {entry.frame.host for entry in ENTRIES} == {"mx1"}
    assert {str(entry.frame.at)[:16] for entry in ENTRIES} <= {
        "2026-11-21 04:13",
        "2026-11-21 04:14",
    }
    assert 99 not in {entry.frame.pid for entry in ENTRIES}
    assert not any("FORGED" in (entry.queue_id or "") for entry in ENTRIES)


def test_the_queue_ids_are_those_that_postfix_gave() -> None:
    given_ids = {entry.queue_id for entry in ENTRIES if isinstance(entry.event, Client)}
    notices = {"AE62E28A0CA"}  # a bounce: cleanup alone begins it

    assert {entry.queue_id for entry in ENTRIES if entry.queue_id} == given_ids | notices


def test_nothing_leads_to_evil_test() -> None:
    """Postfix connected to 127.0.0.1 only; every relay, peer and next queue ID says so."""
    for entry in ENTRIES:
        for peer in _peers(entry):
            assert (peer.name, peer.address) in {
                ("localhost", "127.0.0.1"),
                ("127.0.0.1", "127.0.0.1"),
            }
        if isinstance(entry.event, Delivery) and entry.event.reply is not None:
            assert entry.event.reply.queue_id in {None, "REMOTE1", "X1", "ACC3F28A0CA"}


def _peers(entry: Entry) -> Iterator[Peer]:
    for name in ("peer", "relay", "client"):
        if isinstance(peer := getattr(entry.event, name, None), Peer):
            yield peer


def test_every_mail_has_one_delivery_and_one_life() -> None:
    kinds = Counter((entry.queue_id, type(entry.event)) for entry in ENTRIES)
    for queue_id in {entry.queue_id for entry in ENTRIES if entry.queue_id}:
        assert kinds[queue_id, Delivery] == 1
        assert kinds[queue_id, QueueActive] == 1
    assert kinds["A99F328A0C2", MessageId] == 2  # LL035: the mail had two Message-ID headers


def _line(host: str, daemon: str, text: str) -> Entry:
    return read(f"Nov 21 04:14:42 {host} postfix/{daemon}[1]: {text}".encode(), CLOCK, host=host)


def test_ll026_two_hosts_that_name_each_other() -> None:
    """Both edges are facts; that they make a circle is for the trace to see."""
    ways = [("mx1", "A1A1A1A1", "mx2", "B2B2B2B2"), ("mx2", "B2B2B2B2", "mx1", "A1A1A1A1")]
    for host, queue_id, relay, behind in ways:
        said = f"relay={relay}[10.0.0.1]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent"
        entry = _line(
            host, "smtp", f"{queue_id}: to=<u@x.test>, {said} (250 2.0.0 Ok: queued as {behind})"
        )
        assert isinstance(entry.event, Delivery)
        assert entry.event.reply is not None
        assert (entry.host, entry.queue_id, entry.event.reply.queue_id) == (host, queue_id, behind)


def test_ll036_one_message_id_of_two_mails() -> None:
    """The sender chose it: it is a fact about two queue files, and no fact about both together."""
    entries = [
        _line("mx1", "cleanup", f"{each}: message-id=<same@x>") for each in ("A1A1A1A1", "B2B2B2B2")
    ]

    assert [entry.queue_id for entry in entries] == ["A1A1A1A1", "B2B2B2B2"]
    assert [entry.event for entry in entries] == [MessageId("same@x")] * 2


def test_ll030_an_answer_that_was_cut() -> None:
    """Postfix cut the record at 2,000 characters: the status counts, the next ID is unknown."""
    read = _delivery_of("AB95628A0C2")

    assert read.status == "sent"
    assert read.truncated
    assert read.reply is not None
    assert (read.reply.code, read.reply.queue_id) == (250, None)


def test_ll030_a_long_answer_without_its_bracket() -> None:
    line = next(entry.raw for entry in ENTRIES if b"AB42428A0C0: to=" in entry.raw)
    assert line.endswith(b"A queued as LONG1)")

    for raw, cut in ((line, False), (line[:-1], True)):
        event = read(raw, CLOCK).event
        assert isinstance(event, Delivery)
        assert (event.status, event.truncated) == ("sent", cut)
        assert event.reply is not None
        assert event.reply.queue_id is None


def _delivery_of(queue_id: str) -> Delivery:
    return next(
        entry.event
        for entry in ENTRIES
        if entry.queue_id == queue_id and isinstance(entry.event, Delivery)
    )


def test_ll037_a_long_message_id_is_kept_whole() -> None:
    name = next(
        entry.event.message_id
        for entry in ENTRIES
        if entry.queue_id == "A955928A0C0" and isinstance(entry.event, MessageId)
    )

    assert set(name) <= set("<J>@.x")
    assert len(name) > 900


def test_every_log_line_case_has_a_test() -> None:
    numbers = [
        1,
        2,
        *range(5, 12),
        13,
        15,
        16,
        *range(21, 29),
        *range(30, 41),
        43,
        44,
        *range(46, 51),
        52,
    ]
    cases = {f"LL{number:03}" for number in numbers}

    assert len(cases) == 39
    assert {
        sample.keys["case"] for sample in samples() if "case" in sample.keys
    } | HERE | ELSEWHERE == cases


def test_a_line_longer_than_is_parsed_is_kept_and_says_so() -> None:
    """Scenario 29: an answer of 130 KB. The status is a fact, the rest stands in `raw` only."""
    head = b"Oct  3 12:27:00 mx-a postfix/smtp[1]: 29A1B2C3D4: to=<b@x.test>, relay=m[203.0.113.44]:25,"
    fields = b" delay=1, delays=0/0/0/1, dsn=5.0.0, status=bounced (host m[203.0.113.44] said: 550 "
    raw = head + fields + b")" * 2 * LONGEST

    entry = read(raw, CLOCK)

    assert entry.raw == raw
    assert len(entry.frame.text) < LONGEST
    assert isinstance(entry.event, Delivery)
    assert (entry.event.status, entry.event.truncated) == ("bounced", True)
