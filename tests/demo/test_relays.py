"""The demo's relays over real connections; what they did is read from the mails in their mailboxes."""

from __future__ import annotations

import asyncio
import smtplib
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from mailtrace_mcp.config import load
from mailtrace_mcp.demo.cluster import BULK
from mailtrace_mcp.demo.handover import Handover
from mailtrace_mcp.demo.relay import Tempo
from mailtrace_mcp.demo.sites import (
    BOUNCED,
    BOX,
    DEFERRED,
    DELIVERED,
    MX,
    OUT,
    RECIPIENTS,
    SENDER,
    Site,
)
from mailtrace_mcp.demo.throttle import Throttle
from mailtrace_mcp.questions import MailQuestion, trace_mail
from mailtrace_parsers.events import (
    Action,
    Client,
    ClientLost,
    Delivery,
    Event,
    MessageId,
    Notification,
    QueueActive,
    Removed,
    Session,
    Unrecognised,
)
from tests.send.peers.scripted import HANG_UP, Script, peer

from .relays import MAIL, entries, give, relays, until, way

HOSTS = (OUT.name, MX.name, BOX.name)


def test_three_fates_and_the_way_back_of_the_notice(tmp_path: Path) -> None:
    async def main() -> None:
        async with relays(tmp_path) as found:
            assert await give(found.ports[OUT.name], RECIPIENTS) == {}
            await found.settled()
            boxes = found.relays[BOX.name].mailboxes
            assert set(boxes) == {DELIVERED, SENDER}
            [mail], [notice] = boxes[DELIVERED], boxes[SENDER]
            assert [host for host, _ in way(mail)] == [OUT.name, MX.name, BOX.name]
            assert mail.endswith(MAIL)
            assert [host for host, _ in way(notice)] == [BOX.name]
            about, refused = _status(message_from_bytes(notice))
            assert about["Reporting-MTA"] == "dns; mx1.demo.example"
            assert refused["Final-Recipient"] == f"rfc822; {BOUNCED}"
            assert (refused["Action"], refused["Status"]) == ("failed", "5.1.1")

    anyio.run(main)


def _status(notice: Message) -> list[Message]:
    """The blocks of message/delivery-status."""
    assert notice.get_content_type() == "multipart/report"
    assert notice.get_param("report-type") == "delivery-status"
    text, status, headers = _parts(notice)
    assert BOUNCED in str(text.get_payload())
    assert status.get_content_type() == "message/delivery-status"
    assert "Message-ID: <1@demo.example>" in str(headers.get_payload())
    return _parts(status)


def _parts(whole: Message) -> list[Message]:
    parts = whole.get_payload()
    assert isinstance(parts, list)
    return [one for one in parts if isinstance(one, Message)]


def test_what_is_traced_is_what_happened(tmp_path: Path) -> None:
    async def main() -> None:
        async with relays(tmp_path) as found:
            await give(found.ports[OUT.name], RECIPIENTS)
            await found.settled()
            [mail] = found.relays[BOX.name].mailboxes[DELIVERED]
            config, asked = load(found.config), MailQuestion(message_id="1@demo.example")
            answer = await trace_mail(config, asked, datetime.now(UTC))
            [trace] = answer.traces
            ends = {one.recipient: one for one in trace.recipients}
            outcomes = {who: one.outcome for who, one in ends.items()}
            assert outcomes == {DELIVERED: "sent", DEFERRED: "deferred", BOUNCED: "bounced"}
            path = [(place.host, place.queue_id) for place in ends[DELIVERED].path]
            assert path == way(mail)
            [notice] = trace.notices
            assert (notice.kind, notice.to, notice.outcome) == ("bounce", SENDER, "sent")
            assert [(one.state, one.not_understood) for one in answer.coverage.hosts] == [
                ("read", 0)
            ] * 3

    anyio.run(main)


def test_our_reader_understands_every_line(tmp_path: Path) -> None:
    async def main() -> None:
        async with relays(tmp_path, Tempo(0.0, (0.05, 300.0))) as found:
            await give(found.ports[OUT.name], RECIPIENTS)
            await found.settled()
            await anyio.to_thread.run_sync(_hang_up_after_mail, found.ports[OUT.name])
            await until(lambda: _has(tmp_path, OUT.name, ClientLost))

    anyio.run(main)
    everything = {host: entries(tmp_path, host) for host in HOSTS}
    for entry in (one for lines in everything.values() for one in lines):
        assert not isinstance(entry.event, Unrecognised), entry.raw
        assert entry.frame.at is not None
        assert (entry.frame.host, entry.frame.instance) == (entry.host, "postfix")
    kinds = {type(one.event) for lines in everything.values() for one in lines}
    assert kinds > {
        Client,
        MessageId,
        QueueActive,
        Delivery,
        Removed,
        Notification,
        Action,
        Session,
    }
    tries = [e.event for e in everything[MX.name] if isinstance(e.event, Delivery)]
    assert [one.status for one in tries if one.recipient == DEFERRED] == ["deferred"] * 2
    handed = [one for one in tries if one.reply and one.reply.queue_id]
    taken = {e.queue_id for e in everything[BOX.name] if isinstance(e.event, Client)}
    assert {one.reply.queue_id for one in handed if one.reply} == taken


def _hang_up_after_mail(port: int) -> None:
    with smtplib.SMTP("127.0.0.1", port, "client.example", timeout=60) as client:
        client.ehlo()
        client.mail(SENDER)
        client.close()


def _has(folder: Path, host: str, kind: type[Event]) -> bool:
    return any(isinstance(one.event, kind) for one in entries(folder, host))


