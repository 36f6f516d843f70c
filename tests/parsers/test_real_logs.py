"""Logs that a real Postfix wrote: every line is understood as what it is."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailtrace_parsers.entry import Entry
from mailtrace_parsers.events import (
    Action,
    AttemptStep,
    Client,
    Delivery,
    Diagnostic,
    ProxyVerdict,
    Tls,
    Unrecognised,
)
from mailtrace_parsers.read import read, records, rest
from tests.parsers.samples import CLOCK, LINES

LAB = LINES / "postfix-3.7-lab.log"
CLUSTER = LINES.parent / "cluster"
LOGS = [LAB, *sorted(path for path in CLUSTER.glob("*/*") if "log" in path.name)]


def _entries(path: Path) -> Iterator[Entry]:
    data = path.read_bytes()
    data = gzip.decompress(data) if path.suffix == ".gz" else data
    assert rest(data) == b""
    return (read(raw, CLOCK, order=order) for order, raw in enumerate(records(data)))


@pytest.mark.parametrize("path", LOGS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_line_is_understood(path: Path) -> None:
    entries = list(_entries(path))

    assert entries
    assert [entry.raw for entry in entries if isinstance(entry.event, Unrecognised)] == []
    for entry in entries:
        assert entry.frame.at is not None
        assert entry.frame.daemon is not None
        if isinstance(entry.event, Delivery):
            assert not entry.event.ambiguous
            assert not entry.event.truncated
            assert entry.event.delays is not None
            assert entry.event.dsn is not None
        if isinstance(entry.event, Action):
            assert entry.event.client is not None
            assert entry.event.recipient is not None or entry.event.stage in ("EHLO", "MAIL")


def test_what_the_lab_wrote_is_of_every_kind() -> None:
    kinds = Counter(type(entry.event).__name__ for entry in _entries(LAB))

    assert set(kinds) == set(
        "Notice Session Client MessageId QueueActive Delivery Removed ClientLost AttemptStep Action Diagnostic"
        " Notification ProxyVerdict Tls Pickup Postsuper PostsuperSummary Expired".split()
    )


def test_actions_of_the_lab() -> None:
    found = {
        (entry.frame.daemon, event.action, event.stage, entry.noqueue)
        for entry in _entries(LAB)
        if isinstance(event := entry.event, Action)
    }

    assert found == {
        ("smtpd", "permit", "RCPT", True),
        ("smtpd", "permit", "RCPT", False),
        ("smtpd", "permit", "VRFY", True),
        *(
            ("smtpd", word, "RCPT", True)
            for word in ("reject", "hold", "discard", "filter", "redirect", "bcc", "warn", "info")
        ),
        ("smtpd", "reject", "EHLO", True),
        ("smtpd", "reject", "MAIL", True),
        ("smtpd", "discard", "MAIL", True),
        *(
            ("cleanup", word, "header", False)
            for word in (
                "hold reject discard warning info redirect prepend replace strip bcc filter".split()
            )
        ),
        ("cleanup", "reject", "body", False),
    }


def test_a_quoted_recipient_of_the_lab_names_no_relay() -> None:
    events = [entry.event for entry in _entries(LAB) if b"evil.test" in entry.raw]

    deliveries = [event for event in events if isinstance(event, Delivery)]
    assert {(each.recipient, each.relay and each.relay.name) for each in deliveries} == {
        ('"x>, relay=evil.test[6.6.6.6]:22, y"@virtual.test', "virtual")
    }
    assert {event.recipient for event in events if isinstance(event, Action)} == {
        '"x>, relay=evil.test[6.6.6.6]:22, y"@virtual.test'
    }


def test_what_the_lab_handed_on() -> None:
    clients = [entry.event for entry in _entries(LAB) if b"orig_queue_id" in entry.raw]
    verdicts = [entry.event for entry in _entries(LAB) if isinstance(entry.event, ProxyVerdict)]

    assert [
        (each.orig_queue_id, each.orig_client) for each in clients if isinstance(each, Client)
    ] == [("4jWjjV3B5nz1SjLT", ("mail.example.net", "192.0.2.40", 52114, None))]
    assert [(each.accepted, each.reply.queue_id) for each in verdicts] == [(True, "43A4tBDa012345")]


def test_the_oracle_s_queue_ids_are_those_of_the_log() -> None:
    """Every ID that a delivery's answer names is one that some host of the cluster, or outside, gave."""
    entries = [entry for path in LOGS[1:] for entry in _entries(path)]
    begun = {entry.queue_id for entry in entries if isinstance(entry.event, Client)}
    named = [
        event.reply.queue_id
        for entry in entries
        if isinstance(event := entry.event, Delivery)
        and event.reply is not None
        and event.reply.vendor == "postfix"
        and event.relay is not None
        and (event.relay.name or "").endswith("example.test")
    ]

    assert len(named) > 100
    assert set(named) <= begun


def test_nobody_is_taken_for_a_diagnostic_or_a_step() -> None:
    """These hold what is not read further; they must stay few."""
    for path in LOGS:
        kinds = Counter(type(entry.event) for entry in _entries(path))
        few = kinds[Diagnostic] + kinds[AttemptStep]
        assert few <= sum(kinds.values()) / 8, path.name
        assert kinds[Tls] <= sum(kinds.values()) / 2
