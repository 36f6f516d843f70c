"""From the request to the server: the policy, the quota, the audit, and the tool's bad arguments."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import pytest

from mailtrace_mcp.config import Config
from mailtrace_mcp.config.smtp import Policy
from mailtrace_mcp.config.values import Secret
from mailtrace_mcp.errors import MailtraceError
from mailtrace_mcp.send import (
    Attachment,
    Effort,
    Extras,
    OperatorWords,
    RateLimitedError,
    Sending,
    SendRequest,
    Sent,
    Server,
    State,
    dry_run,
    exported,
    send,
    write_export,
)
from mailtrace_mcp.send.channel import Way
from mailtrace_mcp.send.compose import Pattern
from mailtrace_mcp.send.policy import AuditPen
from mailtrace_mcp.send.routes import Timeouts
from mailtrace_mcp.send.schedule import load
from mailtrace_mcp.send.traffic import Run

from .conftest import QUICK, Configured, plan, route
from .peers.certificates import Authority
from .peers.scripted import HANG_UP, SILENCE, peer
from .peers.sink import PASSWORD, USER, sink

QUICKLY = Effort(timeouts=QUICK, pause=0.01)
OPERATOR = OperatorWords()


def request(to: str | tuple[str, ...] = "a@lab.example", **more: Any) -> SendRequest:
    return SendRequest(to=(to,) if isinstance(to, str) else to, **more)


def audit(state: State) -> list[dict[str, Any]]:
    lines = state.audit.path.read_text().splitlines()
    return [json.loads(line) for line in lines]


def refused(
    config: Config, asked: SendRequest, state: State, operator: OperatorWords | None = None
) -> MailtraceError:
    with pytest.raises(MailtraceError) as caught:
        anyio.run(send, config, asked, operator, state, QUICKLY)
    return caught.value


def test_an_allowed_mail_is_sent_counted_and_written_down(
    configured: Configured, state: State
) -> None:
    async def main() -> None:
        async with sink() as server:
            config = configured(server.port)
            found = await send(config, request(cc=("c@lab.example",)), None, state, QUICKLY)
        assert found.outcome == "accepted"
        assert found.failure is None
        assert found.planned == 1
        assert list(found.message_ids) == server.message_ids
        assert [one.queue_id for one in found.records] == [server.mails[0].queue_id] * 2
        assert found.warnings == ("The connection is not encrypted (ssl_mode none).",)
        assert server.mails[0].sender == "me@lab.example"
        begun, line = audit(state)
        assert begun["event"] == "begin"
        assert line["event"] == "send"
        told = {name: value for name, value in begun.items() if name not in ("at", "event")}
        assert told == {name: line[name] for name in told}
        assert line["by"] == "agent"
        assert line["profile"] == "lab"
        assert line["recipients"] == ["a@lab.example", "c@lab.example"]
        assert line["message_id"] == server.message_ids[0]
        assert line["queue_id"] == server.mails[0].queue_id
        assert line["outcome"] == "accepted"
        assert stat.S_IMODE(os.stat(state.audit.path).st_mode) == 0o600
        assert stat.S_IMODE(os.stat(state.folder).st_mode) == 0o700
        left = state.quota.left(config.smtp.policy, datetime.now(UTC))  # type: ignore[arg-type]
        assert left == (98, 198)

    anyio.run(main)


BAD = [
    ("TA066", {"to": ("victim@gmail.com",)}, "NOT_ALLOWED", "allow-list"),
    ("TA067", {"to": ("a@lab.example.evil.com",)}, "NOT_ALLOWED", "allow-list"),
    ("TA068", {"to": ("a@evil-lab.example",)}, "NOT_ALLOWED", "allow-list"),
    ("TA070", {"to": ("a@l\u0430b.example",)}, "NOT_ALLOWED", "xn--lb-7kc.example"),
    ("TA071", {"to": ("\u043f\u0440@xn--e1afmkfd.xn--p1ai",)}, "NOT_ALLOWED", "allow-list"),
    ("TA072", {"to": ("a@lab.example\r\nBcc: evil@x",)}, "INVALID_ARGUMENT", "to: "),
    ("TA073", {"to": ("a@lab.example\nRCPT TO:<evil@x>",)}, "INVALID_ARGUMENT", "to: "),
    ("TA074", {"to": ("a@lab.example>, <evil@x",)}, "INVALID_ARGUMENT", "to: "),
    ("TA075", {"to": ("a@lab.example,evil@x.org",)}, "INVALID_ARGUMENT", "one per list element"),
    ("TA076", {"to": ("a@lab.example> SIZE=1",)}, "INVALID_ARGUMENT", "to: "),
    ("TA079", {"to": ("a@[127.0.0.1]",)}, "NOT_ALLOWED", "by its address"),
    ("TA080", {"to": ("a%evil.org@lab.example",)}, "INVALID_ARGUMENT", "passed on"),
    ("TA081", {"to": ("@evil.org:a@lab.example",)}, "INVALID_ARGUMENT", "source route"),
    ("TA082", {"to": ("evil!a@lab.example",)}, "INVALID_ARGUMENT", "passed on"),
    ("TA084", {"to": ("-oQ/tmp@lab.example",)}, "INVALID_ARGUMENT", "begins with"),
    ("TA085", {"to": ("a" * 65 + "@lab.example",)}, "INVALID_ARGUMENT", "64 octets"),
    ("TA086", {"to": tuple(f"u{n}@lab.example" for n in range(10_000))}, "NOT_ALLOWED",
     "max_recipients"),
    ("TA086b", {"to": tuple(f"u{n}@lab.example" for n in range(11))}, "NOT_ALLOWED",
     "max_recipients is 10"),
    ("TA089", {"subject": "hi\r\nBcc: evil@x"}, "INVALID_ARGUMENT", "subject"),
    ("TA090", {"subject": "=?utf-8?q?hi=0D=0ABcc=3A_evil=40x?="}, "INVALID_ARGUMENT", "subject"),
    ("TA091", {"subject": "x\u2028Bcc: e@x"}, "INVALID_ARGUMENT", "subject"),
    ("TA092", {"subject": "S" * 100_000}, "INVALID_ARGUMENT", "200 characters"),
    ("TA093", {"body": "x" * (50 << 20)}, "NOT_ALLOWED", "256 KB"),
    ("TA094", {"body": "own words"}, "NOT_ALLOWED", "smtp.policy.content is template"),
    ("TA096", {"body": "nul\0byte"}, "INVALID_ARGUMENT", "NUL"),
    ("TA099", {"sender": "ceo@bank.example"}, "NOT_ALLOWED", "senders of the profile lab"),
    ("TA099b", {"sender": "x@y\r\nBcc: z"}, "INVALID_ARGUMENT", "sender: "),
    ("TA100", {"sender": "<>"}, "NOT_ALLOWED", "empty sender"),
    ("TA101", {"profile": "nope"}, "UNKNOWN_PROFILE", r"\(profiles: lab\)"),
    ("cc", {"cc": ("victim@gmail.com",)}, "NOT_ALLOWED", "allow-list"),
    ("bcc", {"bcc": ("victim@gmail.com",)}, "NOT_ALLOWED", "allow-list"),
    ("group", {"to": ("group:nobody",)}, "INVALID_ARGUMENT", "no group"),
    ("nobody", {"to": ()}, "INVALID_ARGUMENT", "name a recipient"),
    ("dsn", {"dsn": ("never", "delay")}, "INVALID_ARGUMENT", "never"),
    ("rate", {"rate": 0}, "INVALID_ARGUMENT", "rate"),
    ("duration", {"rate": 1, "duration": 46}, "RATE_LIMITED", "one call lasts 45 s"),
    ("too much", {"rate": 5, "duration": 40}, "RATE_LIMITED", "100 recipients per minute"),
]  # fmt: skip


@pytest.mark.parametrize("case", BAD, ids=[case[0] for case in BAD])
def test_bad_arguments_reach_no_server_and_are_written_down(
    case: tuple[str, dict[str, Any], str, str], configured: Configured, state: State
) -> None:
    name, arguments, code, words = case

    async def main() -> None:
        async with peer() as server:
            config = configured(server.port)
            began = time.monotonic()
            with pytest.raises(MailtraceError, match=words) as caught:
                await send(config, request(**arguments), None, state, QUICKLY)
            assert time.monotonic() - began < (2 if name == "TA093" else 1)
            assert server.connections == 0
        assert caught.value.code == code
        (line,) = audit(state)
        assert (line["event"], line["code"]) == ("refused", code)
        assert state.quota.left(config.smtp.policy, datetime.now(UTC))[0] == 100  # type: ignore[arg-type]
        raw = state.audit.path.read_bytes()
        assert raw.isascii()
        assert raw.count(b"\n") == 1

    anyio.run(main)


def test_without_a_policy_nothing_is_sent(configured: Configured, state: State) -> None:
    config = configured()
    silent = config.smtp.model_copy(update={"policy": None})
    from dataclasses import replace

    off = replace(config, smtp=silent)
    assert "smtp.policy" in refused(off, request(), state).message
    with pytest.raises(MailtraceError):
        dry_run(off, request(), None, state)


def test_exact_addresses_and_domains_are_allowed_and_nothing_else(
    configured: Configured, state: State
) -> None:
    config = configured(policy="recipients: [Bob@one.example], recipient_domains: [lab.example]")
    for allowed in ("bob@ONE.example", "x@lab.example", "x@LAB.EXAMPLE"):
        assert all(one.allowed for one in dry_run(config, request(allowed), None, state).decisions)
    for denied in ("b@one.example", "bob@one.example.org", "x@sub.lab.example"):
        assert not dry_run(config, request(denied), None, state).allowed


def test_ta088_twice_the_same_is_one_recipient(configured: Configured, state: State) -> None:
    async def main() -> None:
        async with sink() as server:
            config = configured(server.port)
            asked = request(("a@lab.example", "A@LAB.example"), bcc=("a@lab.example",))
            await send(config, asked, None, state, QUICKLY)
            assert server.mails[0].recipients == ["a@lab.example"]
            assert state.quota.left(config.smtp.policy, datetime.now(UTC))[0] == 99  # type: ignore[arg-type]

    anyio.run(main)


def test_50_parallel_calls_send_exactly_the_cap_and_after_a_restart_none(
    configured: Configured, state: State
) -> None:
    async def main() -> None:
        limited: list[MailtraceError] = []
        async with sink() as server:
            config = configured(
                server.port, policy="recipient_domains: [lab.example], per_minute: 6"
            )

            async def one() -> None:
                try:
                    await send(config, request(), None, state, QUICKLY)
                except MailtraceError as error:
                    limited.append(error)

            async with anyio.create_task_group() as calls:
                for _ in range(50):
                    calls.start_soon(one)
            assert len(server.mails) == 6
            assert {error.code for error in limited} == {"RATE_LIMITED"}
            assert len(limited) == 44
            with pytest.raises(MailtraceError, match="Try again at"):
                await send(config, request(), None, State.at(state.folder), QUICKLY)
            assert len(server.mails) == 6
        assert len(audit(state)) == 6 * 2 + 45

    anyio.run(main)


def test_ta108_61_calls_with_a_restart_in_the_middle(configured: Configured, state: State) -> None:
    async def main() -> None:
        limited = []
        async with sink() as server:
            config = configured(
                server.port, policy="recipient_domains: [lab.example], per_minute: 6"
            )
            for number in range(61):
                again = State.at(state.folder) if number > 3 else state
                try:
                    await send(config, request(), None, again, QUICKLY)
                except RateLimitedError as error:
                    limited.append(error.retry_after)
        assert len(server.mails) == 6
        assert len(limited) == 55
        assert all(after is not None and 50 < after <= 61 for after in limited)

    anyio.run(main)


def test_sm040_mail_goes_to_the_profiles_server_whatever_the_domain(
    configured: Configured, state: State
) -> None:
    async def main() -> None:
        async with sink() as server:
            config = configured(server.port, policy="recipient_domains: [gmail.com]")
            await send(config, request("x@gmail.com"), None, state, QUICKLY)
            assert server.mails[0].recipients == ["x@gmail.com"]

    anyio.run(main)


def test_sm039_a_dry_run_shows_which_server_is_meant(configured: Configured, state: State) -> None:
    config = configured(1)
    assert dry_run(config, request(), None, state).routes[0].server == "127.0.0.1:1"


def test_a_run_over_the_cap_is_refused_before_its_first_mail(
    configured: Configured, state: State
) -> None:
    async def main() -> None:
        async with sink() as server:
            config = configured(
                server.port, policy="recipient_domains: [lab.example], per_minute: 6"
            )
            with pytest.raises(MailtraceError) as caught:
                await send(config, request(rate=7, duration=1), None, state, QUICKLY)
            assert caught.value.code == "RATE_LIMITED"
            assert server.connections == 0
            found = await send(config, request(rate=6, duration=1), None, state, QUICKLY)
            assert len(server.mails) == len(found.records) == 6

    anyio.run(main)


def test_what_no_server_was_asked_is_given_back(configured: Configured, state: State) -> None:
    async def main() -> None:
        now = datetime.now(UTC)
        async with peer(BANNER="421 4.3.2 busy") as server:
            config = configured(server.port)
            found = await send(config, request(rate=5, duration=1), None, state, QUICKLY)
            assert found.outcome == "refused"
            assert state.quota.left(config.smtp.policy, now)[0] == 100  # type: ignore[arg-type]
        async with peer(RCPT="550 5.1.1 no") as server:
            config = configured(server.port)
            await send(config, request(), None, state, QUICKLY)
            assert state.quota.left(config.smtp.policy, now)[0] == 99  # type: ignore[arg-type]

    anyio.run(main)


@pytest.mark.parametrize(
    "first",
    [
        {"BANNER": ["421 4.3.2 busy", "220 peer.example ESMTP"]},
        {"EHLO": [HANG_UP, "250 peer.example"]},
        {"MAIL": [HANG_UP, "250 2.1.0 Ok"]},
    ],
    ids=["refused at the banner", "lost at EHLO", "lost at MAIL"],
)
def test_a_mail_that_a_later_try_got_through_is_counted_once(
    first: dict[str, Any], configured: Configured, state: State
) -> None:
    async def main() -> None:
        async with peer(first) as server:
            one_a_day = "recipient_domains: [lab.example], per_minute: 1, per_day: 1"
            config = configured(server.port, policy=one_a_day)
            tries = Effort(retries=3, pause=0.01, timeouts=QUICK)
            found = await send(config, request(), OPERATOR, state, tries)
            assert found.outcome == "accepted"
            assert len(server.contents) == 1
            with pytest.raises(RateLimitedError):
                await send(config, request(), OPERATOR, state, tries)
            assert len(server.contents) == 1
        assert state.quota.left(config.smtp.policy, datetime.now(UTC)) == (0, 0)  # type: ignore[arg-type]

    anyio.run(main)


TWO = ("a@lab.example", "b@lab.example")
LATER, TAKEN, NEVER = "451 4.7.1 greylisted", "250 2.1.5 Ok", "550 5.1.1 no such user"


@pytest.mark.parametrize(
    ("answers", "outcome", "status", "stage"),
    [
        ({"RCPT": [TAKEN, LATER, TAKEN]}, "accepted", None, "quit"),
        ({"RCPT": [LATER, LATER, TAKEN]}, "accepted", None, "quit"),
        ({"DOT": [LATER, TAKEN]}, "accepted", None, "quit"),
        ({"RCPT": [LATER, NEVER, TAKEN]}, "partial", 550, "rcpt"),
        ({"RCPT": [TAKEN, NEVER, TAKEN], "DOT": [LATER, TAKEN]}, "partial", 550, "rcpt"),
        ({"RCPT": [TAKEN, LATER]}, "partial", 451, "rcpt"),
    ],
)  # fmt: skip
def test_the_failure_is_of_those_who_did_not_get_it(
    answers: dict[str, Any], outcome: str, status: int | None, stage: str,
    configured: Configured, state: State,
) -> None:  # fmt: skip
    async def main() -> None:
        async with peer(answers) as server:
            tries = Effort(retries=1, pause=0.01, timeouts=QUICK)
            found = await send(configured(server.port), request(TWO), OPERATOR, state, tries)
        assert found.outcome == outcome
        assert found.account is not None
        assert found.account.stage == stage
        if status is None:
            assert (found.failure, found.advice, found.retry_after) == (None, None, None)
        else:
            assert found.failure is not None
            assert str(status) in found.failure.message
            assert (found.retry_after is None) == (status >= 500)

    anyio.run(main)


@pytest.mark.parametrize(
    ("answers", "stage"),
    [
        ({"EHLO": "554 5.0.0 no"}, "ehlo"),
        ({"MAIL": "550 5.7.1 no"}, "mail"),
        ({"RCPT": NEVER}, "rcpt"),
        ({"RCPT": [TAKEN, NEVER]}, "rcpt"),
        ({"DATA": "554 5.5.1 no"}, "data"),
        ({"DOT": "554 5.7.1 no"}, "data"),
        ({"DOT": HANG_UP}, "data"),
        ({}, "quit"),
    ],
)
def test_the_stage_is_where_the_server_said_no(
    answers: dict[str, Any], stage: str, configured: Configured, state: State
) -> None:
    async def main() -> None:
        async with peer(answers) as server:
            found = await send(configured(server.port), request(TWO), None, state, QUICKLY)
        assert found.account is not None
        assert found.account.stage == stage

    anyio.run(main)


SENDS_FOR_EVER = """
import anyio, sys
from pathlib import Path
from mailtrace_mcp.config import load
from mailtrace_mcp.send import SendRequest, State, send
folder = Path(sys.argv[1])
request = SendRequest(to=("a@lab.example",))
anyio.run(send, load(folder / "config.yaml", {}), request, None, State.at(folder / "state"))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_mail_that_may_have_been_taken_stands_in_the_audit_however_the_program_ends(
    number: signal.Signals, configured: Configured, state: State, tmp_path: Path
) -> None:
    async def main() -> None:
        async with peer(DOT=SILENCE) as server:
            configured(server.port)
            command = [sys.executable, "-c", SENDS_FOR_EVER, str(tmp_path)]
            async with await anyio.open_process(command, stderr=subprocess.DEVNULL) as process:
                with anyio.fail_after(60):
                    await server.until_contents(1)
                    process.send_signal(number)
                    await process.wait()
        line, *more = audit(state)
        assert line["event"] == "begin"
        assert f"<{line['message_id']}>".encode() in server.contents[0]
        assert line["recipients"] == ["a@lab.example"]
        assert [one["outcome"] for one in more] == (["unknown"] if number == signal.SIGINT else [])
        # It counts, though nobody was there to say so.
        left = state.quota.left(
            Policy(recipients=("a@x.example",), per_minute=1), datetime.now(UTC)
        )
        assert left[0] == 0

    anyio.run(main)


