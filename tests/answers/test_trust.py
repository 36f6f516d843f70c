"""What may stand in a trusted field, and how other text is shown (SAFETY.md 8, TOOLS.md "Answers")."""

from __future__ import annotations

import sys
import unicodedata
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtrace_mcp.answers import trust
from mailtrace_mcp.answers.screen import NOTHING, Screen, Shown
from mailtrace_parsers.events import Peer

ADDRESSES = [
    "bob@example.com",
    "bob+tag=x@mail-1.example.co.uk",
    "o'neil!#$%&*+-/=?^_`{|}~@example.com",
    "jörg@müller.example",
    "用户@例え.テスト",
    '"john.smith"@example.com',
    '"john..smith"@example.com',
    "postmaster",
    "bob@[192.0.2.1]",
    "bob@[IPv6:2001:db8::1]",
    "bob@example.com.",
    "a" * 242 + "@example.com",
]
NO_ADDRESSES = [
    "",
    "a" * 243 + "@example.com",
    "john smith@example.com",
    '"john smith"@example.com',
    "bob@example.com IGNORE ALL",
    "bob@exa mple.com",
    "<bob@example.com>",
    "bob@example.com,eve@example.com",
    "bob@@example.com",
    "bob@",
    "@example.com",
    "bob..x@example.com",
    ".bob@example.com",
    "bob@example..com",
    "bob@-",
    "bob\u202e@example.com",
    "bob\u3164@example.com",
    "bob\ufe0f@example.com",
    "bob@example.com\n",
    "bob\x00@example.com",
    "bob\udcff@example.com",
    "bob@[evil]",
    "bob@[fe80::1%25;]",
    '"bob"x"@example.com',
    "bob(comment)@example.com",
    "bob@<b>.example",
]


@pytest.mark.parametrize("text", ADDRESSES)
def test_a_plain_address(text: str) -> None:
    assert trust.address(text)


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_no_plain_address(text: str) -> None:
    assert not trust.address(text)


@pytest.mark.parametrize(
    "text", ["1@x", "20260127.4F2A1B3C5D@mail.example.com", "a$b%c@[192.0.2.1]", "a" * 248 + "@x"]
)
def test_a_plain_message_id(text: str) -> None:
    assert trust.message_id(text)


@pytest.mark.parametrize(
    "text", ["", "x", "<1@x>", "1 2@x", "1@x y", "a" * 249 + "@x", "1@x\u2028", "1@", "@x"]
)
def test_no_plain_message_id(text: str) -> None:
    assert not trust.message_id(text)


@pytest.mark.parametrize(
    "text", ["mx1.example.com", "local", "mail_list", "192.0.2.1", "2001:db8::1", "a-b", "x" * 63]
)
def test_a_plain_host_name(text: str) -> None:
    assert trust.host_name(text)


@pytest.mark.parametrize(
    "text",
    ["", "mx 1", "mx1.", ".mx", "mx..x", "-mx", "x" * 64, "mх1", "mx1\n", "fe80::1%a;b", "mx1<b>",
     "a." * 127 + "aa"],
)  # fmt: skip
def test_no_plain_host_name(text: str) -> None:
    assert not trust.host_name(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, 100 %", "plain text, 100 %"),
        ("a\tb\r\nc", "a\\u{9}b\\u{d}\\u{a}c"),
        ("\x1b[31m", "\\u{1b}[31m"),
        ("a\u2028b\u202ec\u200dd\u00a0e", "a\\u{2028}b\\u{202e}c\\u{200d}d\\u{a0}e"),
        ("\udcff\U000e0041", "\\u{dcff}\\u{e0041}"),
        ("x\ufe0f\u3164\U000e0100", "x\\u{fe0f}\\u{3164}\\u{e0100}"),
        ("für 漢字", "für 漢字"),
    ],
)
def test_clean_makes_the_hidden_visible(text: str, shown: str) -> None:
    assert trust.clean(text) == shown


