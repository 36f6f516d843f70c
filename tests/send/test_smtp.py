"""A real server on the other side: TLS, logins, extensions, and what is told of them."""

from __future__ import annotations

import ssl
from pathlib import Path

import anyio
import pytest

from mailtrace_mcp.errors import MailtraceError
from mailtrace_mcp.send.attempts import Account, Attempt
from mailtrace_mcp.send.compose import Mail
from mailtrace_mcp.send.connection import Connection
from mailtrace_mcp.send.credentials import Credentials
from mailtrace_mcp.send.failures import SmtpError
from mailtrace_mcp.send.routes import Mechanism, Route, route_of, with_server, with_tls

from .conftest import QUICK, UNIQUE, Configured, login, mail, route
from .peers.certificates import Authority
from .peers.handshakes import particular
from .peers.scripted import HANG_UP, SILENCE, Script, peer
from .peers.sink import PASSWORD, USER, sink


async def sent(
    to: Route, what: Mail | None = None, who: Credentials | None = None
) -> tuple[Attempt, Account]:
    """One mail over a connection of its own."""
    connection = Connection(to, who, QUICK)
    await connection.open()
    attempt = await connection.deliver(what or mail())
    await connection.close()
    return attempt, connection.account()


async def refusal(to: Route, who: Credentials | None = None) -> SmtpError:
    """Why no connection came about."""
    connection = Connection(to, who, QUICK)
    with pytest.raises(SmtpError) as caught:
        await connection.open()
    assert not connection.usable
    return caught.value


def test_an_accepted_mail_tells_queue_id_stages_and_dialogue() -> None:
    async def main() -> None:
        two = mail("a@lab.example", "b@lab.example")
        async with sink() as server:
            attempt, account = await sent(route(server.port), two)
        assert attempt.outcome == "accepted"
        assert attempt.queue_id == server.mails[0].queue_id
        assert attempt.failure is None
        assert server.mails[0].recipients == ["a@lab.example", "b@lab.example"]
        assert server.mails[0].data == two.data
        assert account.stage == "quit"
        stages = [one.stage for one in account.timings]
        assert stages == ["connect", "banner", "ehlo", "mail", "rcpt", "data", "quit"]
        assert all(0 <= one.seconds < 2 for one in account.timings)
        said = [line.text for line in account.transcript if line.side == "client"]
        assert said[1] == f"MAIL FROM:<me@lab.example> SIZE={len(two.data)}"
        assert said[2:4] == ["RCPT TO:<a@lab.example>", "RCPT TO:<b@lab.example>"]
        assert said[-1] == "QUIT"
        assert account.server == f"127.0.0.1[127.0.0.1]:{server.port}"
        assert account.tls is None

    anyio.run(main)


@pytest.mark.parametrize("mode", ["starttls", "smtps"])
def test_tls_is_verified_and_told(mode: str, authority: Authority) -> None:
    async def main() -> None:
        tls = authority.pair("good").context()
        inside, upgraded = (tls, None) if mode == "smtps" else (None, tls)
        async with sink(smtps=inside, starttls=upgraded) as server:
            to = route(server.port, mode, ca_file=authority.file)
            attempt, account = await sent(to, who=login())
        assert attempt.outcome == "accepted"
        assert server.mails[0].user == USER
        assert server.mails[0].secure
        assert account.tls is not None
        assert account.tls.version in ("TLSv1.2", "TLSv1.3")
        assert account.tls.cipher
        assert account.tls.verified
        assert account.tls.peer == f"127.0.0.1[127.0.0.1]:{server.port}"
        stages = [one.stage for one in account.timings]
        if mode == "smtps":
            assert stages[:4] == ["connect", "tls", "banner", "ehlo"]
        else:
            assert stages[:5] == ["connect", "banner", "ehlo", "tls", "auth"]

    anyio.run(main)


@pytest.mark.parametrize("mechanism", ["plain", "login", "cram-md5", "xoauth2"])
def test_each_mechanism_logs_in_and_shows_no_word_of_it(
    mechanism: Mechanism, authority: Authority
) -> None:
    async def main() -> None:
        tls = authority.pair("good").context()
        async with sink(starttls=tls, only=mechanism.upper()) as server:
            to = route(server.port, "starttls", ca_file=authority.file)
            attempt, account = await sent(to, who=login(mechanism))
            assert attempt.outcome == "accepted"
            assert server.logins == [mechanism.upper()]
            assert server.mails[0].user == USER
            refused = await refusal(to, login(mechanism, "wrong"))
        assert refused.code == "SMTP_AUTH"
        assert refused.stage == "auth"
        assert refused.advice is not None
        assert ("new token" if mechanism == "xoauth2" else "app password") in refused.advice
        assert "auth off" in refused.advice
        said = [line.text for line in account.transcript if line.side == "client"]
        assert any(text.startswith(f"AUTH {mechanism.upper()}") for text in said)
        assert PASSWORD not in "".join(said)

    anyio.run(main)


