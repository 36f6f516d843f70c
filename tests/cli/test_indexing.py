"""`index`: what it prints and leaves, what it says of logs that cannot be read, and Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailtrace_mcp.config import load
from mailtrace_mcp.logs.index import INDEXES, HostIndex, folder_of
from tests.server.wire import ENVIRONMENT

from .conftest import Run
from .test_usage import on_a_terminal

CONFIG = """\
timezone: UTC
hosts:
  mx1: {logs: {files: [mx1.log*]}}
  mx2: {logs: {files: [mx2.log]}}
  mx3: {logs: {at: mx2}}
clusters: {mx-cluster: [mx1, mx2]}
index: {path: cache}
"""


def line(number: int, host: str, text: str = "removed") -> bytes:
    at = datetime.now(UTC) - timedelta(hours=2) + timedelta(seconds=number)
    queue_id = f"{0xA0000000 + number:X}"
    return f"{at.isoformat()} {host} postfix/qmgr[1]: {queue_id}: {text}\n".encode()


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for host in ("mx1", "mx2"):
        (tmp_path / f"{host}.log").write_bytes(b"".join(line(n, host) for n in range(5000)))
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG)
    return file


def test_it_indexes_all_hosts_and_then_nothing_new(run: Run, config: Path) -> None:
    ran = run("index")
    assert (ran.code, ran.err) == (0, "")
    first, second, summary = ran.out.splitlines()
    assert re.fullmatch(r"mx1: 1 file, \d+\.\d KB in .* s; index \d+\.\d KB", first)
    assert second.startswith("mx2 (also mx3): 1 file, ")
    assert summary == "2 of 2 indexes up to date."
    again = run("index")
    assert again.code == 0
    assert re.fullmatch(r"mx1: nothing new; index \d+\.\d KB", again.out.splitlines()[0])
    with (config.parent / "mx1.log").open("ab") as file:
        file.write(line(600, "mx1"))
    assert run("index").out.startswith("mx1: 1 file, ")
    modes = {path.stat().st_mode & 0o7777 for path in (config.parent / "cache").rglob("*")}
    assert modes == {0o700, 0o600}


@pytest.mark.parametrize(
    ("arguments", "hosts"),
    [
        (("mx1",), ["mx1"]),
        (("--host", "mx1"), ["mx1"]),
        (("mx3",), ["mx2"]),
        (("mx1", "--host", "mx2"), ["mx1", "mx2"]),
        (("mx-cluster",), ["mx1", "mx2"]),
    ],
)
def test_hosts_are_named_and_json_tells_all(
    run: Run, config: Path, arguments: tuple[str, ...], hosts: list[str]
) -> None:
    ran = run("index", "--json", *arguments)
    told = json.loads(ran.out)
    assert (ran.code, ran.err) == (0, "")
    assert [one["host"] for one in told["hosts"]] == hosts
    for one in told["hosts"]:
        size = (config.parent / f"{one['host']}.log").stat().st_size
        assert (one["state"], one["files"], one["bytes"]) == ("indexed", 1, size)
        assert one["size"] > 0
        assert one["seconds"] > 0
        assert "code" not in one
    assert len(list((config.parent / "cache").iterdir())) == len(hosts)


def test_a_question_says_the_same_and_follows_what_is_new(run: Run, config: Path) -> None:
    asked = ("query", "A0000064", "--host", "mx1", "--time-range", "3h", "--json")
    before = json.loads(run(*asked).out)
    run("index")
    after = json.loads(run(*asked).out)
    read = [
        sum(host.pop("bytes_read") for host in answer["coverage"]["hosts"])
        for answer in (before, after)
    ]
    assert read[1] < read[0]
    for answer in (before, after):
        answer["coverage"].pop("window")  # ends now
    assert after == before
    assert after["matched"] == 1
    with (config.parent / "mx1.log").open("ab") as file:
        file.write(line(6000, "mx1"))
    new = json.loads(run(*asked[:1], "A0001770", *asked[2:]).out)
    assert new["matched"] == 1
    assert run("index", "mx1").out.startswith("mx1: nothing new")


def test_logs_that_cannot_be_read_are_told_with_their_codes(run: Run, config: Path) -> None:
    (config.parent / "mx1.log.1").write_bytes(b"\x1f\x8b\x08 this is not gzip at all" * 9)
    (config.parent / "mx2.log").unlink()
    ran = run("index")
    first, second, summary = ran.out.splitlines()
    assert ran.code == 3
    assert "FILE_CORRUPT: " in first
    assert "mx1.log.1 " in first
    assert re.search(r"^mx2 \(also mx3\): .*FILE_NOT_FOUND: .*mx2.log is not there\.$", second)
    assert (
        summary
        == "0 of 2 indexes up to date; not all logs of mx1 and mx2 could be read or indexed."
    )
    told = json.loads(run("index", "--json").out)
    assert [one["state"] for one in told["hosts"]] == ["partial", "failed"]
    assert [one["code"] for one in told["hosts"]] == ["FILE_CORRUPT", "FILE_NOT_FOUND"]


def test_only_what_is_young_enough(run: Run, config: Path) -> None:
    old = (datetime.now(UTC) - timedelta(days=3)).timestamp()
    os.utime(config.parent / "mx1.log", (old, old))
    assert run("index", "mx1", "--since", "2 days ago").out.startswith("mx1: nothing new")
    assert run("index", "mx1").out.startswith("mx1: 1 file, ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nobody",), "UNKNOWN_HOST: "),
        (("--since", "soon"), "TIME_INVALID: "),
        (
            ("--since", "30 days ago"),
            "RANGE_TOO_WIDE: the time '30 days ago' is before what is kept: 7 days",
        ),
        (("",), "INVALID_ARGUMENT: host is empty"),
        (("--sinc", "now"), "Did you mean '--since'?"),
    ],
)
def test_what_cannot_be_asked(run: Run, arguments: tuple[str, ...], words: str) -> None:
    ran = run("index", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert words in ran.err
    assert ran.err.count("\n") == 1


def test_it_can_be_switched_off(run: Run, config: Path) -> None:
    run("index")
    config.write_text(CONFIG.replace("path: cache", "path: cache, enabled: false"))
    ran = run("index")
    assert (ran.code, ran.out) == (2, "")
    assert "CONFIG_INVALID: config.yaml switches the index off (index.enabled)" in ran.err
    folder = config.parent / "cache"
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    with (config.parent / "mx1.log").open("ab") as file:
        file.write(line(6000, "mx1"))
    asked = ("query", "A0001770", "--host", "mx1", "--time-range", "3h")
    assert run(*asked).out.startswith("1 mail")
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    config.write_text(CONFIG)
    assert run(*asked).out.startswith("1 mail")
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} != before


def test_it_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    from mailtrace_mcp.cli import main

    with pytest.raises(SystemExit):
        main(["index", "--help"])
    told = capsys.readouterr().out
    for words in (
        "HOST",
        "--host",
        "--since",
        "--json",
        "Ctrl-C",
        "exit codes: 0 all are up to date",
    ):
        assert words in told


def test_a_terminal_gets_bars(config: Path) -> None:
    told = on_a_terminal(config, "index")
    assert "\x1b[" in told  # the bars, which are taken away in the end
    assert "2 of 2 indexes up to date." in told
    assert "mx2 (also mx3): 1 file, " in told


def test_ctrl_c_keeps_what_was_done_and_says_so(run: Run, config: Path) -> None:
    """As a terminal does it: all processes are told, also those that help."""
    log = config.parent / "mx1.log"
    some = b"".join(line(n, "mx1", "to=<bob@example.com>, relay=none") for n in range(2000))
    with log.open("wb") as file:
        for _ in range(400):  # about 84 MB: it takes seconds, and several processes
            file.write(some)
    command = [sys.executable, "-m", "mailtrace_mcp", "--config", str(config), "index", "mx1"]
    loaded = load(config, {})
    folder = folder_of(loaded, loaded.hosts["mx1"])
    assert folder is not None
    with subprocess.Popen(
        command,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        while not HostIndex(folder).exists and running.poll() is None:
            time.sleep(0.01)
        time.sleep(0.3)
        os.killpg(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (130, "")
    first, summary = out.splitlines()
    assert "stopped, and goes on from here the next time" in first
    assert summary == "0 of 1 index up to date."
    (known,) = HostIndex(folder).files()
    assert 0 < known.cursor < log.stat().st_size
    rest = json.loads(run("index", "mx1", "--json").out)["hosts"][0]
    assert rest["state"] == "indexed"
    assert rest["bytes"] <= log.stat().st_size - known.tail
    (known,) = HostIndex(folder).files()
    assert known.cursor == log.stat().st_size


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
def test_on_a_full_disk_it_says_so_and_questions_are_answered(run: Run, config: Path) -> None:
    disk = config.parent / "cache"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no tmpfs can be mounted here")
    asked = ("query", "A0001770", "--host", "mx1", "--time-range", "3h")
    try:
        assert run("index", "mx1").code == 0
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
            while True:
                file.write(b"x" * 4096)
        with (config.parent / "mx1.log").open("ab") as log:
            log.write(line(6000, "mx1"))
        ran = run(*asked)
        assert ran.out.startswith("1 mail")
        assert "Its index could not be used (" in ran.out
        ran = run("index", "mx1")
        assert ran.code == 3
        assert "mx1: " in ran.out
        assert "Its index cannot be written: " in ran.out
        filler.unlink()
        ran = run(*asked)
        assert ran.out.startswith("1 mail")
        assert "Its index" not in ran.out
        assert run("index", "mx1").out.startswith("mx1: nothing new")
    finally:
        INDEXES.close()
        subprocess.run(["umount", "-l", str(disk)], check=True)
