"""Reading is linear in the length of a line, whatever a stranger put into it (LL031–LL034, LL052)."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from mailtrace_parsers.events import Delivery
from mailtrace_parsers.read import LONGEST, read
from mailtrace_parsers.replies import reply
from tests.parsers.samples import CLOCK

HALF = LONGEST // 2
BEFORE = "to=<u@dst.test>, relay=r[1.1.1.1]:25, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent ("
REJECT = "NOQUEUE: reject: RCPT from x[1.2.3.4]: 554 5.7.1 <a@b>: no"
# What is repeated behind a daemon's tag, and by which daemon.
SHAPES = {
    f"{daemon} {begin[:30]}{piece[:30]}": (daemon, begin, piece)
    for daemon, begin, pieces in [
        ("smtp", "A1A1A1A1: to=<", ['"', '\\"', "\\", "<", ">", ">, ", ">, relay=", '"@x>, orig_to=<', ","]),
        ("smtp", 'A1A1A1A1: to=<"', ["\\", '\\\\"', '"', "x"]),
        ("smtp", "A1A1A1A1: to=<@", [":", ':"', "@a,", ">"]),
        ("smtp", f"A1A1A1A1: {BEFORE}", ["(", ")", "250 ", "250-", " 250 ", ", status=", ">, relay=a, status="]),
        ("smtp", f"A1A1A1A1: {BEFORE}250 2.0.0 ", ["Ok: queued as ", "a", "1", "<", "<a", "from MTA(", "OK  "]),
        ("smtp", f"A1A1A1A1: {BEFORE}host ", ["host ", "a[", " said: ", " (in reply to ", "]"]),
        ("smtp", "A1A1A1A1: ", ["relay=a[", "host a[1.1.1.1] said: ", "lost connection with ", "delivery temporarily "]),
        ("smtp", "A1A1A1A1: to=<a>, relay=", ["a, ", "a=b, ", "[", "]", "=", "x"]),
        ("smtp", "", ["250", "relay=a[", "connect to ", " ", ": ", "[", "Trusted TLS connection "]),
        ("smtpd", "A1A1A1A1: client=", ["a", "[", "]", ", "]),
        ("smtpd", "A1A1A1A1: client=a[1.1.1.1], sasl_username=", [", sasl_username=", ", x", ", ", "="]),
        ("smtpd", f"{REJECT}; from=<", ['"', "\\", "> to=<", "; from=<", " ", "<", "> proto=", "@:"]),
        ("smtpd", f"{REJECT}; from=<a> to=<b> proto=ESMTP helo=<", [">", "<", "> sasl_username=", ": "]),
        ("smtpd", "NOQUEUE: reject: RCPT from ", ["<", ": ", " from ", "; ", "[", "x"]),
        ("smtpd", "disconnect from a[1.1.1.1]", [" ehlo=1", " a", "="]),
        ("smtpd", "lost connection after ", ["DATA", " from ", " after "]),
        ("smtpd", "proxy-accept: END-OF-MESSAGE: 250 ", ["; from=<", "<", "Ok: queued as "]),
        ("cleanup", "A1A1A1A1: message-id=<", ["message-id=<", "<", ">", '"']),
        ("cleanup", "A1A1A1A1: hold: header ", [" from ", "; from=<", "x[1.1.1.1]; ", '"']),
        ("qmgr", "A1A1A1A1: from=<", [">, size=", ", nrcpt=1 (queue active)", '"', ">, status="]),
        ("pickup", "A1A1A1A1: uid=1 from=<", ["> orig_id=", ">", " from=<"]),
        ("postscreen", "", ["[", "PREGREET ", " from ", "NOQUEUE: reject: ", "COMMAND TIME LIMIT from "]),
        ("postsuper", "", ["Deleted: ", "1", " messages"]),
    ]
    for piece in pieces
}  # fmt: skip


def _line(daemon: str, begin: str, piece: str, length: int) -> bytes:
    head = f"Nov 21 04:14:42 mx1 postfix/{daemon}[1]: {begin}"
    return (head + piece * (length // len(piece)))[:length].encode()


# A square with the smallest step there is, 1 ns, takes a second for this length. What is done sooner
# than this is linear, and its ratio would only measure the clock.
SURELY_LINEAR = 2e-3


def _fastest(raw: bytes, best_of: int = 7) -> float:
    """The best of some runs in seconds of this thread's own processor time: others' load does not count."""
    times = []
    for _ in range(best_of):
        begin = time.thread_time()
        read(raw, CLOCK)
        times.append(time.thread_time() - begin)
    return min(times)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=list(SHAPES))
def test_twice_the_length_takes_twice_the_time(shape: tuple[str, str, str]) -> None:
    half, whole = _line(*shape, HALF), _line(*shape, LONGEST)
    ratios = []
    for _ in range(5):  # a machine under load may be unlucky more than once; a square never passes
        long = _fastest(whole)
        if long < SURELY_LINEAR:
            return
        ratios.append(long / _fastest(half))
        if ratios[-1] < 2.6:
            return
    pytest.fail(f"{min(ratios):.1f} times the time for twice the length")


@pytest.mark.parametrize(
    "line",
    [
        b"<22>1 2026-11-21T04:14:42Z mx1 postfix/smtp 1 - " + b"[" * LONGEST,
        b"<22>1 2026-11-21T04:14:42Z mx1 postfix/smtp 1 - " + b'[a b="\\' * LONGEST,
        b"Nov 21 04:14:42 mx1 " + b"x" * LONGEST,
        b"Nov 21 04:14:42 mx1 " + b"x:" * LONGEST,
        b"Nov 21 04:14:42 " + b"m" * LONGEST,
        b"Nov 21 04:14:42 mx1 postfix/smtpd[1]: message repeated 3 times: [ " + b"]" * LONGEST,
        b"<" * LONGEST,
        b"\xff" * LONGEST,
        b"\xe2\x80\xa8" * LONGEST,
        "２".encode() * LONGEST,
    ],
    ids=lambda line: repr(line[:60]),
)
def test_no_frame_takes_long(line: bytes) -> None:
    assert _fastest(line, best_of=3) < 0.1


@pytest.mark.parametrize(
    ("case", "text", "seconds"),
    [
        ("LL031", "relay=a[" * 2_500, 0.05),
        ("LL032", "message-id=<" * 100_000, 0.05),
        ("LL033", "to=<" + '"' * 100_000, 0.05),
        ("LL034", "250" * 700_000, 0.1),
    ],
)
def test_long_lines(case: str, text: str, seconds: float) -> None:
    raw = f"Nov 21 04:14:42 mx1 postfix/smtp[1]: A1A1A1A1: {text}".encode()

    assert _fastest(raw, best_of=3) < seconds
    assert read(raw, CLOCK).raw == raw


def test_a_long_answer_from_our_own_client_is_read_as_fast() -> None:
    """send/ gives replies.py what a server said, without a line's limit."""
    for piece in ("250 ", "250-", "Ok: queued as ", "a", "from MTA([1]:1): 250 "):
        begin = time.thread_time()
        reply("250 2.0.0 " + piece * (1_000_000 // len(piece)))
        assert time.thread_time() - begin < 0.5, piece


def test_ll052_a_line_of_ten_megabytes() -> None:
    raw = (f"Nov 21 04:14:42 mx1 postfix/smtp[1]: A1A1A1A1: {BEFORE}" + "x" * 10_000_000).encode()
    tracemalloc.start()
    entry = read(raw, CLOCK)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 5_000_000
    assert entry.raw is raw
    assert isinstance(entry.event, Delivery)
    assert entry.event.truncated