def test_auto_takes_the_password_itself_inside_tls_and_a_digest_outside(
    authority: Authority,
) -> None:
    async def main() -> None:
        tls = authority.pair("good").context()
        async with sink(starttls=tls) as server:
            to = route(server.port, "starttls", ca_file=authority.file)
            await sent(to, who=login())
            assert server.logins == ["PLAIN"]
        async with sink(only="CRAM-MD5", auth_require_tls=False) as server:
            await sent(route(server.port, allow_insecure=True), who=login())
            assert server.logins == ["CRAM-MD5"]

    anyio.run(main)


def test_no_login_over_an_open_or_unverified_connection(authority: Authority) -> None:
    async def main() -> None:
        async with sink(auth_require_tls=False) as server:
            failure = await refusal(route(server.port), login())
            assert failure.code == "SMTP_TLS_REQUIRED"
            attempt, _ = await sent(route(server.port, allow_insecure=True), who=login())
            assert attempt.outcome == "accepted"
            assert server.logins == ["PLAIN"]
        tls = authority.self_signed("alone").context()
        async with sink(starttls=tls) as server:
            open_route = route(server.port, "starttls", verify=False)
            failure = await refusal(open_route, login())
            assert failure.code == "SMTP_TLS_VERIFY"
            assert failure.stage == "auth"
            assert server.logins == []

    anyio.run(main)


def test_sm017_a_server_that_offers_no_login_or_another_one(authority: Authority) -> None:
    async def main() -> None:
        tls = authority.pair("good").context()
        async with sink(starttls=tls, only="LOGIN") as server:
            to = route(server.port, "starttls", ca_file=authority.file)
            failure = await refusal(to, login("plain"))
            assert failure.code == "SMTP_AUTH"
            assert "none of the ways" in failure.message
        async with sink() as server:
            failure = await refusal(route(server.port, allow_insecure=True), login())
            assert failure.code == "SMTP_AUTH"
            assert "no login" in failure.message

    anyio.run(main)


def test_a_server_that_wants_a_login_is_told_as_such(authority: Authority) -> None:
    async def main() -> None:
        tls = authority.pair("good").context()
        async with sink(starttls=tls, auth_required=True) as server:
            attempt, _ = await sent(route(server.port, "starttls", ca_file=authority.file))
        assert attempt.outcome == "refused"
        assert attempt.failure is not None
        assert attempt.failure.code == "SMTP_AUTH"
        assert attempt.failure.advice == "The server wants authentication: give user and password."

    anyio.run(main)


def test_sm012_a_self_signed_certificate_is_refused_and_described(authority: Authority) -> None:
    async def main() -> None:
        async with sink(starttls=authority.self_signed("alone").context()) as server:
            failure = await refusal(route(server.port, "starttls"))
            assert server.mails == []
            assert failure.code == "SMTP_TLS_VERIFY"
            assert "self-signed" in failure.message
            assert "SHA-256" in failure.message
            assert failure.advice is not None
            assert "ca_file" in failure.advice
            attempt, account = await sent(route(server.port, "starttls", verify=False))
        assert attempt.outcome == "accepted"
        assert account.tls is not None
        assert not account.tls.verified

    anyio.run(main)


@pytest.mark.parametrize("mode", ["starttls", "smtps"])
def test_sm011_an_expired_certificate_is_refused_with_its_date(
    mode: str, authority: Authority
) -> None:
    from datetime import timedelta

    async def main() -> None:
        tls = authority.pair("old", ends=timedelta(days=-3)).context()
        inside, upgraded = (tls, None) if mode == "smtps" else (None, tls)
        async with sink(smtps=inside, starttls=upgraded) as server:
            failure = await refusal(route(server.port, mode, ca_file=authority.file))
        assert failure.code == "SMTP_TLS_VERIFY"
        assert failure.stage == "tls"
        assert "has expired" in failure.message
        assert "needs a new certificate" in failure.message
        assert "ca_file" not in failure.message
        assert "valid from 20" in failure.message

    anyio.run(main)


def test_another_hosts_certificate_and_an_unknown_ca_are_refused(authority: Authority) -> None:
    async def main() -> None:
        other = authority.pair("other", host="192.0.2.1").context()
        async with sink(starttls=other) as server:
            failure = await refusal(route(server.port, "starttls", ca_file=authority.file))
            assert failure.code == "SMTP_TLS_VERIFY"
            assert "made out for another" in failure.message
            assert "Use the name that the certificate is for" in failure.message
            assert "ca_file" not in failure.message
            failure = await refusal(route(server.port, "starttls"))
            assert "CA that is not known here" in failure.message
            assert "ca_file" in failure.message

    anyio.run(main)


