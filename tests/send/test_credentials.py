"""Secrets that a program prints, and profiles tried without a mail."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import anyio
import pytest

from mailtrace_mcp.config.values import Secret
from mailtrace_mcp.errors import MailtraceError
from mailtrace_mcp.send import probe
from mailtrace_mcp.send.credentials import credentials
from mailtrace_mcp.send.routes import Login

from .conftest import QUICK, Configured
from .peers.certificates import Authority
from .peers.scripted import SILENCE, peer
from .peers.sink import PASSWORD, USER, sink


def printing(script: str) -> Login:
    return Login("u", "xoauth2", command=(sys.executable, "-c", script))


def test_the_first_line_is_the_secret() -> None:
    async def main() -> None:
        found = await credentials(printing("print('t0ken\\nmore')"))
        assert found.secret.get_secret_value() == "t0ken"
        assert "t0ken" not in repr(found)
        given = await credentials(Login("u", "plain", Secret("p")))
        assert given.secret.get_secret_value() == "p"

    anyio.run(main)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("print('S3CRET'); raise SystemExit(3)", "status 3"),
        ("pass", "no password"),
        ("print()", "no password"),
        ("import time; print('S3CRET', flush=True); time.sleep(60)", "within 0.5 s"),
        ("import sys; sys.stdout.buffer.write(b'S3CRET\\xff\\n')", "UTF-8"),
        ("print('S3CRET' * 10_000)", "16 KB"),
        ("import sys; sys.exit(bool(sys.stdin.read()) + 4)", "status 4"),
    ],
)
def test_a_program_that_gives_none(script: str, words: str) -> None:
    async def main() -> None:
        began = time.monotonic()
        with pytest.raises(MailtraceError, match=words) as caught:
            await credentials(printing(script), 0.5 if "sleep" in script else 5)
        assert time.monotonic() - began < 4
        assert caught.value.code == "SECRET_MISSING"
        assert "S3CRET" not in str(caught.value)

    anyio.run(main)


def test_a_program_that_takes_too_long_is_ended_without_a_word(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async def one() -> None:
        with pytest.raises(MailtraceError, match="within"):
            await credentials(Login("u", "plain", command=("sleep", "60")), 0.05)

    async def main() -> None:
        for _ in range(10):
            async with anyio.create_task_group() as several:
                for _ in range(5):
                    several.start_soon(one)

    anyio.run(main)
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_a_secret_that_is_no_text() -> None:
    async def main() -> None:
        with pytest.raises(MailtraceError, match="UTF-8"):
            await credentials(Login("u", "plain", Secret("S3CRET\udcff")))

    anyio.run(main)


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    async def main() -> None:
        for command in ((str(tmp_path / "no"),), (str(tmp_path),)):
            with pytest.raises(MailtraceError, match="cannot be started"):
                await credentials(Login("u", "plain", command=command))
        with pytest.raises(MailtraceError, match="no password"):
            await credentials(Login("u", "plain"))

    anyio.run(main)


def test_cancelling_ends_the_program_and_what_it_started(tmp_path: Path) -> None:
    async def main() -> None:
        mark = tmp_path / "mark"
        script = f"sleep 1; touch {mark}"
        login = Login("u", "plain", command=("/bin/sh", "-c", f"({script}) & wait"))
        with anyio.move_on_after(0.3):
            await credentials(login)
        await anyio.sleep(1.2)
        assert not mark.exists()

    anyio.run(main)


def test_a_profile_is_tried_without_a_mail(configured: Configured, authority: Authority) -> None:
    profile = f"tls: starttls, ca_file: {authority.file}, user: {USER}, password: '{PASSWORD}'"

    async def main() -> None:
        async with sink(starttls=authority.pair("good").context()) as server:
            found = await probe(configured(server.port, profile), "lab", 10, QUICK)
            assert server.mails == []
            assert server.logins == ["PLAIN"]
        assert found.failure is None
        assert found.logged_in
        assert found.account is not None
        assert found.account.tls is not None
        assert found.account.tls.valid is not None
        assert found.account.stage == "quit"
        assert "starttls" not in found.account.extensions
        said = [line.text for line in found.account.transcript if line.side == "client"]
        assert "NOOP" in said
        assert PASSWORD not in repr(found)

    anyio.run(main)


def test_a_probe_tells_how_far_it_came(configured: Configured) -> None:
    async def main() -> None:
        async with peer(EHLO="421 4.3.2 no") as server:
            found = await probe(configured(server.port), "lab", 5, QUICK)
        assert found.failure is not None
        assert found.failure.code == "SMTP_TEMPFAIL"
        assert found.account is not None
        assert found.account.stage == "ehlo"
        async with peer(BANNER=SILENCE) as server:
            began = time.monotonic()
            found = await probe(configured(server.port), "lab", 0.3)
            assert time.monotonic() - began < 2
        assert found.failure is not None
        with pytest.raises(MailtraceError, match="no profile"):
            await probe(configured(), "other", 1)

    anyio.run(main)


def test_a_probe_shows_no_password_where_it_must_not(
    configured: Configured, authority: Authority
) -> None:
    profile = f"tls: starttls, verify: false, user: {USER}, password: '{PASSWORD}'"

    async def main() -> None:
        async with sink(starttls=authority.self_signed("alone").context()) as server:
            found = await probe(configured(server.port, profile), "lab", 5, QUICK)
            assert server.logins == []
        assert found.failure is None
        assert not found.logged_in
        assert found.note is not None
        assert "unverified" in found.note

    anyio.run(main)
