"""What would be false: each sentence of a scenario's `forbidden` list as an assert on the answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.story import said, stories, story

Answer = dict[str, Any]
Check = Callable[[Answer], bool]


def hops(answer: Answer) -> list[dict[str, Any]]:
    return [hop for trace in answer["traces"] for hop in trace["hops"]]


def recipients(answer: Answer) -> list[dict[str, Any]]:
    return [one for trace in answer["traces"] for one in trace["recipients"]]


def attempts(answer: Answer) -> list[dict[str, Any]]:
    return [one for hop in hops(answer) for one in hop["attempts"]]


def links(answer: Answer) -> list[dict[str, Any]]:
    return [link for trace in answer["traces"] for link in trace["links"]]


def ids(answer: Answer) -> set[str | None]:
    return {hop["queue_id"] for hop in hops(answer)}


def outcomes(answer: Answer) -> dict[str | None, str]:
    return {one["recipient"]: one["outcome"] for one in recipients(answer)}


def ends(answer: Answer) -> set[str]:
    return {one["end"] for one in recipients(answer)}


def no_links(answer: Answer) -> bool:
    return not [link for link in links(answer) if link["to"] is not None]


def one_hop(answer: Answer) -> bool:
    return len(hops(answer)) == 1 and no_links(answer)


def counted(answer: Answer, statuses: list[str]) -> bool:
    return [one["status"] for one in attempts(answer)] == statuses


FORBIDDEN: dict[str, dict[str, Check]] = {
    "01": {"infer later mailbox reads": lambda a: one_hop(a) and len(attempts(a)) == 1},
    "02": {
        "call remote acceptance a mailbox delivery": lambda a: ends(a) == {"outside"},
        "create a local queue from REMOTE02": lambda a: ids(a) == {"02A1B2C3D4"} and no_links(a),
    },
    "03": {
        "invent a client IP or SASL account": lambda a: all(
            "login" not in hop and hop["client"] == "uid 1001" for hop in hops(a)
        )
    },
    "04": {
        "mark whole queue as successful or failed": lambda a: a["traces"][0]["outcome"] == "mixed",
        "collapse the attempts": lambda a: counted(a, ["sent", "deferred", "bounced"]),
    },
    "05": {
        "assign the rejected RCPT to 05A1B2C3D4 as proven": lambda a: (
            no_links(a)
            and [one["queue_id"] for one in recipients(a) if one["outcome"] == "rejected"] == [None]
        )
    },
    "06": {
        "create a queue named NOQUEUE": lambda a: ids(a) == {None},
        "report a later delivery": lambda a: attempts(a) == [] and ends(a) == {"none"},
    },
    "07": {
        "discard the deferred attempt": lambda a: counted(a, ["deferred", "sent"]),
        "infer mailbox delivery": lambda a: ends(a) == {"outside"},
    },
    "08": {
        "overwrite or merge the two deferred attempts": lambda a: (
            counted(a, ["deferred", "deferred", "sent"])
            and [one["dsn"] for one in attempts(a)] == ["4.4.1", "4.2.0", "2.0.0"]
        )
    },
    "09": {
        "treat NDN delivery as delivery of the original": lambda a: (
            outcomes(a) == {"missing@example.net": "bounced"}
        )
    },
    "10": {
        "claim the NDN reached the sender": lambda a: (
            [one["outcome"] for one in a["traces"][0]["notices"]] == ["unknown"]
        ),
        "turn the deferral into a permanent remote rejection": lambda a: (
            outcomes(a) == {"bob@example.net": "expired"}
        ),
    },
    "11": {
        "call the filter acceptance final": lambda a: recipients(a)[0]["queue_id"] == "11F1B2C3D4",
        "erase either queue": lambda a: ids(a) == {"11A1B2C3D4", "11F1B2C3D4"},
    },
    "12": {
        "create a confirmed target from the reply alone": lambda a: (
            ids(a) == {"12A1B2C3D4"}
            and no_links(a)
            and all(link["confidence"] != "proven" for link in links(a))
        ),
        "claim final delivery": lambda a: set(outcomes(a).values()) == {"unknown"},
    },
    "13": {
        "merge generations": lambda a: len(a["traces"]) == 2 and len(hops(a)) == 2,
        "apply later sender to first generation": lambda a: (
            {(trace["sender"], trace["recipients"][0]["recipient"]) for trace in a["traces"]}
            == {
                ("alice@example.org", "first@example.org"),
                ("carol@example.net", "second@example.com"),
            }
        ),
    },
    "14": {
        "fuse on ID equality": lambda a: (
            len(a["traces"]) == 2 and sorted(hop["host"] for hop in hops(a)) == ["mx-a", "mx-b"]
        ),
        "invent an interhost transfer": no_links,
    },
    "15": {
        "merge by Message-ID alone": lambda a: (
            len(a["traces"]) == 2
            and no_links(a)
            and all(len(trace["hops"]) == 1 for trace in a["traces"])
        )
    },
    "16": {
        "drop the late cleanup": lambda a: (
            a["traces"][0]["message_id"] == "late-cleanup-16@example.org"
        ),
        "use file order as proof": lambda a: hops(a)[0]["arrived"] < attempts(a)[0]["at"],
    },
    "17": {
        "invent sender or Message-ID": lambda a: (
            a["traces"][0]["sender"] is None and a["traces"][0]["message_id"] is None
        ),
        "turn removed into proof of delivery or bounce": lambda a: (
            set(outcomes(a).values()) == {"unknown"}
        ),
    },
    "18": {"invent a Dovecot observation": lambda a: one_hop(a) and len(attempts(a)) == 1},
    "19": {
        "misclassify as remote SMTP": lambda a: (
            ends(a) == {"mailbox"} and attempts(a)[0]["agent"] == "virtual"
        )
    },
    "20": {"claim downstream processing": lambda a: ends(a) == {"pipe"} and one_hop(a)},
    "21": {
        "replace the recipient by orig_to": lambda a: (
            attempts(a)[0]["recipient"] == "bob@example.org"
            and attempts(a)[0]["original_recipient"] == "sales@example.org"
        ),
        "call remote acceptance mailbox delivery": lambda a: ends(a) == {"outside"},
    },
    "22": {
        "render or execute log fields": lambda a: (
            not any(
                mark in str({**trace, "untrusted": None})
                for trace in a["traces"]
                for mark in ("<script", "<svg", "alert(")
            )
        ),
        "treat the reject as queued": lambda a: (
            [one["queue_id"] for one in recipients(a) if one["outcome"] == "rejected"] == [None]
        ),
    },
    "23": {
        "split because the file or PID changed": lambda a: len(a["traces"]) == 1 and one_hop(a),
        "count a line twice": lambda a: counted(a, ["deferred", "sent"]),
    },
    "24": {
        "double count": lambda a: counted(a, ["sent"]),
        "assume duplicates without evidence": lambda a: a["coverage"]["hosts"][0]["lines"] == 3,
    },
    "26": {
        "normalise not-a-dsn": lambda a: [one["dsn"] for one in attempts(a)] == [None, "2.0.0"],
        "crash or drop malformed records": lambda a: counted(a, ["deferred", "sent"]),
    },
    "27": {
        "treat the offset as UTC": lambda a: hops(a)[0]["arrived"].startswith(
            "2026-10-03T10:26:00"
        ),
        "take the NILVALUE for message text": lambda a: (
            a["traces"][0]["message_id"] == "rfc5424-27@example.org"
        ),
    },
    "28": {"assign both to 2026": lambda a: attempts(a)[0]["at"].startswith("2026-12-31T23:00:01")},
    "29": {"unbounded allocation or crash": lambda a: len(str(a)) < 60_000},
    "30": {
        "commit a partial line": lambda a: attempts(a) == [] and "sent" not in outcomes(a).values(),
        "advance the offset beyond it": lambda a: a["coverage"]["hosts"][0]["files"] != [],
    },
}


@pytest.mark.parametrize("number", sorted(FORBIDDEN))
def test_nothing_false_is_claimed(number: str, tmp_path: Path) -> None:
    scenario = story(f"queueatlas-{number}")
    assert set(FORBIDDEN[number]) == set(scenario.expected["forbidden"])
    for ask in scenario.expected["asks"]:
        answer = said(scenario.answer(ask, tmp_path))
        for claim, holds in FORBIDDEN[number].items():
            assert holds(answer), (claim, answer)


def test_every_scenario_has_its_forbidden_claims() -> None:
    numbers = {one.name.split("-")[1] for one in stories("queueatlas-")}
    assert numbers == set(FORBIDDEN)
    assert len(numbers) == 29