def test_sm041_each_connection_is_verified_anew(authority: Authority) -> None:
    async def main() -> None:
        good, bad = authority.pair("good"), authority.self_signed("alone")
        tls = good.context()
        async with sink(starttls=tls) as server:
            to = route(server.port, "starttls", ca_file=authority.file)
            assert (await sent(to))[0].outcome == "accepted"
            tls.load_cert_chain(bad.cert, bad.key)
            assert (await refusal(to)).code == "SMTP_TLS_VERIFY"

    anyio.run(main)


def test_old_tls_is_refused(authority: Authority) -> None:
    async def main() -> None:
        tls = authority.pair("good").context()
        tls.maximum_version = ssl.TLSVersion.TLSv1_2
        async with sink(starttls=tls) as server:
            to = route(server.port, "starttls", ca_file=authority.file)
            assert (await sent(to))[1].tls.version == "TLSv1.2"  # type: ignore[union-attr]
            newer = route(server.port, "starttls", ca_file=authority.file, min_tls="1.3")
            failure = await refusal(newer)
        # asyncio's server hangs up without the alert that others send first (test_failures.py).
        assert failure.stage == "tls"

    anyio.run(main)


def test_a_client_certificate_is_shown_and_a_file_that_is_none_is_named(
    authority: Authority, tmp_path: Path
) -> None:
    async def main() -> None:
        tls = authority.pair("good").context()
        tls.verify_mode = ssl.CERT_REQUIRED
        tls.load_verify_locations(authority.file)
        own = authority.pair("me")
        async with sink(smtps=tls) as server:
            to = route(server.port, "smtps", ca_file=authority.file)
            with_own = route(
                server.port, "smtps", ca_file=authority.file, cert=own.cert, key=own.key
            )
            assert (await sent(with_own))[0].outcome == "accepted"
            with pytest.raises(SmtpError):
                await sent(to)
            for key in ("ca_file", "cert"):
                with pytest.raises(MailtraceError, match=key) as caught:
                    await sent(route(server.port, "smtps", **{key: tmp_path / "none.pem"}))
                assert caught.value.code == "CONFIG_INVALID"

    anyio.run(main)


