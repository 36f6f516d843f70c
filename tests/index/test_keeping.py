"""Where indexes lie, for whom, and what questions put into them and forget."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import anyio
import pytest

from mailtrace_mcp.config import load
from mailtrace_mcp.logs import Term
from mailtrace_mcp.logs.index import INDEXES, Order, build, folder_of
from mailtrace_mcp.logs.index.tidying import expire_now_and_then
from mailtrace_mcp.logs.index.writing import Writer
from mailtrace_mcp.logs.local import LocalStore
from mailtrace_mcp.logs.open import sources
from mailtrace_mcp.logs.plan import Measures, PlannedSource
from mailtrace_mcp.logs.scan import Member
from mailtrace_mcp.trace.coverage import Window

from .conftest import AGES, LIMIT, Lines, Machine, ask, same
from .test_following import whole

START = datetime(2026, 11, 20, tzinfo=UTC)
HOSTS = """
hosts:
  loghost: {logs: {files: [mail.log*]}}
  mx1: {logs: {at: loghost}}
  mx2: {timezone: Asia/Taipei, logs: {at: loghost}}
  own: {logs: {files: [own/mail.log]}}
  journal: {logs: {kind: journald}}
  far: {address: 192.0.2.9, logs: {at: ssh, files: [/var/log/mail.log*]}, ssh: {user: x}}
  beyond: {logs: {at: far}}
