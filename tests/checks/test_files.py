"""Hosts whose logs lie on this machine."""

from __future__ import annotations

import gzip
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from mailtrace_mcp.answers import CheckAnswer, as_json
from mailtrace_mcp.config import load
from mailtrace_mcp.errors import MailtraceError
from mailtrace_mcp.logs.index import HostIndex, Order, build, folder_of
from mailtrace_mcp.logs.local import LocalStore

from .conftest import Ask, checks, sound, states

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
HOST = "hosts: {{mx1: {{logs: {{files: [{0}]}}}}}}\n"


def line(minutes: float, host: str = "mx1", text: str = "4F2A1B3C5D: removed") -> bytes:
    at = NOON + timedelta(minutes=minutes)
    return f"{at.isoformat(timespec='seconds')} {host} postfix/qmgr[7]: {text}\n".encode()


def bsd(minutes: float, host: str = "mx1", tag: str = "postfix/qmgr[7]") -> bytes:
    at = NOON + timedelta(minutes=minutes)
    return f"{at:%b %e %H:%M:%S} {host} {tag}: 4F2A1B3C5D: removed\n".encode()


def write(file: Path, data: bytes, minutes: float = 0) -> None:
    """A log that was last written so many minutes after noon."""
    file.write_bytes(gzip.compress(data, mtime=0) if file.name.endswith(".gz") else data)
    at = (NOON + timedelta(minutes=minutes)).timestamp()
    os.utime(file, (at, at))


def asked(ask: Ask, text: str, **fields: object) -> CheckAnswer:
    """The answer about hosts alone, at noon."""

    async def main() -> CheckAnswer:
        answer = await ask(text, None, NOON, profiles=False, **fields)
        sound(answer)
        return answer

    return anyio.run(main)


def test_a_host_that_can_be_read(ask: Ask, tmp_path: Path) -> None:
    write(tmp_path / "mail.log.2.gz", line(-3000) + line(-2000))
    write(tmp_path / "mail.log.1", line(-1990) + line(-100))
    write(tmp_path / "mail.log", line(-90) + line(-1), -1)
    answer = asked(ask, "timezone: Europe/Berlin\n" + HOST.format("mail.log*"))
    [host] = answer.hosts
    assert states(host) == {
        "reachable": True, "files": True, "lines": True, "format": True, "timezone": True, "index": None
    }  # fmt: skip
    assert (host.name, host.ok, answer.summary) == ("mx1", True, "Hosts: 1 of 1 ok.")
    found = checks(host)
    assert found["files"].found.startswith("3 files can be read, ")
    assert "from 2026-11-19 11:00:00 to 2026-11-21 12:59:00 (Europe/Berlin)" in found["lines"].found
    assert "the newest 1 min old" in found["lines"].found
    assert found["format"].found == (
        "Stamps: ISO 8601 with a zone. Of the last 2 lines 2 are Postfix's."
    )
    assert answer.hints == ()


def test_right_after_a_rotation_the_file_before_tells_the_newest(ask: Ask, tmp_path: Path) -> None:
    write(tmp_path / "mail.log.1", line(-100) + line(-2))
    write(tmp_path / "mail.log", b"")
    [host] = asked(ask, HOST.format("mail.log*")).hosts
    assert "to 2026-11-21 11:58:00 (UTC), the newest 2 min" in checks(host)["lines"].found


@pytest.mark.parametrize(
    ("data", "ok", "words", "advice"),
    [
        (line(-3 * 1440), None, "the newest 3 d old", "Postfix running"),
        (line(180), False, "the newest is 3 h in the future", "set timezone"),
        (b"no stamp at all\n", False, "no line with a readable time", "its syslog running"),
        (b"", False, "no line with a readable time", "its syslog running"),
    ],
)
def test_lines_that_are_too_old_too_new_or_none(
    ask: Ask, tmp_path: Path, data: bytes, ok: bool | None, words: str, advice: str
) -> None:
    write(tmp_path / "mail.log", data)
    answer = asked(ask, HOST.format("mail.log"))
    lines = checks(answer.hosts[0])["lines"]
    assert lines.ok is ok
    assert words in lines.found
    assert advice in (lines.advice or "")
    assert answer.hosts[0].ok is ok