def test_who_is_put_off_gets_it_when_there_is_room(tmp_path: Path) -> None:
    async def main() -> None:
        room = dict(BOX.mailboxes)
        box = Site(BOX.name, BOX.address, BOX.routes, room)
        async with relays(tmp_path, Tempo(0.0, (0.05,)), sites=(OUT, MX, box)) as found:
            await give(found.ports[OUT.name], [DEFERRED])
            await until(lambda: _has(tmp_path, MX.name, Delivery))
            room[DEFERRED] = None
            boxes = found.relays[BOX.name].mailboxes
            await until(lambda: DEFERRED in boxes)
            await until(lambda: _has(tmp_path, MX.name, Removed))
            assert len(boxes[DEFERRED]) == 1
        statuses = [
            one.event.status
            for one in entries(tmp_path, MX.name)
            if isinstance(one.event, Delivery)
        ]
        assert set(statuses[:-1]) == {"deferred"}
        assert statuses[-1] == "sent"

    anyio.run(main)


@pytest.mark.parametrize(("sender", "told"), [(SENDER, True), ("", False)])
def test_a_denied_mail_comes_back_but_no_notice_is_made_about_a_notice(
    tmp_path: Path, sender: str, told: bool
) -> None:
    async def main() -> None:
        async with relays(tmp_path) as found:
            await give(found.ports[OUT.name], ["who@elsewhere.example"], sender)
            await found.settled()
            assert list(found.relays[BOX.name].mailboxes) == ([SENDER] if told else [])
        assert _has(tmp_path, OUT.name, Notification) == told
        assert _has(tmp_path, OUT.name, Removed)

    anyio.run(main)


def test_the_bulk_door_says_later_then_hangs_up_and_the_other_does_not(tmp_path: Path) -> None:
    def talk(port: int) -> list[int]:
        codes = []
        with smtplib.SMTP("127.0.0.1", port, "client.example", timeout=60) as client:
            client.ehlo()
            for _ in range(4):
                code, _ = client.mail(SENDER)
                codes.append(code)
                if code == 421:
                    with pytest.raises(smtplib.SMTPServerDisconnected):
                        client.noop()
                    break
                client.rset()
        return codes

    async def main() -> None:
        throttle = Throttle(per_minute=0.001, burst=2)
        async with relays(tmp_path, throttle=throttle) as found:
            heard = await anyio.to_thread.run_sync(talk, found.ports[BULK])
            assert heard == [250, 250, 451, 421]
            assert throttle.said == [451, 421]
            assert await anyio.to_thread.run_sync(talk, found.ports[OUT.name]) == [250] * 4
        refused = [one for one in entries(tmp_path, OUT.name) if isinstance(one.event, Action)]
        assert {one.frame.instance for one in refused} == {"postfix/bulk"}
        actions = [one.event for one in refused if isinstance(one.event, Action)]
        assert [(one.action, one.stage, one.code) for one in actions] == [
            ("reject", "MAIL", 451),
            ("reject", "MAIL", 421),
        ]

    anyio.run(main)


def test_a_client_may_hang_up_after_the_end(tmp_path: Path) -> None:
    wrong: list[dict[str, object]] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: wrong.append(told))
        client = smtplib.SMTP(timeout=60, local_hostname="client.example")
        async with relays(tmp_path) as found:
            port = found.ports[OUT.name]
            await anyio.to_thread.run_sync(client.connect, "127.0.0.1", port)
            await anyio.to_thread.run_sync(client.ehlo)
        client.close()
        await anyio.sleep(0.2)  # the loop hears of it

    anyio.run(main)
    assert wrong == []


def test_a_stranger_to_the_route_table_is_denied(tmp_path: Path) -> None:
    async def main() -> None:
        async with relays(tmp_path) as found:
            with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
                await give(found.ports[MX.name], ["who@elsewhere.example"])
            [(code, _)] = refused.value.recipients.values()
            assert code == 554

    anyio.run(main)


@pytest.mark.parametrize(
    ("answers", "dsn", "text"),
    [
        ({"RCPT": HANG_UP}, "4.4.2", "lost connection with mx1.demo.example[192.0.2.21] while sending RCPT TO"),
        (
            {"MAIL": "451 4.7.1 later"},
            "4.7.1",
            "host mx1.demo.example[192.0.2.21] said: 451 4.7.1 later (in reply to MAIL FROM command)",
        ),
        (
            {"DOT": "452 4.3.1 full"},
            "4.3.1",
            "host mx1.demo.example[192.0.2.21] said: 452 4.3.1 full (in reply to end of DATA command)",
        ),
    ],
)  # fmt: skip
def test_a_next_relay_that_fails_for_now(answers: Script, dsn: str, text: str) -> None:
    async def main() -> None:
        async with peer(answers) as server:
            handover = Handover(MX.peer, server.port, OUT.full_name)
            go = partial(handover.go, SENDER, (DELIVERED, DEFERRED), MAIL)
            handed = await anyio.to_thread.run_sync(go)
        assert handed.deferred == (DELIVERED, DEFERRED)
        assert {(end.dsn, end.text) for end in handed.ends.values()} == {(dsn, text)}
        assert handed.refused == {}

    anyio.run(main)


def test_a_next_relay_that_is_not_there() -> None:
    async def main() -> None:
        async with peer() as server:
            port = server.port
        handed = await anyio.to_thread.run_sync(
            Handover(MX.peer, port, OUT.full_name).go, SENDER, (DELIVERED,), MAIL
        )
        [end] = handed.ends.values()
        assert (end.relay, end.dsn, end.status) == ("none", "4.4.1", "deferred")
        assert end.text == "connect to mx1.demo.example[192.0.2.21]:25: Connection refused"

    anyio.run(main)
