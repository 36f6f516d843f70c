"""Which lines a term matches, and that matching is linear and the same for few and for many terms."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtrace_mcp.logs import Term, TermKind
from mailtrace_mcp.logs.match import MANY, Matcher, lines

from .conftest import DAY

CASES: list[tuple[TermKind, str, str, bool]] = [
    ("address", "bob@example.com", "to=<bob@example.com>,", True),
    ("address", "bob@example.com", "to=<BOB@Example.COM>,", True),
    ("address", "Bob@Example.com", "to=<bob@example.com>,", True),
    ("address", "bob@example.com", "to=bob@example.com, relay", True),
    ("address", "bob@example.com", "sasl_username=bob@example.com", True),
    ("address", "bob@example.com", "user 'bob@example.com' unknown", True),
    ("address", "bob@example.com", "sent to bob@example.com. Bye", True),
    ("address", "bob@example.com", "to=<jimbob@example.com>,", False),
    ("address", "bob@example.com", "to=<jim.bob@example.com>,", False),
    ("address", "bob@example.com", "to=<list+bob@example.com>,", False),
    ("address", "bob@example.com", "to=<bob@example.com.au>,", False),
    ("address", "bob@example.com", "to=<bob@example.community>,", False),
    ("address", "bob@example.com", "to=<ébob@example.com>,", False),
    ("address", "bob@example.com", "to=<xbob@example.com>, orig_to=<bob@example.com>", True),
    ("address", "dörte@example.com", "to=<DÖRTE@EXAMPLE.COM>,", True),
    ("address", "DÖRTE@example.com", "to=<dörte@example.com>,", True),
    ("address", "dörte@example.com", "to=<xdörte@example.com>,", False),
    ("address", "b.o*b@example.com", "to=<bxoob@example.com>,", False),
    ("domain", "example.com", "to=<bob@EXAMPLE.com>,", True),
    ("domain", "@example.com", "to=<bob@example.com>,", True),
    ("domain", "example.com", "orig_to=<@example.com:bob@other.example>", True),
    ("domain", "example.com", "sent by bob@example.com.", True),
    ("domain", "example.com", "relay=example.com[192.0.2.1]:25,", False),
    ("domain", "example.com", "relay=mail.example.com[192.0.2.1]:25,", False),
    ("domain", "example.com", "to=<bob@notexample.com>,", False),
    ("domain", "example.com", "to=<bob@example.com.au>,", False),
    ("domain", "example.com", "to=<example.com@other.example>,", False),
    ("domain", "例え", "to=<x@例え>", True),
    ("domain", "例え", "to=<x@例えば>", False),
    ("queue_id", "4jWjDr2dF0z1SDBV", "smtp[1]: 4jWjDr2dF0z1SDBV: to=<x>", True),
    ("queue_id", "4jWjDr2dF0z1SDBV", "(250 2.0.0 Ok: queued as 4jWjDr2dF0z1SDBV)", True),
    ("queue_id", "4jWjDr2dF0z1SDBV", "message-id=<4jWjDr2dF0z1SDBV@csmail1.example>", True),
    ("queue_id", "4jWjDr2dF0z1SDBV", "4jwjdr2df0z1sdbv: to=<x>", False),
    ("queue_id", "ABCDEF", "0ABCDEF: to=<x>", False),
    ("queue_id", "ABCDEF", "ABCDEF0: to=<x>", False),
    ("queue_id", "ABCDEF", "éABCDEF: to=<x>", False),
    ("queue_id", "ABCDEF", "ABCDEF0: x ABCDEF: y", True),
    ("queue_id", "1abcDE-0001-2b", "(250 OK id=1abcDE-0001-2b)", True),
    ("queue_id", "1abcDE-0001-2b", "(250 OK id=1abcDE-0001-2bX)", False),
    ("message_id", "a.b@example.com", "message-id=<a.b@example.com>", True),
    ("message_id", "a.b@example.com", "message-id=a.b@example.com", True),
    ("message_id", "a.b@example.com", "message-id=<A.b@example.com>", False),
    ("message_id", "a.b@example.com", "message-id=<xa.b@example.com>", False),
    ("message_id", "a.b@example.com", "message-id=<a.b@example.com.au>", False),
    ("message_id", "a.b@example.com", "message-id=<a.b@example.com=>", False),
    ("process", "postfix/smtp[12]", "Nov 21 01:02:03 mx1 postfix/smtp[12]: connect", True),
    ("process", "postfix/smtp[12]", "Nov 21 01:02:03 mx1 postfix/smtp[123]: connect", False),
    ("process", "postfix/smtp[12]", "Nov 21 01:02:03 mx1 x/postfix/smtp[12]: connect", False),
    ("process", "postfix/smtp[12]", "<22>1 2026-11-21T01:02:03Z mx1 postfix/smtp 12 - - x", True),
    ("literal", "250 2.0", "(250 2.0.0 Ok)", True),
    ("literal", "ok)", "(250 2.0.0 Ok)", False),
    ("literal", "a\nb", "a\nb", False),
    ("address", "", "to=<>", False),
    ("everything", "", "anything", True),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "shown", "matches"), CASES)
@pytest.mark.parametrize("crowd", [0, MANY])
def test_a_term_matches_a_line(
    kind: TermKind, text: str, shown: str, matches: bool, crowd: int
) -> None:
    """Alone, and among so many others that the other way of looking is taken."""
    others: list[Term] = [Term("queue_id", f"FFFFFF{n:04d}", DAY) for n in range(crowd)]
    wanted = Term(kind, text, DAY)
    block = b"first\n" + shown.encode() + b"\nlast\n"
    found = [hit for hit in Matcher([*others, wanted]).hits(block) if hit.start == 6]
    assert [hit.terms for hit in found] == ([(wanted,)] if matches else [])
    if found and "\n" not in shown:
        assert block[found[0].start : found[0].end] == shown.encode()


def test_hits_come_in_order_each_line_once_with_all_its_terms() -> None:
    both = [Term("queue_id", "BBBBBB", DAY), Term("address", "b@example.com", DAY)]
    block = b"x b@example.com\nBBBBBB: b@example.com BBBBBB\nno\nBBBBBB"
    hits = Matcher(both).hits(block)
    assert [(block[hit.start : hit.end], len(hit.terms)) for hit in hits] == [
        (b"x b@example.com", 1),
        (b"BBBBBB: b@example.com BBBBBB", 2),
        (b"BBBBBB", 1),
    ]


ALPHABET = st.sampled_from([b"A", b"B", b"-", b" ", b"\n", b"@", b".", b"<", b"=", b"\xff", b"\0"])


@given(st.lists(ALPHABET, max_size=60).map(b"".join), st.sampled_from(["A", "AB", "A-B", "A@B"]))
def test_many_terms_find_what_few_find(block: bytes, text: str) -> None:
    for kind in ("queue_id", "message_id"):
        term = Term(kind, text, DAY)
        crowd = [Term("queue_id", f"FFFFFF{n:04d}", DAY) for n in range(MANY)]
        assert Matcher([term]).hits(block) == Matcher([*crowd, term]).hits(block)


@given(st.binary(max_size=200))
def test_lines_lose_nothing(block: bytes) -> None:
    assert b"\n".join(block[start:end] for start, end in lines(block)) == block.removesuffix(b"\n")


@pytest.mark.parametrize(
    "piece", [b"a@", b"<a@b", b"AAAAAA ", b"postfix/smtp[", b"=a@a.a.", b"\xc3\xb6@", b"\0"]
)
def test_a_hostile_line_costs_time_in_proportion(piece: bytes) -> None:
    terms = [Term("address", "a@a.b", DAY), Term("address", "ö@ö.b", DAY), Term("domain", "a", DAY)]
    terms += [Term("queue_id", "AAAAAB", DAY), Term("message_id", "a@b.a", DAY)]
    terms += [Term("process", "postfix/smtp[1]", DAY)]
    matcher = Matcher(terms)

    def seconds(size: int) -> float:
        block = piece * (size // len(piece)) + b"\n"
        best = 9.9
        for _ in range(5):
            start = time.thread_time()
            matcher.hits(block)
            best = min(best, time.thread_time() - start)
        return best

    # A square of this length, at 1 ns a step, takes minutes; a ratio would measure the machine's load.
    assert seconds(512 * 1024) < 1.0


def test_thousands_of_ids_cost_little_more_than_a_few() -> None:
    chosen = random.Random(1)
    ids = [f"{chosen.randrange(16**11):011X}" for _ in range(8000)]
    block = b"".join(
        b"Nov 21 12:00:00 mx1 postfix/qmgr[7]: %s: removed\n" % one.encode() for one in ids
    )

    def seconds(count: int) -> float:
        matcher = Matcher([Term("queue_id", f"{n:011d}", DAY) for n in range(count)])
        start = time.thread_time()
        for _ in range(5):
            assert not matcher.hits(block)
        return time.thread_time() - start

    # Term by term it would be 500 times as long.
    assert seconds(8000) < 20 * seconds(MANY) + 0.5