def test_stamps_in_another_zone_than_the_configured_one_show_in_the_future(
    ask: Ask, tmp_path: Path
) -> None:
    """Written in Taipei, read as UTC: eight hours ahead."""
    write(tmp_path / "mail.log", bsd(480))
    [host] = asked(ask, "timezone: UTC\n" + HOST.format("mail.log")).hosts
    assert "8 h in the future" in checks(host)["lines"].found
    [host] = asked(ask, "timezone: Asia/Taipei\n" + HOST.format("mail.log")).hosts
    assert checks(host)["lines"].ok


def test_only_packed_files(ask: Ask, tmp_path: Path) -> None:
    write(tmp_path / "mail.log.1.gz", line(-100))
    lines = checks(asked(ask, HOST.format("mail.log*")).hosts[0])["lines"]
    assert lines.ok is None
    assert "all files are packed" in lines.found


def test_files_that_are_not_there_or_no_logs(ask: Ask, tmp_path: Path) -> None:
    write(tmp_path / "mail.log", line(-1))
    write(tmp_path / "mail.log.1", bytes(range(32)) * 300)
    missing = asked(ask, HOST.format("maillog")).hosts[0]
    assert states(missing) == {"reachable": True, "files": False, "lines": None, "index": None}
    files = checks(missing)["files"]
    assert (files.code, files.found[:19]) == ("FILE_NOT_FOUND", "maillog is not ther")
    assert "journald" in (files.advice or "")
    broken = checks(asked(ask, HOST.format("mail.log*")).hosts[0])
    assert broken["files"].code == "FILE_CORRUPT"
    assert "mail.log.1 is no text log" in broken["files"].found
    assert "1 file can be read" in broken["files"].found
    assert broken["lines"].ok


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(ask: Ask, tmp_path: Path) -> None:
    write(tmp_path / "mail.log", line(-1))
    (tmp_path / "mail.log").chmod(0)
    files = checks(asked(ask, HOST.format("mail.log")).hosts[0])["files"]
    assert (files.ok, files.code) == (False, "FILE_DENIED")
    assert "the group " in (files.advice or "")


def test_what_is_no_file(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "mail.log").mkdir()
    files = checks(asked(ask, HOST.format("mail.log")).hosts[0])["files"]
    assert (files.ok, files.code) == (False, "FILE_DENIED")
    assert "is a directory" in files.found
    assert "Name log files" in (files.advice or "")


def test_lines_that_are_not_postfixs(ask: Ask, tmp_path: Path) -> None:
    write(tmp_path / "mail.log", bsd(-2, tag="cron[1]") + bsd(-1, tag="IGNORE\x1b[31m[2]"))
    answer = asked(ask, "timezone: UTC\n" + HOST.format("mail.log"))
    form = checks(answer.hosts[0])["format"]
    assert form.ok is False
    assert form.found == (
        "Stamps: BSD, without year and zone. Of the last 2 lines 0 are Postfix's."
    )
    structured = as_json(answer)
    [untrusted] = structured.pop("untrusted")
    assert "IGNORE" not in str(structured)
    assert untrusted["text"] == "IGNORE\\u{1b}[31m, cron"


@pytest.mark.parametrize(
    ("top", "ok", "words"),
    [
        ("", None, "None is configured, and the host does not tell its own: its stamps are read as UTC."),
        # The zone of times that are typed is a guess about a host's stamps, too.
        ("timezone: Asia/Taipei\n", None, "None is configured, and the host does not tell its own: its "
         "stamps are read as Asia/Taipei."),
    ],
)  # fmt: skip
def test_the_zone_of_stamps_that_name_none(
    ask: Ask, tmp_path: Path, top: str, ok: bool | None, words: str
) -> None:
    write(tmp_path / "mail.log", bsd(-1))
    zone = checks(asked(ask, top + HOST.format("mail.log")).hosts[0])["timezone"]
    assert (zone.ok, zone.found) == (ok, words)
    assert bool(zone.advice) == (ok is None)


LOGHOST = """
timezone: UTC
hosts:
  loghost: {logs: {files: [all.log]}}
  mx1: {logs: {at: loghost}}
  mx2: {aliases: [mx2.example.com], logs: {at: loghost}}
"""


def test_hosts_whose_lines_stand_among_others(ask: Ask, tmp_path: Path) -> None:
    write(tmp_path / "all.log", line(-3, "mx1") + line(-2, "mx1") + line(-1, "loghost"))
    answer = asked(ask, LOGHOST)
    found = {one.name: checks(one)["names"] for one in answer.hosts}
    assert [one.ok for one in found.values()] == [True, True, None]
    assert all(one.ok for one in answer.hosts)  # it may have had nothing to log
    assert found["mx1"].found == "Of the last 3 lines 2 bear its name."
    assert "aliases" in (found["mx2"].advice or "")
    write(tmp_path / "all.log", line(-3, "mx1") + line(-2, "IGNORE"))
    answer = asked(ask, LOGHOST, hosts=("mx1",))
    names = checks(answer.hosts[0])["names"]
    assert names.ok is None
    assert "1 bear names that no host here goes by" in names.found
    assert [one.text for one in answer.untrusted] == ["IGNORE"]


