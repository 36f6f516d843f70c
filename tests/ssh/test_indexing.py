"""Logs of other machines put into an index, by commands and by SFTP, and questions answered with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import anyio
import paramiko
import pytest

from mailtrace_mcp.answers.index_types import IndexAnswer
from mailtrace_mcp.config import Config
from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.index import INDEXES, HostIndex, folder_of
from mailtrace_mcp.logs.ssh.pool import POOL
from mailtrace_mcp.questions.indexing import Indexing, IndexQuestion

from .conftest import Place
from .test_sources import NOON, configured, line, reached, read

CACHE = "index: {path: cache}\n"


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    paramiko.util.get_logger("paramiko").setLevel(100)
    yield
    POOL.close()
    INDEXES.close()


def indexed(config: Config, *hosts: str) -> IndexAnswer:
    """As of noon; files were written just now, which may be long after."""
    now = min(NOON, datetime.now(UTC))
    return anyio.run(Indexing(config, IndexQuestion(hosts), now).run)


def index_of(config: Config, host: str) -> HostIndex:
    folder = folder_of(config, config.hosts[host])
    assert folder is not None
    return INDEXES.of(folder)


@pytest.mark.parametrize("user", ["reader", "installed", "files"])
def test_a_host_is_indexed_and_asked(user: str, place: Place, tmp_path: Path) -> None:
    old = line(-90, "first") + line(-50, "AAAA111: packed")
    # Longer than what is asked for at once, by either way.
    text = b"".join(
        line(n / 6000, f"{0xB000000 + n:X}: client=x[192.0.2.1]") for n in range(230_000)
    )
    place.write("mail.log.i.1.gz", old)
    place.write("mail.log.i", text)
    folder = "/log" if user == "files" else "/var/log"
    host = reached(place, f"{folder}/mail.log.i*", user)
    config = configured(tmp_path, {"mx1": host}, place.known_hosts.read_text(), CACHE, (5, 10))
    assert len(text) > 16 << 20
    (told,) = indexed(config).hosts
    assert (told.state, told.files, told.bytes) == ("indexed", 2, len(old) + len(text))
    assert 0 < told.size < len(text) / 5
    assert indexed(config).hosts[0].state == "current"
    coverage, lines = read(config, "B02EEEE")["mx1"]
    assert len(lines) == 1
    assert coverage.bytes_read < len(text) / 10
    with (place.box.log / "mail.log.i").open("ab") as log:
        log.write(line(50, "AAAA111: new"))
    coverage, lines = read(config)["mx1"]
    assert [one.rpartition(b": ")[2] for one in lines] == [b"packed", b"new"]
    assert (coverage.state, coverage.code, coverage.reason) == ("read", None, None)
    newest = max(index_of(config, "mx1").files(), key=lambda one: one.cursor)
    assert newest.cursor == (place.box.log / "mail.log.i").stat().st_size
    (place.box.log / "mail.log.i").unlink()


def test_hosts_that_cannot_be_read_are_told_with_their_codes(place: Place, tmp_path: Path) -> None:
    place.write("mail.log.j", line(-70, "first"))
    place.write("mail.log.j.1", b"hidden\n")
    (place.box.log / "mail.log.j.1").chmod(0o600)
    known = place.known_hosts.read_text()
    hosts = {
        "some": reached(place, "/var/log/mail.log.j*"),
        "none": reached(place, "/var/log/mail.log.j.1"),
        "gone": reached(place, "/var/log/mail.log.nowhere"),
        "nothing": reached(place, "/var/log/mail.log.j", "nothing"),
        "down": reached(place, "/var/log/mail.log.j", port=1),
        "journal": "{address: 127.0.0.1, logs: {at: ssh, kind: journald}}",
    }
    config = configured(tmp_path, hosts, known, CACHE)
    told = {one.host: one for one in indexed(config).hosts}
    assert {host: (one.state, one.code) for host, one in told.items()} == {
        "some": ("partial", Code.FILE_DENIED),
        "none": ("failed", Code.FILE_DENIED),
        "gone": ("failed", Code.FILE_NOT_FOUND),
        "nothing": ("failed", Code.REMOTE_COMMAND_FAILED),
        "down": ("failed", Code.HOST_UNREACHABLE),
        "journal": ("none", None),
    }
    assert told["some"].reason == "/var/log/mail.log.j.1 may not be read."
    assert "docs/hosts.md" in (told["nothing"].reason or "")
    POOL.close()
    config = configured(tmp_path, {"some": hosts["some"]}, "", CACHE)
    (unknown,) = indexed(config).hosts
    assert (unknown.state, unknown.code) == ("failed", Code.HOST_KEY_UNKNOWN)