@given(st.text(alphabet=st.characters(), max_size=2000), st.integers(1, 600))
def test_clean_is_one_short_line_of_visible_characters(text: str, limit: int) -> None:
    shown = trust.clean(text, limit)
    assert len(shown) <= limit
    assert all(char == " " or unicodedata.category(char)[0] not in "CZ" for char in shown)
    shown.encode()


def test_clean_of_a_long_text_is_quick_and_cut() -> None:
    assert trust.clean("\x00" * 10_000_000) == "\\u{0}" * 102 + "…"
    assert trust.clean("a" * 512) == "a" * 512
    assert trust.clean("a" * 513) == "a" * 511 + "…"


def test_every_code_point_that_clean_lets_through_is_visible() -> None:
    passed = [
        chr(code) for code in range(sys.maxunicode + 1) if trust.clean(chr(code)) == chr(code)
    ]
    assert {unicodedata.category(char)[0] for char in passed} == set("LMNPSZ")
    assert [char for char in passed if unicodedata.category(char)[0] == "Z"] == [" "]


@given(st.text(max_size=300))
def test_what_is_trusted_needs_no_cleaning(text: str) -> None:
    for check in (trust.address, trust.message_id, trust.host_name):
        if check(text):
            assert trust.clean(text) == text
            assert " " not in text


def test_codes_ids_and_words() -> None:
    assert trust.enhanced_code("5.7.1") == "5.7.1"
    assert trust.enhanced_code("5.7.1 IGNORE") is None
    assert trust.queue_id("4F2A1B3C5D") == "4F2A1B3C5D"
    assert trust.queue_id("statistics") is None
    assert trust.label("postfix/submission") == "postfix/submission"
    assert trust.label("postfix submission") is None
    assert trust.daemon("smtp") == "smtp"
    assert trust.daemon("Smtp;") is None
    assert trust.status("SOFTBOUNCE") == "SOFTBOUNCE"
    assert trust.status("fine") is None
    assert trust.reply_code(550) == 550
    assert trust.reply_code(99) is None
    assert trust.tls("TLSv1.3 with x\x00") is None


def test_the_screen_keeps_what_is_not_plain_once_and_says_where_it_stood() -> None:
    screen = Screen(count(1), ["Bob@Example.com", "A b@Asked.example"])
    assert screen.address("bob@example.com", "here") == Shown("bob@example.com", None)  # as logged
    assert screen.address("a b@asked.example", "here") == Shown("A b@Asked.example", None)
    assert screen.address("", "here") == Shown("", None)
    assert screen.address(None, "here") == NOTHING
    assert screen.address("a b@x", "recipient at csmail1") == Shown(None, "u1")
    assert screen.address("a b@x", "recipient at csmx1") == Shown(None, "u1")
    assert screen.message_id("no id", "csmail1") == Shown(None, "u2")
    [first, second] = screen.untrusted
    assert (first.ref, first.where, first.text) == ("u1", "address, recipient at csmail1", "a b@x")
    assert (second.ref, second.text) == ("u2", "no id")


def test_a_screen_that_keeps_nothing_gives_no_refs() -> None:
    screen = Screen(count(1), keep=False)
    assert screen.address("a b@x", "here") == NOTHING
    assert screen.untrusted == ()


def test_a_client_is_named_by_its_address_where_its_name_is_not_plain() -> None:
    screen = Screen(count(1))
    assert (
        screen.client(Peer("mx.example", "192.0.2.1", 25), "here").value == "mx.example[192.0.2.1]"
    )
    assert screen.client(Peer("m x", "192.0.2.1"), "here") == Shown("unknown[192.0.2.1]", "u1")
    assert screen.client(Peer("unknown", None), "here").value == "unknown"


def test_an_address_of_the_question_is_shown_as_asked_but_never_raw() -> None:
    asked = "bob\u202e@example.com"
    screen = Screen(count(1), [asked])
    assert screen.address(asked, "here") == Shown("bob\\u{202e}@example.com", None)
