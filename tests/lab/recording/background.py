"""Ordinary mail, so that the stories have to be found among others."""

import random
import time
from collections.abc import Iterator

from .mail import Mail, Sent, connect, hand_in

PEOPLE = ("alice", "bob", "dave", "erin", "grace")
OUTSIDE = (
    "mia@example.net",
    "noah@example.net",
    "orders@example.com",
    "press@example.com",
    "lea@example.net",
)
WORDS = (
    "Agenda",
    "Invoice",
    "Re: Agenda",
    "Order",
    "Status",
    "Draft",
    "Re: Status",
    "Schedule",
    "Notes",
    "Question",
)


def sessions(count: int, seed: int) -> Iterator[list[Mail]]:
    """Groups of one to three mails that go over one connection, `count` mails in all."""
    dice = random.Random(seed)
    number = 0
    while number < count:
        size = min(dice.choice((1, 1, 1, 2, 3)), count - number)
        kind = dice.choices((_outgoing, _incoming, _internal), (4, 3, 2))[0]
        how = {"via": dice.choice("12"), "sender": dice.choice(PEOPLE) + "@example.test"}
        yield [kind(number + index + 1, how, dice) for index in range(size)]
        number += size


def _outgoing(number: int, how: dict[str, str], dice: random.Random) -> Mail:
    client, port = dice.choice((("pc1", 25), ("pc1", 587), ("pc2", 587)))
    to = (dice.choice(OUTSIDE),)
    return Mail(
        *_named(number, to, dice),
        sender=how["sender"],
        via="csmail" + how["via"],
        client=client,
        port=port,
    )


def _incoming(number: int, how: dict[str, str], dice: random.Random) -> Mail:
    client, domain = (
        ("relay-net", "example.net") if how["sender"] < "c" else ("relay-org", "example.org")
    )
    to = tuple(f"{each}@example.test" for each in dice.sample(PEOPLE, dice.choice((1, 1, 1, 2))))
    sender = f"news{number % 7}@{domain}"
    return Mail(*_named(number, to, dice), sender=sender, via="csmx" + how["via"], client=client)


def _internal(number: int, how: dict[str, str], dice: random.Random) -> Mail:
    to = tuple(f"{each}@example.test" for each in dice.sample(PEOPLE, dice.choice((1, 1, 2))))
    return Mail(*_named(number, to, dice), sender=how["sender"], via="csmail" + how["via"])


def _named(
    number: int, to: tuple[str, ...], dice: random.Random
) -> tuple[str, tuple[str, ...], str]:
    return f"background-{number:03d}", to, f"{dice.choice(WORDS)} {number}"


def play(count: int, seconds: float, seed: int = 2026) -> list[Sent]:
    """Hand in `count` mails, spread over that time."""
    sent: list[Sent] = []
    groups = list(sessions(count, seed))
    pause = seconds / len(groups)
    for number, mails in enumerate(groups):
        until = time.monotonic() + pause
        if number % 15 == 7:
            # A monitoring probe: it connects, says EHLO and goes.
            connect(mails[0]).quit()
        sent += hand_in(mails)
        time.sleep(max(0.0, until - time.monotonic()))
    return sent