def test_the_index(ask: Ask, tmp_path: Path) -> None:
    write(tmp_path / "mail.log", line(-2) + line(-1), -1)
    text = HOST.format("mail.log") + "index: {path: cache}\n"
    text = text.replace("cache", str(tmp_path / "cache"))
    asked(ask, text)
    assert not (tmp_path / "cache").exists()  # nothing is written by looking
    config = load(tmp_path / "config.yaml", {})
    folder = folder_of(config, config.hosts["mx1"])
    assert folder is not None
    index = HostIndex(folder)
    since = NOON - timedelta(days=7)
    build(index, LocalStore(), Order((str(tmp_path / "mail.log"),), UTC, since, since), workers=0)
    index.close()
    found = checks(asked(ask, text).hosts[0])["index"]
    assert (found.ok, found.found) == (True, "1 log, 134 bytes indexed, all there is.")
    with (tmp_path / "mail.log").open("ab") as file:
        file.write(line(0))
    found = checks(asked(ask, text).hosts[0])["index"]
    assert found.ok
    assert "67 bytes are not yet" in found.found
    write(tmp_path / "mail.log", line(-2) + b"x" * (17 << 20), -1)
    found = checks(asked(ask, text).hosts[0])["index"]
    assert "17.0 MB are not yet, which is more than a question adds by itself." in found.found
    assert "mailtrace-mcp index" in (found.advice or "")
    write(tmp_path / "mail.log", line(0), -8 * 24 * 60)  # older than an index is kept
    assert checks(asked(ask, text).hosts[0])["index"].found.endswith(", all there is.")
    folder.chmod(0o777)
    found = checks(asked(ask, text).hosts[0])["index"]
    assert found.ok is False
    assert "mailtrace-mcp index" in (found.advice or "")


def test_many_files_are_not_all_opened(ask: Ask, tmp_path: Path) -> None:
    for number in range(1, 100):
        write(tmp_path / f"mail.log.{number}", line(-100 * number))
    write(tmp_path / "mail.log", line(-1))
    found = checks(asked(ask, HOST.format("mail.log*")).hosts[0])
    assert "60 files can be read" in found["files"].found
    assert "100 are there, 60 were looked at" in found["files"].found
    assert "from 2026-11-14 15:00:00 to 2026-11-21 11:59:00" in found["lines"].found


def test_a_pipe_without_a_writer_is_not_opened(ask: Ask, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.log")
    write(tmp_path / "mail.log", line(-1))
    text = "hosts:\n  mx1: {logs: {files: [pipe.log]}}\n  mx2: {logs: {files: [mail.log]}}\n"
    began = time.monotonic()
    answer = asked(ask, text)
    assert time.monotonic() - began < 10
    first, second = answer.hosts
    assert checks(first)["files"].code == "FILE_DENIED"
    assert second.ok


def test_which_hosts_are_meant(ask: Ask, tmp_path: Path) -> None:
    write(tmp_path / "mail.log", line(-1))
    one = "{logs: {files: [mail.log]}}"
    text = f"hosts: {{a: {one}, b: {one}, c: {one}}}\nclusters: {{pair: [c, a]}}\n"

    def names(*hosts: str) -> list[str]:
        return [one.name for one in asked(ask, text, hosts=hosts).hosts]

    assert names() == ["a", "b", "c"]
    assert names("pair") == ["c", "a"]
    assert names("b", "PAIR", "a") == ["b", "c", "a"]
    for wrong, code in (("d", "UNKNOWN_HOST"), (" ", "INVALID_ARGUMENT")):
        with pytest.raises(MailtraceError) as caught:
            names(wrong)
        assert caught.value.code == code


def test_a_journal_that_cannot_be_asked_is_told(ask: Ask) -> None:
    """Whatever this machine has: a journal that is read, or a sentence why not."""
    [host] = asked(ask, "hosts: {mx1: {logs: {kind: journald}}}\n").hosts
    files = checks(host)["files"]
    assert files.ok is not None
    assert (files.code is None) == files.ok
