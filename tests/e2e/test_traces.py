"""Every story, found among 2,000 other mails in each way one may ask for it, and told as it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from recording import load, stories

from tests.e2e.conftest import Server
from tests.e2e.journal import Journal
from tests.e2e.stage import Mail, Stage
from tests.e2e.truth import differences, trace_of

MOST = 20
# Above this a pair of addresses means too many mails: notices and other hosts' lines match, too.
FEW = 5
CROWDS = [{one.sender, one.recipient} for one in load.STREAMS]
# cleanup stopped reading at the Subject, before the Message-ID: no line has it.
WITHOUT_MESSAGE_ID = {"discard-header", "header-reject"}
# The log names no recipient; what it can be found by.
WITHOUT_RECIPIENT = {
    "client-dropped": ["<client-dropped@example.test>"],
    "too-big": ["<too-big@example.test>"],
    "too-big-announced": ["alice@example.test", "Message size exceeds fixed limit"],
}

Ask = dict[str, Any]


def asks(mail: Mail, oracle: tuple[Mail, ...]) -> Iterator[Ask]:
    """By message-id, by address, and by the queue ID of the first and of the last hop."""
    taken = any(one["outcome"] != "rejected" for one in mail["recipients"])
    named = taken and len(mail["message_id"]) > 2 and mail["story"] not in WITHOUT_MESSAGE_ID
    if named:
        yield {"message_id": mail["message_id"]}
    yield {"keywords": WITHOUT_RECIPIENT.get(mail["story"]) or _words(mail, oracle, named)}
    for host, queue_id in {
        tuple(one["path"][edge]) for one in mail["recipients"] for edge in (0, -1)
    }:
        if queue_id is not None:
            yield {"queue_id": queue_id, "host": host}


def _words(mail: Mail, oracle: tuple[Mail, ...], named: bool) -> list[str]:
    """The recipient, and what it takes beside that to mean few enough mails."""
    originals = [one["original_recipient"] for one in mail["recipients"]]
    recipient, sender = next(one for one in originals if one), mail["sender"]
    many = sum({recipient, sender} <= _people(other) for other in oracle) > FEW
    crowded = not sender or recipient == sender or {recipient, sender} in CROWDS
    return [recipient, mail["message_id"] if named and (many or crowded) else sender]


def _people(mail: Mail) -> set[str | None]:
    return {mail["sender"], *(one["original_recipient"] for one in mail["recipients"])}


@pytest.mark.parametrize("story", [mail.story for mail in stories.ALL])
def test_a_story_is_told_as_it_was(
    story: str, cluster: Stage, server: Server, journal: Journal
) -> None:
    mail = cluster.mails(story)
    wrong: list[str] = []
    trace = None
    for ask in asks(mail, cluster.oracle):
        answer = server.ask("trace_mail", limit=MOST, **ask)
        trace = trace_of(mail, answer["traces"])
        found = ["not found"] if trace is None else differences(mail, trace)
        wrong += [f"{ask}: {one}" for one in found]
    journal.note(mail, trace, not wrong)
    assert not wrong, "\n".join(wrong)


def test_background_mail_is_told_as_it_was(cluster: Stage, server: Server) -> None:
    """Ordinary mail too, a part of it: what is rare must not be right at its cost."""
    ordinary = [mail for mail in cluster.oracle if mail["story"].startswith("background")]
    wrong = []
    for mail in ordinary[::5]:
        answer = server.ask("trace_mail", message_id=mail["message_id"])
        trace = trace_of(mail, answer["traces"])
        found = ["not found"] if trace is None else differences(mail, trace)
        wrong += [f"{mail['story']}: {one}" for one in found]
    assert not wrong, "\n".join(wrong)


def test_the_same_id_twice_is_two_mails(cluster: Stage, server: Server) -> None:
    answer = server.ask("trace_mail", message_id="<sent-twice@example.test>")
    assert len(answer["traces"]) == 2
    for story in ("same-id-first", "same-id-second"):
        assert trace_of(cluster.mails(story), answer["traces"]) is not None


@pytest.mark.parametrize("story", ["three-fates", "alias-with-owner", "bounce-of-bounce"])
def test_the_command_line_says_the_same(story: str, cluster: Stage, server: Server) -> None:
    mail = cluster.mails(story)
    done = cluster.run("trace", "--message-id", mail["message_id"], "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert trace_of(mail, told["traces"]) is not None
    assert differences(mail, told["traces"][0]) == []
    assert told["traces"] == server.ask("trace_mail", message_id=mail["message_id"])["traces"]
    checked = cluster.run("trace", "--message-id", mail["message_id"], "--check")
    assert checked.returncode == (0 if story == "alias-with-owner" else 1)
    assert checked.stdout.startswith(told["summary"])
