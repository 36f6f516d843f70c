"""query_logs among thousands of mails, against the mailboxes and postqueue(1)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.e2e.conftest import Server
from tests.e2e.mailboxes import lying, queued
from tests.e2e.stage import Stage
from tests.e2e.truth import Place, place, true_way


def pages(server: Server, **arguments: Any) -> Iterator[Mapping[str, Any]]:
    """Every mail of a listing, over all its pages."""
    while True:
        answer = server.ask("query_logs", limit=200, **arguments)
        yield from answer["mails"]
        if "next_cursor" not in answer:
            return
        arguments["cursor"] = answer["next_cursor"]


def test_every_mail_of_the_load_is_listed_once(cluster: Stage, server: Server) -> None:
    """What lies in alice's mailbox from anna by csmx1: the queue IDs of its first hop, and no other."""
    true = {
        one.path[0]
        for one in lying(cluster)
        if one.path
        and one.path[0][0] == "csmx1"
        and one.headers["Return-Path"] == "<anna@example.net>"
        and one.headers["X-Original-To"] == "alice@example.test"
    }
    assert len(true) >= 400
    words = ["anna@example.net", "alice@example.test"]
    listed = [place(mail) for mail in pages(server, keywords=words, host="csmx1")]
    assert [one for one, count in Counter(listed).items() if count > 1] == []
    assert set(listed) == true


@pytest.mark.parametrize("host", ["csmx1", "csbox1"])
def test_a_message_id_lists_each_hop_of_its_host(host: str, cluster: Stage, server: Server) -> None:
    mail = cluster.mails("alias-with-owner")
    true = {hop for one in mail["recipients"] for hop in true_way(one) if hop[0] == host}
    answer = server.ask("query_logs", keywords=[mail["message_id"]], host=host)
    assert {place(one) for one in answer["mails"]} == true


@pytest.mark.parametrize(("status", "queue"), [("held", "hold"), ("deferred", "deferred")])
def test_what_waits_is_what_postqueue_lists(
    status: str, queue: str, cluster: Stage, server: Server
) -> None:
    true = queued(cluster, queue, *(("active",) if queue == "deferred" else ()))
    listed: set[Place] = {place(one) for one in pages(server, status=status)}
    # A listing has every hop of a mail that waits; the last one is where it waits.
    assert true
    assert true <= listed
    for host, queue_id in listed - true:
        answer = server.ask("trace_mail", host=host, queue_id=queue_id)
        ways = [one["path"] for trace in answer["traces"] for one in trace["recipients"]]
        assert any(place(way[-1]) in true for way in ways), (host, queue_id)


def test_the_command_line_lists_the_same(cluster: Stage, server: Server) -> None:
    done = cluster.run("query", "--status", "held", "--json")
    assert done.returncode == 0, done.stderr
    listed = {place(one) for one in json.loads(done.stdout)["mails"]}
    assert listed == {place(one) for one in pages(server, status="held")} >= queued(cluster, "hold")