"""


def folders(
    folder: Path, text: str = HOSTS, environ: dict[str, str] | None = None
) -> dict[str, Path | None]:
    """Where the index of each host lies."""
    file = folder / "config.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    config = load(file, {})
    return {name: folder_of(config, host, environ or {}) for name, host in config.hosts.items()}


def test_hosts_with_the_same_files_share_an_index(tmp_path: Path) -> None:
    found = folders(tmp_path)
    assert found["loghost"] == found["mx1"] == found["mx2"]
    assert found["far"] == found["beyond"]
    assert found["journal"] is None
    different = {found["loghost"], found["own"], found["far"]}
    assert len(different) == 3
    names = {path.name.rpartition("-")[0] for path in different if path is not None}
    assert names == {"local", "far"}
    assert {path.parent for path in different if path} == {Path.home() / ".cache" / "mailtrace"}


def test_another_machine_or_other_files_are_another_index(tmp_path: Path) -> None:
    here = folders(tmp_path)
    assert folders(tmp_path, f"timezone: Europe/Berlin{HOSTS}limits: {{window: 1d}}\n") == here
    there = folders(tmp_path / "there")
    assert there["far"] == here["far"]
    assert there["own"] != here["own"]
    for old, new in (
        ("192.0.2.9", "192.0.2.10"),
        ("user: x", "user: x, port: 2222"),
        ("/mail.log*", "/mail*"),
    ):
        assert folders(tmp_path, HOSTS.replace(old, new))["far"] != here["far"]


def test_where_they_lie_is_configured(tmp_path: Path) -> None:
    def of(text: str, **environ: str) -> Path | None:
        found = folders(tmp_path, HOSTS + text, environ)["own"]
        return None if found is None else found.parent

    assert of("index: {path: /srv/cache}\n", XDG_CACHE_HOME="/x") == Path("/srv/cache")
    assert of("index: {path: cache}\n") == tmp_path / "cache"
    assert of("index: {path: ~/kept}\n") == Path.home() / "kept"
    assert of("index: {retention: 1d}\n", XDG_CACHE_HOME="/x") == Path("/x/mailtrace")
    assert of("", XDG_CACHE_HOME="x") == Path.home() / ".cache" / "mailtrace"
    assert of("index: {enabled: false}\n") is None


def lines(days: float = 0) -> Lines:
    start = START + timedelta(days=days)
    return Lines(3, start, False, ZoneInfo("UTC"), bare=False, wobble=0)


@pytest.mark.parametrize("enabled", [True, False])
def test_the_sources_of_a_configuration_use_it(tmp_path: Path, enabled: bool) -> None:
    now = datetime.now(UTC)
    some = Lines(3, now - timedelta(hours=1), False, ZoneInfo("UTC"), bare=False, wobble=0)
    log = tmp_path / "mail.log"
    log.write_bytes(some.some(60))
    file = tmp_path / "config.yaml"
    file.write_text(
        f"timezone: UTC\nhosts: {{mx1: {{logs: {{files: [mail.log]}}}}}}\n"
        f"index: {{path: cache, enabled: {str(enabled).lower()}}}\n"
    )
    config = load(file, {})
    window = Window(now - timedelta(hours=2), now + timedelta(hours=2))
    terms = [Term("queue_id", "4F2A1B3C5D", window)]

    def count() -> int:
        (source,) = sources(config)
        reading = anyio.run(source.read, terms, window)
        assert reading.coverage[0].files == ("mail.log",)
        return len(reading.lines)

    count()
    assert not (tmp_path / "cache").exists()  # a question does not begin one
    folder = folder_of(config, config.hosts["mx1"], {})
    if folder is not None:
        order = Order((str(log),), UTC, AGES, AGES)
        build(INDEXES.of(folder), LocalStore(), order, workers=0)
    before = count()
    with log.open("ab") as appended:
        appended.write(f"{now.isoformat()} mx1 postfix/qmgr[1]: 4F2A1B3C5D: removed\n".encode())
    assert count() == before + 1
    if folder is None:
        assert not enabled
        assert not (tmp_path / "cache").exists()
    else:
        (known,) = INDEXES.of(folder).files()
        assert known.cursor == log.stat().st_size
        INDEXES.of(folder).close()


def kept(machine: Machine, length: timedelta | None, limit: int = LIMIT) -> PlannedSource:
    return PlannedSource(
        LocalStore(), machine.patterns, [Member("mx1", machine.zone)], lambda name: None, limit,
        str(machine.logs), machine.index, Measures(), kept=length,
    )  # fmt: skip


def test_a_question_does_not_index_what_is_too_old_and_forgets_it(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    now = datetime.now(UTC)
    for name, days in (("mail.log.2", 20), ("mail.log.1", 9), ("mail.log", 0)):
        some = Lines(days, now - timedelta(days=days, hours=2), False, machine.zone, wobble=0)
        machine.write(name, some.some(50), some.now)
    machine.build()
    assert len(machine.index.files()) == 3
    window = Window(now - timedelta(days=30), now)
    terms = [Term("queue_id", "4F2A1B3C5D", window)]
    expected = ask(machine.reference(), terms, window)
    same(ask(kept(machine, timedelta(days=15)), terms, window), expected)
    assert len(machine.index.files()) == 3  # nothing was new, so nothing was done
    machine.append(
        "mail.log", b"%s mx1 postfix/qmgr[1]: 4F2A1B3C5D: removed\n" % now.isoformat().encode(), now
    )
    expected = ask(machine.reference(), terms, window)
    same(ask(kept(machine, timedelta(days=15)), terms, window), expected)
    assert len(machine.index.files()) == 3  # that was done when it was built
    with machine.index.writing() as catalogue:
        assert catalogue is not None
        with catalogue.change():
            catalogue.put_fact("expired", int(now.timestamp()) - 4000)
    machine.append(
        "mail.log", b"%s mx1 postfix/qmgr[1]: 4F2A1B3C5D: removed\n" % now.isoformat().encode(), now
    )
    expected = ask(machine.reference(), terms, window)
    for _ in range(2):
        same(ask(kept(machine, timedelta(days=15)), terms, window), expected)
        assert len(machine.index.files()) == 2
    whole(machine)


def test_what_is_too_old_is_looked_for_once_an_hour(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    some = lines()
    machine.write("mail.log", some.some(50), some.now)
    machine.build()
    long_after = int((some.now + timedelta(days=9)).timestamp() * 1e6)
    with machine.index.writing() as catalogue:
        assert catalogue is not None
        writer = Writer(machine.index, catalogue)
        expire_now_and_then(writer, long_after)
        assert len(catalogue.files()) == 1
        with catalogue.change():
            catalogue.put_fact(
                "expired", int(datetime.now(UTC).timestamp()) + 10_000
            )  # a clock that was wrong
        expire_now_and_then(writer, long_after)
        assert not catalogue.files()


def test_a_question_adds_no_more_than_it_may_fetch(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    some = lines()
    machine.write("mail.log", some.some(50), some.now)
    machine.build()
    (before,) = machine.index.files()
    machine.append("mail.log", some.some(100), some.now)
    window = Window(START, some.now)
    terms = [Term("queue_id", "4F2A1B3C5D", window)]
    expected = ask(machine.reference(), terms, window)
    same(ask(kept(machine, None, limit=9000), terms, window), expected)
    assert machine.index.files() == [before]
    same(ask(kept(machine, None), terms, window), expected)
    (after,) = machine.index.files()
    assert after.cursor == os.stat(machine.logs / "mail.log").st_size
