"""`mx:DOMAIN` in a cluster: DNS chooses among the configured hosts, and brings none in."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from mailtrace_mcp.config import Config, load
from mailtrace_mcp.errors import Code, MailtraceError
from mailtrace_mcp.questions.clusters import whole
from tests.checks.nameserver import nameserver

RECORDS = {
    ("example.com", "MX"): ["10 MX1.example.com.", "20 mx2.example.com.", "30 evil.test."],
    ("example.net", "MX"): ["10 elsewhere.example.net."],
}


def config(folder: Path, clusters: str) -> Config:
    file = folder / "config.yaml"
    file.write_text(
        "hosts:\n  one: {aliases: [mx1.example.com], logs: {files: [x]}}\n"
        "  two: {aliases: [mx2.example.com], logs: {files: [y]}}\n"
        f"  three: {{logs: {{files: [z]}}}}\nclusters: {clusters}\n"
    )
    return load(file, {})


def test_cf046_exchangers_that_are_configured_are_members_and_no_others(tmp_path: Path) -> None:
    """What DNS names is never read, and not looked up either: no credentials go there."""
    given = config(tmp_path, "{mx: [three, 'mx:example.com'], out: [two]}")

    async def main() -> None:
        async with nameserver(RECORDS) as server:
            found, notes = await whole(given, "mx", server.lookups())
            again, _ = await whole(given, "mx", server.lookups())
        assert found.host_names("mx") == ("three", "one", "two")
        assert set(found.hosts) == set(given.hosts)
        assert [one for one in notes if "evil.test" in one and "not read" in one]
        assert again is found
        assert [name for name, _, _ in server.asked] == ["example.com"]

    anyio.run(main)


def test_where_no_server_answers_the_written_hosts_remain(tmp_path: Path) -> None:
    given = config(tmp_path, "{mx: [three, 'mx:example.com']}")

    async def main() -> None:
        async with nameserver(RECORDS, silent=["example.com"]) as server:
            found, [note] = await whole(given, "mx", server.lookups(0.5))
        assert found.host_names("mx") == ("three",)
        assert "example.com are not known" in note

    anyio.run(main)


def test_a_cluster_that_stands_for_no_host_is_told(tmp_path: Path) -> None:
    given = config(tmp_path, "{mx: ['mx:example.net'], out: [two]}")

    async def main() -> None:
        async with nameserver(RECORDS) as server:
            with pytest.raises(MailtraceError, match=r"elsewhere\.example\.net") as caught:
                await whole(given, "mx", server.lookups())
            assert caught.value.code == Code.UNKNOWN_HOST
            found, _ = await whole(given, "out", server.lookups())
            assert found.host_names("out") == ("two",)

    anyio.run(main)


def test_without_exchangers_nobody_is_asked(tmp_path: Path) -> None:
    given = config(tmp_path, "{out: [two]}")

    async def main() -> None:
        async with nameserver({}) as server:
            assert await whole(given, "out", server.lookups()) == (given, ())
        assert not server.asked

    anyio.run(main)
