"""The keys of a block hold the key of every term that a close look finds in it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailtrace_mcp.logs import Term, TermKind
from mailtrace_mcp.logs.match import Matcher
from mailtrace_parsers.keys import (
    address_key,
    domain_key,
    keys,
    message_id_key,
    queue_id_key,
)
from tests.logs.conftest import DAY

KEY_OF: dict[TermKind, Callable[[bytes], bytes | None]] = {
    "address": address_key,
    "domain": domain_key,
    "queue_id": queue_id_key,
    "message_id": message_id_key,
}
IDS = ["4F2A1B3C5D", "3Pt2mN2VXxznjll", "4jWjDr2dF0z1SDBV", "DEADBEE", "12345678AB", "1234567890"]
PIECES = [
    *IDS, "ABCDEF", "bob", "Bob", "ex.com", "EX.com", "mx-1.ex.com", "x_y", "ö", "K", "é.de", "@", "@",
    ".", "..", "-", "_", "=", "+", "/", "<", ">", "[", "]", "(", ")", ":", ": ", ",", "'", '"', "`", "{",
    "|", " ", "\t", "\r", "\0", "\n", "0", "z", "\x85",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
ASKED = st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join)


@settings(max_examples=1500, deadline=None)
@given(TEXTS, ASKED, TEXTS, st.sampled_from(sorted(KEY_OF)), st.booleans())
@example("", "ex.com", "..", "domain", True)
@example("<", "Bob@ex.com", ".", "address", False)
@example("x=", "a=bob@ex.com", ">", "address", False)
@example("", "4F2A1B3C5D", "", "queue_id", False)
@example("message-id=<1.", "4F2A1B3C5D", "@mx>", "queue_id", False)
def test_whatever_a_term_finds_is_among_the_keys(
    before: str, asked: str, after: str, kind: TermKind, glued: bool
) -> None:
    gap = "" if glued else "<"
    block = (before + gap + asked + after).encode("utf-8", "surrogateescape")
    key = KEY_OF[kind](asked.encode("utf-8", "surrogateescape"))
    if key is not None and Matcher([Term(kind, asked, DAY)]).hits(block):
        assert key in keys(block)


@pytest.mark.parametrize(
    ("line", "kind", "text"),
    [
        (b"x postfix/smtp[1]: 4F2A1B3C5D: to=<bob@ex.com>", "queue_id", "4F2A1B3C5D"),
        (b"x postfix/smtp[1]: A: status=sent (250 Ok: queued as 3Pt2mN2VXxznjll)", "queue_id", "3Pt2mN2VXxznjll"),
        (b"x postfix/bounce[1]: A: sender non-delivery notification: 4F2A1B3C5D", "queue_id", "4F2A1B3C5D"),
        (b"client=x[192.0.2.1], orig_queue_id=4F2A1B3C5D, orig_client=y", "queue_id", "4F2A1B3C5D"),
        (b"x postfix/pickup[1]: A: uid=0 from=<root> orig_id=4F2A1B3C5D", "queue_id", "4F2A1B3C5D"),
        (b"status=sent (forwarded as 4F2A1B3C5D)", "queue_id", "4F2A1B3C5D"),
        (b"warning: open active 4F2A1B3C5D: No such file", "queue_id", "4F2A1B3C5D"),
        (b"to=<BOB@Ex.com>, orig_to=<x@y>", "address", "bob@ex.com"),
        (b"sasl_username=bob@ex.com", "address", "Bob@ex.com"),
        (b"sasl_username=bob@ex.com", "domain", "EX.com"),
        (b"unknown user: bob@ex.com.", "domain", "@ex.com"),
        (b"message-id=<A.b@ex.com>", "message_id", "A.b@ex.com"),
        (b"<bounces+1-2-x=ex.com@em1.ex.net>", "address", "bounces+1-2-x=ex.com@em1.ex.net"),
    ],
)  # fmt: skip
def test_where_a_log_names_it(line: bytes, kind: TermKind, text: str) -> None:
    assert Matcher([Term(kind, text, DAY)]).hits(line)
    assert KEY_OF[kind](text.encode()) in keys(line)


@pytest.mark.parametrize(
    "text", ["1234567890", "ABCDEF", "connect", "1abcDE-0001-2b", "d2e1a72fcca58"]
)
def test_numbers_and_other_servers_ids_are_left_to_a_search(text: str) -> None:
    assert queue_id_key(text.encode()) is None


def test_stamps_and_sizes_are_no_keys() -> None:
    line = b"2026-11-20T00:00:01.123456789+00:00 mx1 postfix/qmgr[1234567]: 4F2A1B3C5D: size=123456789\n"
    assert keys(line) == {b"4F2A1B3C5D"}


def test_letters_beyond_ascii_are_left_to_a_search_in_addresses_but_not_in_ids() -> None:
    assert address_key("dörte@ex.com".encode()) is None
    assert domain_key("müller.de".encode()) is None
    assert message_id_key("dörte@ex.com".encode()) in keys("<dörte@ex.com>".encode())


@pytest.mark.parametrize(
    "piece", [b"@", b"a@", b"ABCDEF1", b"ABCDEF1 ", b"@.", b"zzzzzzzzzzz", b"\xff@"]
)
def test_a_hostile_block_costs_time_in_proportion(piece: bytes) -> None:
    def seconds(size: int) -> float:
        block = piece * (size // len(piece))
        best = 9.9
        for _ in range(5):
            start = time.process_time()
            keys(block)
            best = min(best, time.process_time() - start)
        return best

    assert seconds(512 * 1024) < 2.6 * seconds(256 * 1024) + 0.01