def test_what_cannot_be_written_down_is_not_sent(configured: Configured, state: State) -> None:
    async def main() -> None:
        async with sink() as server:
            run = Run(
                [Way(route(server.port), Pattern(plan()))],
                load(1, 1),
                QUICKLY,
                lambda: datetime.now(UTC),
                begun=lambda mail, peer: full.line({"message_id": mail.message_id}),
            )
            await run.go()
            assert server.mails == []
        assert run.done.spent == 0
        assert run.done.failure is not None
        assert run.done.failure.code == "NOT_ALLOWED"

    with open("/dev/full", "wb", buffering=0) as file:
        full = AuditPen(file.fileno(), Path("/dev/full"))
        anyio.run(main)


def test_connections_are_1_to_20_and_a_host_gets_as_many_as_is_said(
    configured: Configured, state: State
) -> None:
    config = configured()
    for wrong in (0, -3, 21, 1000):
        for words in (OperatorWords(parallel=wrong), OperatorWords(per_host=wrong)):
            error = refused(config, request(), state, words)
            assert error.code == "INVALID_ARGUMENT"
            assert f"{wrong} must be 1 to 20" in error.message
            with pytest.raises(MailtraceError, match="must be 1 to 20"):
                dry_run(config, request(), words, state)
    clipped = dry_run(config, request(), OperatorWords(parallel=20), state)
    assert "Of 20 connections one host gets 10 at most (per host)." in clipped.warnings

    async def main() -> None:
        async with peer(DOT=[0.1] * 60 + [TAKEN]) as server:
            config = configured(server.port)
            words = OperatorWords(parallel=20, per_host=20)
            found = await send(config, request(rate=60, duration=1), words, state)
            assert found.outcome == "accepted"
        assert 10 < server.connections <= 20

    anyio.run(main)


