"""A mail sent to a real server and followed through a log that grows: one call, one deadline."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from mailtrace_mcp import questions
from mailtrace_mcp.answers import SendAnswer, TraceAnswer
from mailtrace_mcp.config import load
from mailtrace_mcp.errors import MailtraceError
from mailtrace_mcp.questions import Dispatch, MailQuestion, SendQuestion
from mailtrace_mcp.send import OperatorWords
from tests.checks.nameserver import nameserver
from tests.send.peers.scripted import HANG_UP, SILENCE, peer

from .mailhost import MailHost, mailhost, own_state

TO = ("a@lab.example", "b@lab.example")


@pytest.fixture(autouse=True)
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return own_state(tmp_path, monkeypatch)


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    anyio.run(main)


async def sent(host: MailHost, asked: SendQuestion, **more: Any) -> SendAnswer:
    config = load(host.config, {})
    return await questions.send_test_mail(config, asked, datetime.now(UTC), **more)


def test_send_and_follow_to_every_recipients_end(tmp_path: Path) -> None:
    told: list[str] = []

    async def note(done: int, total: int, said: str) -> None:
        told.append(said)

    async def main() -> None:
        async with mailhost(tmp_path, fates={"b@lab.example": "bounced"}, delay=1.2) as host:
            began = time.monotonic()
            answer = await sent(host, SendQuestion(to=TO, follow=True), progress=note)
        assert time.monotonic() - began < 10
        assert answer.outcome == "accepted"
        assert answer.trace is not None
        [mail] = answer.trace.traces
        assert mail.message_id == answer.records[0].message_id
        ends = {end.recipient: end.outcome for end in mail.recipients}
        assert ends == {"a@lab.example": "sent", "b@lab.example": "bounced"}
        queue_id = host.server.mails[0].queue_id
        assert {one.queue_id for one in answer.records} == {queue_id}
        assert "Followed: 1 mail to 2 recipients: 1 sent, 1 bounced" in answer.summary
        hop = next(n for n, one in enumerate(told) if one.startswith(f"mx1 {queue_id}"))
        end = next(
            n for n, one in enumerate(told) if one.startswith("b@lab.example: bounced at mx1")
        )
        assert hop < end
        assert told.index("1 mail handled") < hop
        assert len([one for one in told if one.startswith(f"mx1 {queue_id}")]) == 1

    run(main)


def test_a_mail_that_the_server_splits_is_followed_to_each_recipients_end(tmp_path: Path) -> None:
    """The queue file that the server named has one recipient; another has the second, later."""

    async def main() -> None:
        async with mailhost(tmp_path, delay=0, split=True) as host:
            answer = await sent(host, SendQuestion(to=TO, follow=True, follow_seconds=20))
        assert answer.trace is not None
        ends = {
            one.recipient: one.outcome for mail in answer.trace.traces for one in mail.recipients
        }
        assert ends == {"a@lab.example": "sent", "b@lab.example": "sent"}

    run(main)


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ({("example.com", "MX"): ["10 mx.example.com."], ("example.com", "TXT"): ['"v=spf1 -all"']}, []),
        ({("example.com", "MX"): ["10 mx.example.com."]}, ["No SPF record"]),
        ({("example.com", "TXT"): ['"v=spf1 -all"']}, ["neither an MX record nor an address"]),
        ({}, ["no such domain"]),
    ],
)  # fmt: skip
def test_a_sender_whose_domain_has_no_mx_or_spf_is_warned_of(
    records: dict[tuple[str, str], list[str]], told: list[str], tmp_path: Path
) -> None:
    async def main() -> None:
        async with mailhost(tmp_path) as host, nameserver(records) as names:
            host.config.write_text(
                host.config.read_text().replace("me@lab.example", "me@example.com")
            )
            config, now = load(host.config, {}), datetime.now(UTC)
            answer = await Dispatch(config, SendQuestion(), now, lookups=names.lookups()).run()
        assert answer.outcome == "accepted"
        warnings = [one for one in answer.warnings if one.startswith("example.com: ")]
        assert len(warnings) == len(told)
        assert all(words in one for words, one in zip(told, warnings, strict=True))

    run(main)


def test_a_silent_name_server_holds_no_mail_up(tmp_path: Path) -> None:
    async def main() -> None:
        async with mailhost(tmp_path) as host, nameserver({}, silent=["example.com"]) as names:
            host.config.write_text(
                host.config.read_text().replace("me@lab.example", "me@example.com")
            )
            config, now = load(host.config, {}), datetime.now(UTC)
            began = time.monotonic()
            answer = await Dispatch(config, SendQuestion(), now, lookups=names.lookups(60)).run()
        assert time.monotonic() - began < 20
        assert answer.outcome == "accepted"
        assert not [one for one in answer.warnings if one.startswith("example.com: ")]

    run(main)


def test_a_deferred_mail_is_followed_until_the_time_is_over(tmp_path: Path) -> None:
    async def main() -> None:
        async with mailhost(tmp_path, fates={"a@lab.example": "deferred"}, delay=0) as host:
            began = time.monotonic()
            answer = await sent(host, SendQuestion(follow=True, follow_seconds=2))
        assert 2 <= time.monotonic() - began < 6
        assert answer.outcome == "accepted"
        assert answer.trace is not None
        assert answer.trace.traces[0].recipients[0].outcome == "deferred"

    run(main)


def test_several_mails_are_all_followed(tmp_path: Path) -> None:
    async def main() -> None:
        async with mailhost(tmp_path, delay=0.1) as host:
            answer = await sent(host, SendQuestion(rate=3, duration=1, follow=True))
        assert answer.planned == 3
        assert answer.trace is not None
        assert {one.message_id for one in answer.trace.traces} == {
            one.message_id for one in answer.records
        }
        assert answer.trace.matched == 3

    run(main)


def test_of_a_long_run_the_last_mails_are_followed(tmp_path: Path) -> None:
    async def main() -> None:
        async with mailhost(tmp_path, delay=0) as host:
            answer = await sent(host, SendQuestion(rate=25, duration=1, follow=True))
        assert len(answer.records) == 25
        assert answer.trace is not None
        assert answer.trace.matched == 20
        assert "Of 25 mails only the last 20 were followed." in answer.trace.hints

    run(main)


def test_nothing_in_the_logs_says_what_to_do(tmp_path: Path) -> None:
    async def main() -> None:
        async with mailhost(tmp_path, delay=60) as host:
            host.log = lambda text, stamp=None: None  # type: ignore[method-assign]
            answer = await sent(host, SendQuestion(follow=True, follow_seconds=1))
        assert answer.outcome == "accepted"
        assert answer.trace is not None
        assert answer.trace.matched == 0
        assert any("widen time_range to 2h" in one for one in answer.hints)

    run(main)


def test_a_refused_mail_is_an_answer_and_is_not_followed(tmp_path: Path) -> None:
    async def main() -> None:
        refuse = {"a@lab.example": "550 5.1.1 no such user"}
        async with mailhost(tmp_path, refuse=refuse) as host:
            began = time.monotonic()
            answer = await sent(host, SendQuestion(follow=True))
        assert time.monotonic() - began < 3
        assert (answer.outcome, answer.code, answer.trace) == ("refused", "SMTP_REJECTED", None)

    run(main)


def test_lost_after_the_final_dot_is_unknown_and_followed(tmp_path: Path) -> None:
    async def main() -> None:
        async with mailhost(tmp_path) as host, peer(DOT=HANG_UP) as server:
            host.server.port = server.port
            host.write()
            answer = await sent(host, SendQuestion(follow=True, follow_seconds=1))
        assert answer.outcome == "unknown"
        assert answer.trace is not None
        assert server.count("DATA") == 1

    run(main)


def test_one_deadline_for_sending_and_following(tmp_path: Path) -> None:
    async def main() -> None:
        async with mailhost(tmp_path, rest="limits: {deadline: 3}\n", delay=60) as host:
            began = time.monotonic()
            answer = await sent(host, SendQuestion(follow=True, follow_seconds=3))
            assert time.monotonic() - began < 4
            assert answer.outcome == "accepted"
        short = mailhost(tmp_path, rest="limits: {deadline: 2}\n")
        async with short as host, peer(DOT=SILENCE) as server:
            host.server.port = server.port
            host.write()
            began = time.monotonic()
            answer = await sent(host, SendQuestion(follow=True, follow_seconds=2))
        assert time.monotonic() - began < 3
        assert answer.outcome == "unknown"

    run(main)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (SendQuestion(to=("x@gmail.com",)), "NOT_ALLOWED"),
        (SendQuestion(follow=True, follow_seconds=46), "INVALID_ARGUMENT"),
        (SendQuestion(follow_seconds=-1), "INVALID_ARGUMENT"),
        (SendQuestion(duration=60), "RATE_LIMITED"),
    ],
)
def test_what_is_not_begun_raises(tmp_path: Path, asked: SendQuestion, code: str) -> None:
    async def main() -> None:
        async with mailhost(tmp_path) as host:
            with pytest.raises(MailtraceError) as caught:
                await sent(host, asked)
            assert caught.value.code == code
            assert host.server.connections == 0

    run(main)


def test_following_without_hosts_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    async def main() -> None:
        async with mailhost(tmp_path) as host:
            lines = host.config.read_text().splitlines()
            host.config.write_text("\n".join(one for one in lines if not one.startswith("hosts")))
            with pytest.raises(MailtraceError, match="names no hosts"):
                await sent(host, SendQuestion(follow=True))
            assert host.server.mails == []

    run(main)


def test_a_dry_run_connects_nowhere(tmp_path: Path, audit: Path) -> None:
    async def main() -> None:
        async with mailhost(tmp_path) as host:
            answer = await sent(host, SendQuestion(dry_run=True, subject="Hello"))
            assert host.server.connections == 0
        assert answer.outcome is None
        assert answer.plan is not None
        assert "Subject: Hello" in answer.plan.message

    run(main)
    assert not audit.exists()


def test_an_operator_may_follow_longer_and_sees_every_look(tmp_path: Path) -> None:
    looks: list[TraceAnswer] = []

    async def main() -> None:
        async with mailhost(tmp_path, rest="limits: {deadline: 2}\n", delay=2.5) as host:
            config = load(host.config, {})
            asked = SendQuestion(follow=True, follow_seconds=60)
            dispatch = Dispatch(config, asked, datetime.now(UTC), OperatorWords(), looks.append)
            answer = await dispatch.run()
        assert answer.trace == looks[-1]
        assert answer.trace is not None
        assert [end.outcome for one in answer.trace.traces for end in one.recipients] == ["sent"]
        assert len(looks) > 2

    run(main)


def test_trace_mail_follows_too_and_a_past_window_stays_as_it_was_asked(tmp_path: Path) -> None:
    looks: list[TraceAnswer] = []

    async def main() -> None:
        async with mailhost(tmp_path, delay=1.5) as host:
            answer = await sent(host, SendQuestion())
            config, now = load(host.config, {}), datetime.now(UTC)
            asked = MailQuestion(message_id=answer.records[0].message_id, follow_seconds=10)
            traced = await questions.trace_mail(config, asked, now, None, looks.append)
            assert traced.traces[0].outcome == "sent"
            assert len(looks) > 1
            past = MailQuestion(queue_id="4F2A1B3C5D", time="2026-01-01 00:00", follow_seconds=1)
            ends = await questions.trace_mail(config, past, now)
            assert ends.coverage.window.end == datetime(2026, 1, 1, 1, tzinfo=UTC)

    run(main)


def test_what_was_done_is_told_after_an_interruption(tmp_path: Path, audit: Path) -> None:
    async def main() -> None:
        async with mailhost(tmp_path) as host:
            config = load(host.config, {})
            asked = SendQuestion(rate=5, duration=10)
            dispatch = Dispatch(config, asked, datetime.now(UTC), OperatorWords())
            with anyio.move_on_after(0.5):
                await dispatch.run()
            done = len(host.server.mails)
            answer = dispatch.answer()
        assert 0 < done < 50
        assert len(answer.records) in (done, done - 1)
        assert "of 50 mails handled" in answer.summary

    run(main)
    lines = [json.loads(line) for line in audit.read_text().splitlines()]
    assert lines
    assert {line["event"] for line in lines} == {"begin", "send"}
