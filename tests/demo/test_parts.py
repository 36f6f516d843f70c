"""The pure parts of the demo: routes, queue IDs, delays, the throttle, the tree out of progress lines."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from mailtrace_mcp.demo.growing import Growing
from mailtrace_mcp.demo.logbook import counters, seconds
from mailtrace_mcp.demo.queue_ids import queue_id
from mailtrace_mcp.demo.sites import BOX, LOCAL, MX, OUT, Site
from mailtrace_mcp.demo.throttle import Throttle
from mailtrace_parsers.postfix.queue_id import is_queue_id

CLUSTER = Path(__file__).parents[2] / "fixtures" / "cluster"


@pytest.mark.parametrize(
    ("site", "recipient", "hop", "refusal"),
    [
        (OUT, "alice@demo.example", "mx1", None),
        (OUT, "who@elsewhere.example", "mx1", None),
        (MX, "alice@DEMO.example", "box1", None),
        (MX, "nobody@demo.example", "box1", None),
        (MX, "who@elsewhere.example", None, "554 5.7.1 <who@elsewhere.example>: Relay access denied"),
        (MX, "who@sub.demo.example", None, "554 5.7.1 <who@sub.demo.example>: Relay access denied"),
        (BOX, "Alice@demo.example", LOCAL, None),
        (BOX, "bob@demo.example", LOCAL, "452 4.2.2 <bob@demo.example>: Recipient address rejected: Mailbox is full"),
        (BOX, "nobody@demo.example", LOCAL, "550 5.1.1 <nobody@demo.example>: Recipient address rejected: User unknown in local recipient table"),
        (BOX, "no-domain", None, "554 5.7.1 <no-domain>: Relay access denied"),
    ],
)  # fmt: skip
def test_the_route_table(site: Site, recipient: str, hop: str | None, refusal: str | None) -> None:
    assert site.next_hop(recipient) == hop
    assert site.refusal(recipient) == refusal


def test_queue_ids_are_made_as_postfix_makes_them() -> None:
    """Real ones say when the queue file was made: just before the line that first names it."""
    seen = 0
    for line in (CLUSTER / "csmx1" / "mail.log").read_text().splitlines():
        found = re.match(r"(\S+) \S+ postfix/smtpd\[\d+\]: (\w+z\w+): client=", line)
        if found is None:
            continue
        at, real = datetime.fromisoformat(found[1]).astimezone(UTC), found[2]
        head = real.rpartition("z")[0]
        earlier = queue_id(at - timedelta(seconds=0.5), 1).rpartition("z")[0]
        assert (
            earlier <= head <= queue_id(at, 1).rpartition("z")[0]
        )  # the digits are in ASCII order
        seen += 1
    assert seen > 20


@pytest.mark.parametrize("inode", [0, 1, 50, 51, 1_970_201, 2**63])
def test_every_queue_id_is_one(inode: int) -> None:
    made = queue_id(datetime(2026, 11, 21, tzinfo=UTC), inode)
    assert is_queue_id(made)
    assert len(made.partition("z")[0]) == 10


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (0, "0"), (0.004, "0"), (0.034, "0.03"), (0.1, "0.1"), (0.707, "0.71"), (1.26, "1.3"), (2.0, "2"),
        (9.97, "10"), (20.4, "20"), (126, "126"),
    ],
)  # fmt: skip
def test_delays_have_two_digits(span: float, text: str) -> None:
    assert seconds(span) == text


def test_counters_of_a_session() -> None:
    told = counters({"ehlo": (1, 1), "mail": (1, 1), "rcpt": (1, 3), "quit": (1, 1)})
    assert told == "ehlo=1 mail=1 rcpt=1/3 quit=1 commands=4/6"


def test_the_throttle_takes_a_burst_and_then_an_even_flow() -> None:
    throttle = Throttle(per_minute=24, burst=2)  # one more every 2.5 seconds
    said = [throttle.refusal("a@demo.example", now) for now in (100, 100.1, 100.2, 100.3, 102.6)]
    codes = [one[:3] if one else None for one in said]
    assert codes == [None, None, "451", "421", None]
    assert throttle.refusal("a@demo.example", 102.7) is not None
    assert throttle.said == [451, 421, 451]
    late = [throttle.refusal("a@demo.example", 10_000) for _ in range(3)]
    assert [one is None for one in late] == [True, True, False]  # never more than the burst


def test_the_tree_out_of_progress_lines() -> None:
    told: list[str] = []

    async def main() -> None:
        growing = Growing(lambda *lines: told.extend(line[10:] for line in lines if line))
        for message in (
            "1 mail handled",
            "searched out1, 1 of 3",
            "out1 4A  10:00:00",
            "a recipient whom no line names: queued at out1 4A (it is in the queue)",
            "mx1 4B  10:00:01",  # seen before it is known from where it came
            "mx1 4B  10:00:01  relay after out1 4A",
            "mx1 4B  10:00:01  relay after mx1 4B",
            "a@demo.example: queued at mx1 4B (it is in the queue)",
            "b@demo.example: bounced at mx1 4B (refused for good)",
            "mx1 4C  10:00:02  bounce after mx1 4B",
            "box1 4D  10:00:02  relay after mx1 4B",
            "a@demo.example: sent at box1 4D",
            None,
        ):
            await growing(1, None, message)
        growing.draw()
        growing.draw()  # nothing new

    anyio.run(main)
    assert told == [
        "out1 4A  10:00:00",
        "└─ mx1 4B  10:00:01",
        "   ├─ b@demo.example: bounced (refused for good)",
        "   ├─ mx1 4C  10:00:02  [bounce]",
        "   └─ box1 4D  10:00:02",
        "      └─ a@demo.example: sent",
    ]