@pytest.mark.parametrize("mode", ["starttls", "smtps"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_a_client_certificate_is_told_as_such(
    mode: str, version: ssl.TLSVersion, authority: Authority
) -> None:
    tls = authority.pair("good").context()
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(authority.file)
    tls.minimum_version = tls.maximum_version = version

    async def main() -> None:
        strange = authority.self_signed("strange")
        with particular(tls, mode == "starttls") as port:
            to = route(port, mode, ca_file=authority.file)
            failure = await refusal(to)
            assert failure.code == "SMTP_TLS_REQUIRED"
            assert failure.stage == "tls"
            assert not failure.worth_a_retry
            assert failure.advice is not None
            assert "client certificate" in failure.advice
            assert "cert, key" in failure.advice
            wrong = route(port, mode, ca_file=authority.file, cert=strange.cert, key=strange.key)
            failure = await refusal(wrong)
            assert failure.code == "SMTP_TLS_REQUIRED"
            assert "does not accept the profile's client certificate" in failure.message

    anyio.run(main)


@pytest.mark.parametrize("mode", ["starttls", "smtps"])
def test_a_loss_inside_tls_is_no_question_of_the_port(mode: str, authority: Authority) -> None:
    async def main() -> None:
        tls = authority.pair("good").context()
        inside, upgraded = (tls, None) if mode == "smtps" else (None, tls)
        offered = "250-peer.example\r\n250-STARTTLS\r\n250 8BITMIME"
        script: Script = {"BANNER": HANG_UP} if mode == "smtps" else {"EHLO": [offered, HANG_UP]}
        async with peer(script, smtps=inside, starttls=upgraded, STARTTLS="220 go") as server:
            failure = await refusal(route(server.port, mode, ca_file=authority.file))
        assert failure.code == "SMTP_DISCONNECTED"
        assert failure.advice is not None
        assert "client certificate" in failure.advice
        assert "465" not in failure.advice
        async with peer(BANNER=SILENCE, smtps=inside) as server:
            if mode == "smtps":
                failure = await refusal(route(server.port, mode, ca_file=authority.file))
                assert failure.advice == "Check host and port of the profile."

    anyio.run(main)


def test_sm037_ta071_a_local_part_that_is_not_ascii_needs_smtputf8() -> None:
    async def main() -> None:
        russian = mail("пр@lab.example", subject="Привет")
        async with sink(utf8=False) as server:
            attempt, account = await sent(route(server.port), russian)
            assert attempt.outcome == "refused"
            assert attempt.failure is not None
            assert attempt.failure.code == "SMTP_UTF8"
            assert not any("MAIL" in line.text for line in account.transcript)
        async with sink() as server:
            attempt, _ = await sent(route(server.port), russian)
            assert attempt.outcome == "accepted"
            assert server.mails[0].recipients == ["пр@lab.example"]
            assert "SMTPUTF8" in server.mails[0].mail_options
            assert "Subject: Привет\r\n".encode() in server.mails[0].data

    anyio.run(main)


def test_dsn_is_asked_for_where_it_is_offered() -> None:
    async def main() -> None:
        wanted = mail("a@lab.example", dsn=("success", "delay"))
        async with sink() as server:
            attempt, _ = await sent(route(server.port), wanted)
            assert server.mails[0].dsn == [
                "RET=HDRS", f"ENVID={UNIQUE}", "NOTIFY=SUCCESS,DELAY"
            ]  # fmt: skip
            assert attempt.warnings == ()
        async with sink(dsn=False) as server:
            attempt, _ = await sent(route(server.port), wanted)
            assert attempt.outcome == "accepted"
            assert "does not offer DSN" in attempt.warnings[0]

    anyio.run(main)


def test_sm020_one_of_three_refused_is_partial() -> None:
    async def main() -> None:
        three = mail("a@lab.example", "bad@lab.example", "c@lab.example")
        async with sink({"bad@lab.example": "550 5.1.1 No such user here"}) as server:
            attempt, _ = await sent(route(server.port), three)
        assert attempt.outcome == "partial"
        assert [one.recipient.spec for one in attempt.refused] == ["bad@lab.example"]
        assert attempt.refused[0].reply.code == 550
        assert attempt.refused[0].reply.enhanced == "5.1.1"
        assert attempt.queue_id == server.mails[0].queue_id
        assert server.mails[0].recipients == ["a@lab.example", "c@lab.example"]
        assert attempt.failure is not None
        assert attempt.failure.message.startswith(
            "The server refused 1 of 3 recipients: 550 5.1.1."
        )

    anyio.run(main)


def test_ta094_ta095_dots_at_line_starts_make_no_second_mail() -> None:
    async def main() -> None:
        async with sink() as server:
            for body in ("A\n.\nMAIL FROM:<x@y>\n", "A\r.\rMAIL FROM:<x@y>\r", ".\n..\n"):
                one = mail(body=body)
                attempt, _ = await sent(route(server.port), one)
                assert attempt.outcome == "accepted"
                assert server.mails[-1].data == one.data
            assert len(server.mails) == 3

    anyio.run(main)


def test_a_large_mail_goes_out_whole() -> None:
    from mailtrace_mcp.send.compose import compose
    from mailtrace_mcp.send.extras import Attachment, Extras

    from .conftest import AT, plan

    async def main() -> None:
        data = bytes(range(256)) * 8000
        extras = Extras((Attachment("x.bin", "application/octet-stream", data),))
        large = compose(plan(), AT, UNIQUE, extras)
        async with sink() as server:
            attempt, _ = await sent(route(server.port), large)
            assert attempt.outcome == "accepted"
            assert server.mails[0].data == large.data

    anyio.run(main)


def test_the_usual_ports_follow_the_mode_only_to_and_from_smtps(configured: Configured) -> None:
    config = configured()
    lab = config.smtp.profiles["lab"].model_copy(update={"tls": "starttls", "port": 587})
    base = route_of("lab", lab, Path("/etc"))
    assert with_tls(base, "smtps", None).port == 465
    assert with_tls(base, "none", None).port == 587
    assert with_tls(with_tls(base, "smtps", None), "starttls", None).port == 587
    odd = route_of("lab", lab.model_copy(update={"port": 2587}), Path("/etc"))
    assert with_tls(odd, "smtps", None).port == 2587


def test_another_server_gets_no_credentials_of_the_profile() -> None:
    from mailtrace_mcp.config.values import Secret
    from mailtrace_mcp.send.routes import Login, Server

    base = route(587, "starttls", login=Login("u", "auto", Secret("p")), allow_insecure=True)
    same = with_server(base, Server(host="127.0.0.1", port=587))
    assert same.login is not None
    for server in (Server(host="other.example"), Server(port=588)):
        other = with_server(base, server)
        assert other.login is None
        assert not other.allow_insecure
    given = with_server(base, Server(host="other.example", user="me", password=Secret("mine")))
    assert given.login is not None
    assert given.login.user == "me"
