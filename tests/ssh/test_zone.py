"""A host whose time zone nobody configured is read in its own, which was asked when it was reached."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio
import paramiko
import pytest

from mailtrace_mcp.config import Config, load
from mailtrace_mcp.logs import Reading, Term
from mailtrace_mcp.logs.open import sources
from mailtrace_mcp.logs.ssh.pool import POOL
from mailtrace_mcp.trace.coverage import HostCoverage

from .box import Sshd
from .conftest import Place
from .test_sources import HOUR, NOON

TAIPEI = "/usr/share/zoneinfo/Asia/Taipei"
ASSUMED = "No time zone is configured for it"
# Noon in UTC, as the syslog of a host in Taipei writes it.
BSD = b"Nov 21 10:00:00 mx1 postfix/smtpd[7]: first\nNov 21 20:00:00 mx1 postfix/smtpd[7]: AAAA111: at noon\n"


@pytest.fixture(autouse=True)
def _no_connection_is_left() -> Iterator[None]:
    paramiko.util.get_logger("paramiko").setLevel(100)
    yield
    POOL.close()


def in_zone(place: Place, zone: str) -> Sshd:
    """A server whose sessions see another /etc, in which the host's zone is `zone`."""
    folder = place.box.folder / f"etc-{zone.replace('/', '-')}"
    folder.mkdir(exist_ok=True)
    link = folder / "upper" / "localtime"
    script = (
        f'mkdir -p "{folder}/upper" "{folder}/work"; ln -sfn "{zone}" "{link}"; '
        f'mount -t overlay none -o "lowerdir=/etc,upperdir={folder}/upper,workdir={folder}/work" /etc; '
        'exec "$@"'
    )
    more = "Match User files\n  ChrootDirectory /srv/chroot\n  ForceCommand internal-sftp -R\n"
    return place.box.sshd(more, ("unshare", "--mount", "sh", "-euc", script, "sh"))


def configured(
    place: Place, server: Sshd, folder: Path, top: str = "", own: str = "", user: str = "reader"
) -> Config:
    known = folder / "known"
    known.write_text(server.known_host())
    log = "/log/mail.log.z" if user == "files" else "/var/log/mail.log.z"
    file = folder / "config.yaml"
    file.write_text(
        f"{top}\nhosts:\n  mx1: {{address: 127.0.0.1, {own} logs: {{at: ssh, files: ['{log}']}}, "
        f"ssh: {{user: {user}, port: {server.port}, key: {place.key}}}}}\n"
        f"  mx2: {{{own} logs: {{at: mx1}}}}\n"
        f"ssh: {{known_hosts: {known}, connect_timeout: 5, command_timeout: 5}}\n"
    )
    return load(file, {})


def read(config: Config) -> dict[str, tuple[HostCoverage, list[bytes]]]:
    async def ask() -> list[Reading]:
        term = Term("queue_id", "AAAA111", HOUR)
        return [await one.read([term], HOUR) for one in sources(config)]

    return {
        one.host: (one, [found.raw for found in reading.lines if found.host == one.host])
        for reading in anyio.run(ask)
        for one in reading.coverage
    }


@pytest.fixture
def taipei(place: Place) -> Iterator[Sshd]:
    server = in_zone(place, TAIPEI)
    place.write("mail.log.z", BSD)
    yield server
    server.stop()


def test_the_hosts_own_zone_is_taken_where_none_is_configured(
    place: Place, taipei: Sshd, tmp_path: Path
) -> None:
    found = read(configured(place, taipei, tmp_path))
    coverage, lines = found["mx1"]
    assert [one[-7:] for one in lines] == [b"at noon"]
    assert coverage.newest == NOON
    assert ASSUMED not in (coverage.reason or "")
    # Whose lines lie there too: the same zone, and it stays an assumption.
    assert found["mx2"][0].newest == NOON
    assert f"{ASSUMED}: its stamps were read as Asia/Taipei." in (found["mx2"][0].reason or "")


def test_the_zone_that_is_configured_for_the_host_wins(
    place: Place, taipei: Sshd, tmp_path: Path
) -> None:
    coverage, lines = read(configured(place, taipei, tmp_path, "", "timezone: UTC,"))["mx1"]
    assert lines == []
    assert ASSUMED not in (coverage.reason or "")


def test_the_host_s_own_wins_over_the_zone_in_which_times_are_typed(
    place: Place, taipei: Sshd, tmp_path: Path
) -> None:
    coverage, lines = read(configured(place, taipei, tmp_path, "timezone: Europe/Paris"))["mx1"]
    assert len(lines) == 1
    assert ASSUMED not in (coverage.reason or "")


def test_a_host_that_only_gives_files_tells_no_zone(
    place: Place, taipei: Sshd, tmp_path: Path
) -> None:
    coverage, lines = read(configured(place, taipei, tmp_path, user="files"))["mx1"]
    assert lines == []
    assert f"{ASSUMED}: its stamps were read as UTC." in (coverage.reason or "")


def test_a_zone_that_is_not_known_here_is_not_taken(place: Place, tmp_path: Path) -> None:
    place.write("mail.log.z", BSD)
    server = in_zone(place, "/usr/share/zoneinfo/Mars/Base")
    coverage, lines = read(configured(place, server, tmp_path))["mx1"]
    server.stop()
    assert lines == []
    assert f"{ASSUMED}: its stamps were read as UTC." in (coverage.reason or "")


def test_it_costs_no_request_of_its_own(place: Place, taipei: Sshd, tmp_path: Path) -> None:
    def sessions() -> int:
        return taipei.said().count("Starting session: command")

    asked = []
    for top in ("timezone: Asia/Taipei", ""):
        before = sessions()
        read(configured(place, taipei, tmp_path, top))
        asked.append(sessions() - before)
        POOL.close()
    assert asked[0] == asked[1] > 0
