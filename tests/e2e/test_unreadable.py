"""A host that cannot be read is named, and what only it knows is unknown: never sent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from tests.e2e.stage import Mail, Stage
from tests.e2e.truth import Place, true_way, way


@contextmanager
def unplugged(cluster: Stage, host: str) -> Iterator[None]:
    """The host is there and its cable is not: nothing answers."""
    cluster.lab.switch.run_in_network("ip", "link", "set", host, "down")
    try:
        yield
    finally:
        cluster.lab.switch.run_in_network("ip", "link", "set", host, "up")


@contextmanager
def without_sshd(cluster: Stage, host: str) -> Iterator[None]:
    """Mail goes on; nobody can log in."""
    machine = cluster.lab.machine(host)
    machine.run("/bin/sh", "-c", "kill $(cat /run/sshd.pid)")
    try:
        yield
    finally:
        machine.run("/usr/sbin/sshd")


@contextmanager
def denied(cluster: Stage, host: str) -> Iterator[None]:
    """The log is root's alone, as postlogd(8) leaves it after a rotation."""
    machine = cluster.lab.machine(host)
    machine.run("/bin/sh", "-c", "chmod 0600 /var/log/mail.log*")
    try:
        yield
    finally:
        machine.run("/bin/sh", "-c", "chmod 0640 /var/log/mail.log*")


WAYS = {
    "unplugged": (unplugged, {"unreachable", "timeout"}, {"HOST_UNREACHABLE", "HOST_TIMEOUT"}),
    "without sshd": (without_sshd, {"unreachable"}, {"HOST_UNREACHABLE"}),
    "denied": (denied, {"denied"}, {"FILE_DENIED"}),
}


def by(cluster: Stage, host: str) -> Mail:
    """An ordinary mail that went from csmail1 or csmail2 over this host to a mailbox."""
    for mail in cluster.oracle:
        ways = [true_way(one) for one in mail["recipients"]]
        hosts = [place[0] for place in ways[0]]
        if (
            len(ways) == 1
            and hosts[0].startswith("csmail")
            and host in hosts[1:]
            and hosts[-1] == "csbox1"
        ):
            return mail
    raise AssertionError(f"no mail went over {host}")


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("host", ["csmx1", "csbox1"])
def test_what_an_unread_host_knows_is_unknown(host: str, how: str, cluster: Stage) -> None:
    mail = by(cluster, host)
    broken, states, codes = WAYS[how]
    with broken(cluster, host):
        # A process of its own: no connection is left from before.
        done = cluster.run("trace", "--message-id", mail["message_id"], "--json")
        text = cluster.run("trace", "--message-id", mail["message_id"])
    assert done.returncode == text.returncode == 3, done.stderr
    answer = json.loads(done.stdout)
    [unread] = [one for one in answer["coverage"]["hosts"] if one["host"] == host]
    assert unread["state"] in states
    assert unread["code"] in codes
    assert not answer["coverage"]["complete"]
    assert host in answer["summary"]
    assert host in text.stdout
    [before] = [
        trace for trace in answer["traces"] if _begins(trace, true_way(mail["recipients"][0])[0])
    ]
    assert not before["complete"]
    [end] = before["recipients"]
    assert end["outcome"] == "unknown"
    assert host in end["reason"]
    last = way(end)[-1][0]
    assert last != host


def _begins(trace: Mapping[str, Any], place: Place) -> bool:
    return any(way(one)[:1] == [place] for one in trace["recipients"])