@dataclass
class Clock:
    """The clock of this machine, that a test may move on."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


async def overtaken(configured: Configured, state: State, clock: Clock, deadline: float) -> Sending:
    """A run of three mails whose first one takes over a minute, so that another program, which had
    reserved that minute, comes before the other two."""
    async with peer(DOT=[1.0, "250 2.0.0 Ok: queued as 4F2A1B3C5D"]) as server:
        config = configured(server.port, policy="recipient_domains: [lab.example], per_minute: 4")
        policy = config.smtp.policy
        assert policy is not None
        other = state.quota.reserve(policy, [(70, 3)], clock())
        effort = Effort(deadline=anyio.current_time() + deadline, timeouts=Timeouts())
        asked = request(rate=1, duration=3)
        sending = Sending(config, asked, OPERATOR, state, effort, clock)

        async def meanwhile() -> None:
            await server.until_contents(1)
            clock.ahead = timedelta(seconds=75)
            assert state.quota.let_through(other, policy, 4, 1, (), clock())[0] == 3
            await anyio.sleep(2)
            assert len(server.contents) == 1
            if deadline < 60:
                return
            state.quota.settle(other, [(clock().timestamp(), 3)], clock())
            clock.ahead = timedelta(seconds=140)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(meanwhile)
            await sending.go()
        return sending


def test_a_late_mail_waits_until_the_minute_has_room(configured: Configured, state: State) -> None:
    async def main() -> None:
        found = (await overtaken(configured, state, Clock(), 60)).result()
        assert [one.success for one in found.records] == [True, True, True]

    anyio.run(main)


def test_a_late_mail_is_not_sent_past_the_deadline(configured: Configured, state: State) -> None:
    async def main() -> None:
        found = (await overtaken(configured, state, Clock(), 2.6)).result()
        assert [one.success for one in found.records] == [True]
        assert found.failure is not None
        assert found.failure.code == "RATE_LIMITED"
        assert "held back" in found.failure.message

    anyio.run(main)


def test_a_tool_call_does_not_wait_and_says_when(configured: Configured, state: State) -> None:
    async def main() -> None:
        async with peer(RCPT="451 4.7.1 greylisted") as server:
            found = await send(configured(server.port), request(), None, state)
        assert server.count("RCPT") == 1
        assert found.outcome == "refused"
        assert found.failure is not None
        assert found.failure.code == "SMTP_TEMPFAIL"
        assert found.retry_after == 300
        assert found.refused[0].reply.code == 451

    anyio.run(main)


def test_unknown_is_told_and_written_down(configured: Configured, state: State) -> None:
    async def main() -> None:
        async with peer(DOT=HANG_UP) as server:
            found = await send(configured(server.port), request(), OPERATOR, state)
        assert len(server.contents) == 1
        assert found.outcome == "unknown"
        assert found.records[0].success is None
        assert audit(state)[-1]["outcome"] == "unknown"

    anyio.run(main)


TLS = "tls: starttls, port: 587"


@pytest.mark.parametrize(
    ("profile", "asked", "allowed"),
    [
        (TLS, {"ssl_mode": "none"}, False),
        (TLS, {"verify": False}, False),
        (TLS, {"ssl_mode": "smtps"}, True),
        (TLS, {"ssl_mode": "starttls", "verify": True}, True),
        ("tls: none", {"ssl_mode": "starttls"}, True),
        ("tls: none", {}, True),
        (TLS + ", verify: false", {"verify": True}, True),
        (TLS + ", verify: false", {}, True),
        (TLS + ", allow_insecure: true", {"ssl_mode": "none"}, True),
        (TLS + ", allow_insecure: true", {"verify": False}, True),
    ],
)
def test_tls_is_kept_or_raised_and_lowered_only_by_the_profile_or_the_operator(
    profile: str, asked: dict[str, Any], allowed: bool, configured: Configured, state: State
) -> None:
    config = configured(1, profile.replace(", port: 587", ""))
    by_agent = dry_run(config, request(**asked), None, state)
    assert all(one.allowed for one in by_agent.decisions) == allowed
    if not allowed:
        assert refused(config, request(**asked), state).code == "NOT_ALLOWED"
    by_operator = dry_run(config, request(**asked), OPERATOR, state)
    assert all(one.allowed for one in by_operator.decisions)


def test_no_password_over_a_lowered_connection_not_even_for_the_operator(
    configured: Configured, state: State
) -> None:
    config = configured(1, "tls: starttls, user: u, password: p")
    lowered = request(verify=False)
    assert "unverified" in refused(config, lowered, state, OPERATOR).message
    without = dry_run(config, request(verify=False, auth=False), OPERATOR, state)
    assert without.allowed
    assert without.routes[0].login is None


def test_the_workflows_own_line(
    configured: Configured, state: State, authority: Authority, tmp_path: Path
) -> None:
    """--ssl-mode starttls --no-ssl-verify --rate 1 --duration 1 --mail-subject "…" --export-records."""

    async def main() -> None:
        async with sink(starttls=authority.self_signed("alone").context()) as server:
            config = configured(server.port, "tls: starttls, to: [a@lab.example]")
            asked = SendRequest(
                subject="Test 2026-11-21", ssl_mode="starttls", verify=False, rate=1, duration=1
            )
            found = await send(config, asked, OPERATOR, state)
        write_export(found.records, tmp_path / "records.json")
        (record,) = json.loads((tmp_path / "records.json").read_text())
        assert list(record) == [
            "timestamp", "message_id", "queue_id", "subject", "from", "to", "success", "status_code"
        ]  # fmt: skip
        assert record["message_id"] == server.message_ids[0]
        assert record["queue_id"] == server.mails[0].queue_id
        assert record["subject"] == "Test 2026-11-21"
        assert record["from"] == "me@lab.example"
        assert record["to"] == "a@lab.example"
        assert record["success"] is True
        assert record["status_code"] == 250
        assert datetime.fromisoformat(record["timestamp"]).tzinfo is not None
        assert found.warnings == ("The server's certificate is not verified (verify off).",)

    anyio.run(main)


def test_an_export_of_nothing_and_one_that_cannot_be_written(tmp_path: Path) -> None:
    assert json.loads(exported([])) == []
    with pytest.raises(MailtraceError, match="cannot be written") as caught:
        write_export([], tmp_path / "no" / "file.json")
    assert caught.value.code == "FILE_DENIED"
    write_export([], tmp_path / "new.json")
    assert stat.S_IMODE(os.stat(tmp_path / "new.json").st_mode) == 0o600


def test_a_dry_run_connects_counts_and_writes_nothing(configured: Configured, state: State) -> None:
    async def main() -> None:
        async with peer() as server:
            config = configured(server.port, "tls: starttls, user: u, password: p")
            asked = request("a@lab.example", bcc=("hidden@lab.example",), rate=2, duration=3)
            found = await anyio.to_thread.run_sync(dry_run, config, asked, None, state)
            assert server.connections == 0
        assert found.allowed
        assert found.mails == 6
        assert [one.spec for one in found.mail.recipients] == [
            "a@lab.example",
            "hidden@lab.example",
        ]
        assert b"hidden" not in found.mail.data
        assert found.left == (100, 200)
        assert found.decisions[-1].about == "quota"
        assert found.decisions[-1].why.startswith("12 recipients in this run")
        assert found.routes[0].host == "127.0.0.1"
        abouts = [one.about for one in found.decisions]
        assert "recipient hidden@lab.example" in abouts
        assert "login as u" in abouts
        assert not state.audit.path.exists()
        assert not state.quota.path.exists()

    anyio.run(main)


def test_a_dry_run_says_what_the_quota_would_say(configured: Configured, state: State) -> None:
    async def main() -> None:
        async with sink() as server:
            six = "recipient_domains: [lab.example], per_minute: 6"
            config = configured(server.port, policy=six)
            for asked in (
                request(rate=3, duration=3),
                request(("a@lab.example", "b@lab.example"), rate=2, duration=2),
            ):
                dry = await anyio.to_thread.run_sync(dry_run, config, asked, None, state)
                assert dry.allowed == (dry.mails * len(dry.mail.recipients) <= 6)
                if not dry.allowed:
                    with pytest.raises(RateLimitedError) as caught:
                        await send(config, asked, None, state, QUICKLY)
                    (denied,) = [one for one in dry.decisions if not one.allowed]
                    assert f"{denied.why}." == caught.value.message
            spread = request(rate=0.1, duration=100)
            assert (
                await anyio.to_thread.run_sync(dry_run, config, spread, OPERATOR, state)
            ).allowed

    anyio.run(main)


def test_interrupted_the_result_has_what_was_done(configured: Configured, state: State) -> None:
    async def main() -> None:
        async with sink() as server:
            config = configured(server.port)
            sending = Sending(config, request(rate=10, duration=5), OPERATOR, state)
            assert sending.result().records == ()
            with anyio.move_on_after(0.55):
                await sending.go()
            found = sending.result()
        assert 4 <= len(found.records) <= 7
        assert len(found.records) == len(server.mails)
        assert found.planned == 50
        now = datetime.now(UTC) + timedelta(seconds=10)
        left = state.quota.left(config.smtp.policy, now)  # type: ignore[arg-type]
        assert left == (100 - len(server.mails), 200 - len(server.mails))

    anyio.run(main)


def test_secrets_are_in_no_answer_error_audit_or_repr(
    configured: Configured, state: State, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(1)
    raw = PASSWORD.encode()
    forms = [PASSWORD, b64encode(raw).decode(), quote(PASSWORD), quote(PASSWORD, safe=""),
             b64encode(b"\0mailtrace\0" + raw).decode()]  # fmt: skip
    profile = f"tls: starttls, ca_file: {authority.file}, user: {USER}, password: '{PASSWORD}'"

    def shown(found: Sent | MailtraceError) -> str:
        return repr(found) + str(found) + repr(vars(found))

    async def main() -> None:
        tls = authority.pair("good").context()
        texts = []
        async with sink(starttls=tls) as server:
            config = configured(server.port, profile)
            found = await send(config, request(), None, state, QUICKLY)
            assert found.outcome == "accepted"
            assert server.mails[0].user == USER
            texts.append(shown(found))
            dry = await anyio.to_thread.run_sync(dry_run, config, request(), None, state)
            texts.append(repr(dry))
        ehlo = "250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN"
        echo = f"535 5.7.8 {' '.join(forms)}"
        async with peer(starttls=tls, EHLO=ehlo, STARTTLS="220 go", AUTH=echo) as server_too:
            config = configured(server_too.port, profile)
            found = await send(config, request(), None, state, QUICKLY)
            assert found.failure is not None
            assert found.failure.code == "SMTP_AUTH"
            texts += [shown(found), shown(found.failure), exported(found.records)]
        texts += [state.audit.path.read_text(), caplog.text.replace("AUTH PLAIN " + forms[-1], "")]
        for text in texts:
            for form in forms:
                assert form not in text

    anyio.run(main)


def test_a_fallback_keeps_the_mail_and_the_rules(configured: Configured, state: State) -> None:
    async def main() -> None:
        async with sink() as server:
            more = f"    other: {{host: 127.0.0.1, port: {server.port}, tls: none, from: o@lab.example}}"
            config = configured(1, "tls: none, fallback: other", more=more)
            found = await send(config, request(), OPERATOR, state)
            assert found.outcome == "accepted"
            assert server.mails[0].sender == "o@lab.example"
            asked = request(sender="me@lab.example")
            found = await send(config, asked, OPERATOR, state)
            assert found.outcome == "refused"
            assert "left out" in found.warnings[0]
            found = await send(config, request(ssl_mode="starttls"), None, state, QUICKLY)
            assert found.outcome == "refused"
            assert found.failure is not None
            assert found.failure.code == "SMTP_TLS_REQUIRED"  # raised on the fallback too
            assert len(server.mails) == 1

    anyio.run(main)


def test_a_fallback_is_told_and_written_down_under_its_own_name(
    configured: Configured, state: State, authority: Authority
) -> None:
    async def main() -> None:
        async with peer() as gone:
            dead = gone.port
        async with sink() as plain, sink(starttls=authority.pair("good").context()) as safe:
            more = f"    plain: {{host: 127.0.0.1, port: {plain.port}, tls: none, from: o@lab.example}}\n"
            more += f"    safe: {{host: 127.0.0.1, port: {safe.port}, ca_file: {authority.file}, from: o@lab.example}}"
            config = configured(dead, "tls: starttls, fallback: plain", more=more)
            dry = await anyio.to_thread.run_sync(dry_run, config, request(), OPERATOR, state)
            said = "The fallback plain: The connection is not encrypted (ssl_mode none)."
            assert dry.warnings == (said,)
            found = await send(config, request(), None, state, QUICKLY)
            assert found.outcome == "accepted"
            assert found.failure is None
            lab = f"lab (127.0.0.1:{dead}) could not be reached (HOST_UNREACHABLE)"
            other = f"plain (127.0.0.1:{plain.port})"
            assert found.warnings == (f"{lab}; sent by {other}, not encrypted.",)
            assert {line["profile"] for line in audit(state)} == {"plain"}
            assert {line["server"] for line in audit(state)} == {
                f"127.0.0.1[127.0.0.1]:{plain.port}"
            }
            config = configured(dead, "tls: none, fallback: safe", more=more)
            found = await send(config, request(), None, state, QUICKLY)
            other = f"safe (127.0.0.1:{safe.port})"
            assert found.warnings == (f"{lab}; sent by {other}, encrypted and verified.",)
            async with peer(MAIL="550 5.7.1 no") as never:
                more = f"    never: {{host: 127.0.0.1, port: {never.port}, tls: none, from: o@lab.example}}"
                config = configured(dead, "tls: none, fallback: never", more=more)
                found = await send(config, request(), None, state, QUICKLY)
                assert f"; tried never (127.0.0.1:{never.port}), not" in found.warnings[0]

    anyio.run(main)


def test_a_server_that_refuses_at_the_banner_is_not_replaced(
    configured: Configured, state: State
) -> None:
    async def main() -> None:
        async with sink() as server, peer(BANNER="554 5.7.1 Client host rejected") as denies:
            more = f"    other: {{host: 127.0.0.1, port: {server.port}, tls: none, from: o@lab.example}}"
            config = configured(denies.port, "tls: none, fallback: other", more=more)
            found = await send(config, request(), OPERATOR, state, QUICKLY)
            assert server.mails == []
        assert found.outcome == "refused"
        assert found.failure is not None
        assert found.failure.code == "SMTP_REJECTED"
        assert found.account is not None
        assert found.account.stage == "banner"

    anyio.run(main)


def test_another_server_is_the_operators_word_and_gets_no_password(
    configured: Configured, state: State
) -> None:
    config = configured(1, "tls: starttls, user: u, password: p, fallback: other",
                        more="    other: {host: h.example, from: o@lab.example}")  # fmt: skip
    words = OperatorWords(server=Server("mx.example", 2525))
    (route,) = dry_run(config, request(), words, state).routes
    assert (route.host, route.port, route.login) == ("mx.example", 2525, None)
    words = OperatorWords(server=Server("mx.example", None, "me", Secret("own")))
    (route,) = dry_run(config, request(), words, state).routes
    assert route.login is not None
    assert route.login.user == "me"


def test_extras_need_the_policys_leave(configured: Configured, state: State) -> None:
    extras = Extras(attachments=(Attachment("x.txt", "text/plain", b"x"),))
    asked = OperatorWords(extras=extras)
    assert "content is template" in refused(configured(), request(), state, asked).message
    config = configured(policy="recipient_domains: [lab.example], content: text")
    assert dry_run(config, request(body="own"), asked, state).allowed
    for name, saved, allowed in (
        ("own", b"From: me@lab.example\nSubject: x\n\nx\n", True),
        ("other", b"From: ceo@bank.example\n\nx\n", False),
        ("sender", b"From: me@lab.example\nSender: ceo@bank.example\n\nx\n", False),
    ):
        words = OperatorWords(extras=Extras(saved=saved))
        assert dry_run(config, request(), words, state).allowed == allowed, name
    nobody = OperatorWords(extras=Extras(saved=b"Subject: x\n\nx\n"))
    with pytest.raises(MailtraceError, match="no From"):
        dry_run(config, request(), nobody, state)


def test_groups_reach_several_at_once(configured: Configured, state: State) -> None:
    config = configured(
        policy="recipient_domains: [one.example, two.example]",
        rest="groups: {seeds: [p@one.example, p@two.example]}",
    )
    found = dry_run(config, request("group:seeds"), None, state)
    assert [one.spec for one in found.mail.recipients] == ["p@one.example", "p@two.example"]
    assert found.allowed


def test_without_its_files_nothing_is_sent(configured: Configured, tmp_path: Path) -> None:
    folder = tmp_path / "state"
    state = State.at(folder)
    state.audit.path.mkdir()
    assert "audit" in refused(configured(), request(), state).message
    (tmp_path / "file").write_text("")
    with pytest.raises(MailtraceError, match="nothing is sent"):
        State.at(tmp_path / "file" / "x")


NOBODY = """
import os, sys
os.environ.clear()
from mailtrace_mcp.config import load
from mailtrace_mcp.send import SendRequest, dry_run
config = load(sys.argv[1], {})
os.setreuid(54321, 0)  # files stay readable
try:
    dry_run(config, SendRequest(to=("a@lab.example",)))
except BaseException as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody who is not known")
def test_a_user_without_a_home_is_told_what_to_set(configured: Configured) -> None:
    path = configured().path
    ran = subprocess.run([sys.executable, "-c", NOBODY, path], capture_output=True, text=True)
    assert ran.stdout.startswith("MailtraceError NOT_ALLOWED: this user has no home folder"), (
        ran.stderr
    )
    assert "XDG_STATE_HOME" in ran.stdout


def test_the_audit_is_only_added_to(configured: Configured, state: State) -> None:
    state.audit.path.write_text('{"old": 1}\n')
    refused(configured(), request("x@gmail.com"), state)
    assert audit(state)[0] == {"old": 1}
    assert len(audit(state)) == 2


def test_an_audit_that_is_a_link_is_not_followed(configured: Configured, state: State) -> None:
    state.audit.path.symlink_to("/dev/null")
    assert "audit" in refused(configured(), request(), state).message


def test_the_room_can_be_entered_without_the_smtp_library() -> None:
    """A start of the server must not pay for it (TOOLS.md)."""
    script = "import sys, mailtrace_mcp.send; sys.exit('aiosmtplib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
