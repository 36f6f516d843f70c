"""The logs that are measured on: the same for a seed, in order, and lines as Postfix writes them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench import genlog
from bench.genlog import Log
from bench.sizes import shown, size
from mailtrace_parsers.entry import Clock, Entry
from mailtrace_parsers.events import Delivery, MessageId, QueueActive, Unrecognised
from mailtrace_parsers.read import read, records

SIZE = 300_000


def entries(log: Log) -> list[Entry]:
    clock = Clock(UTC, log.end + timedelta(hours=1))
    return [read(raw, clock) for raw in records(log.path.read_bytes())]


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    one, same, other = (
        genlog.write(tmp_path / name, SIZE, seed)
        for name, seed in (("one", 1), ("same", 1), ("other", 2))
    )
    assert one.path.read_bytes() == same.path.read_bytes()
    assert one.path.read_bytes() != other.path.read_bytes()
    assert SIZE <= one.size == one.path.stat().st_size < SIZE * 2


@pytest.mark.parametrize("stamps", ["rfc3339", "bsd"])
@pytest.mark.parametrize("long_ids", [False, True])
def test_every_line_is_one_of_postfix_and_in_order(
    stamps: genlog.Stamps, long_ids: bool, tmp_path: Path
) -> None:
    log = genlog.write(tmp_path / "log", SIZE, stamps=stamps, long_ids=long_ids)
    found = entries(log)
    assert [one.raw for one in found if isinstance(one.event, Unrecognised)] == []
    assert len(found) == log.lines
    times = [one.frame.at for one in found if one.frame.at is not None]
    assert len(times) == log.lines
    assert times == sorted(times)
    assert times[0] >= log.start
    assert times[-1].replace(microsecond=0) == log.end == mtime(log)
    kinds = Counter(type(one.event) for one in found)
    assert min(kinds[Delivery], kinds[MessageId], kinds[QueueActive]) > log.lines * 0.05
    ids = {one.queue_id for one in found if isinstance(one.event, QueueActive)}
    assert {"z" in (one or "") for one in ids} == {long_ids}


def mtime(log: Log) -> datetime:
    return datetime.fromtimestamp(log.path.stat().st_mtime, UTC)


def test_a_known_mail_is_in_the_logs_of_its_hosts(tmp_path: Path) -> None:
    hosts = ["mx1.example.net", "mx2.example.net", "mx3.example.net"]
    mail = genlog.planted([hosts[0], hosts[2]], second=20)
    assert list(mail.queue_ids) == [hosts[0], hosts[2]]
    for number, host in enumerate(hosts):
        lines = mail.lines.get(host, ())
        log = genlog.write(tmp_path / host, SIZE, number, host, plant=lines)
        found = [one for one in entries(log) if mail.message_id.encode() in one.raw]
        assert [one.queue_id for one in found] == ([mail.queue_ids[host]] if lines else [])
        about = [one for one in entries(log) if one.queue_id in mail.queue_ids.values()]
        assert len(about) == (5 if lines else 0)


@pytest.mark.parametrize(
    ("text", "count", "again"),
    [("100M", 10**8, "100 MB"), ("1G", 10**9, "1 GB"), ("1.5k", 1500, "1.5 KB"), ("7", 7, "7 B")],
)
def test_sizes(text: str, count: int, again: str) -> None:
    assert size(text) == count
    assert shown(count) == again


def test_a_word_that_is_no_size() -> None:
    with pytest.raises(ValueError, match="'large' is no size: write 100M or 1G"):
        size("large")
