"""The load: smtp-source hands in mail by the thousand, through every first host, while stories go on.

These mails carry no mark: no oracle knows them, they are what the stories have to be found among.
"""

import subprocess
import time
from dataclasses import dataclass

from maillab.errors import LabError
from maillab.hosts import host

BATCH = 20
BYTES = 1500


@dataclass(frozen=True)
class Stream:
    """Mail of one kind; the senders and recipients are people whom the stories know, too."""

    via: str
    port: int
    sender: str
    recipient: str


# Straight out; one hop and the box; through the filter; three hops, by two ways.
STREAMS = (
    Stream("csmail1", 25, "alice@example.test", "orders@example.com"),
    Stream("csmail2", 587, "bob@example.test", "friend@example.net"),
    Stream("csmx1", 25, "anna@example.net", "alice@example.test"),
    Stream("csmx2", 25, "anna@example.net", "bob@example.test"),
    Stream("csmail1", 587, "alice@example.test", "dave@example.test"),
)


def play(count: int, seconds: float) -> int:
    """Hand in `count` mails in small batches spread over that time; gives how many were taken.

    Runs in the lab's network. LabError if one is refused: each of them has to be taken.
    """
    batches = [BATCH] * (count // BATCH) + ([count % BATCH] if count % BATCH else [])
    pause = seconds / max(1, len(batches))
    for number, size in enumerate(batches):
        until = time.monotonic() + pause
        _hand_in(STREAMS[number % len(STREAMS)], size)
        time.sleep(max(0.0, until - time.monotonic()))
    return sum(batches)


def _hand_in(stream: Stream, size: int) -> None:
    server = f"{host(stream.via).addresses[0].ip4}:{stream.port}"
    numbers = ["-s", "2", "-m", str(size), "-l", str(BYTES)]
    people = ["-f", stream.sender, "-t", stream.recipient]
    # Its own name in HELO and in the message-ids, not the outer machine's.
    command = ["smtp-source", "-M", "tester.example.test", *numbers, *people, server]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise LabError(f"`{' '.join(command)}` failed: {done.stderr}")
