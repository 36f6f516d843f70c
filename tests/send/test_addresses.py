"""Addresses as people, agents and attackers write them: TA… of data/bad_inputs.jsonl."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtrace_mcp.errors import MailtraceError
from mailtrace_mcp.send.addresses import address, distinct, expanded, same_domain

REFUSED = [
    ("TA072", "a@lab.example\r\nBcc: evil@x", "INVALID_ARGUMENT", "line break"),
    ("TA073", "a@lab.example\nRCPT TO:<evil@x>", "INVALID_ARGUMENT", "line break"),
    ("TA074", "a@lab.example>, <evil@x", "INVALID_ARGUMENT", "blank"),
    ("TA074b", "a@lab.example>,<evil@x", "INVALID_ARGUMENT", "one per list element"),
    ("TA075", "a@lab.example,evil@x.org", "INVALID_ARGUMENT", "one per list element"),
    ("TA075b", "a@lab.example;evil@x.org", "INVALID_ARGUMENT", "one per list element"),
    ("TA076", "a@lab.example> SIZE=1", "INVALID_ARGUMENT", "blank"),
    ("TA079", "a@[127.0.0.1]", "NOT_ALLOWED", "by its address"),
    ("TA079b", "a@[IPv6:::1]", "NOT_ALLOWED", "by its address"),
    ("TA080", "a%evil.org@lab.example", "INVALID_ARGUMENT", "passed on"),
    ("TA081", "@evil.org:a@lab.example", "INVALID_ARGUMENT", "source route"),
    ("TA082", "evil!a@lab.example", "INVALID_ARGUMENT", "passed on"),
    ("TA084", "-oQ/tmp@lab.example", "INVALID_ARGUMENT", "begins with '-'"),
    ("pipe", "|id@lab.example", "INVALID_ARGUMENT", r"begins with '\|'"),
    ("file", "/etc/passwd@lab.example", "INVALID_ARGUMENT", "begins with '/'"),
    ("TA085", "a" * 65 + "@lab.example", "INVALID_ARGUMENT", "64 octets"),
    ("octets", "ä" * 33 + "@lab.example", "INVALID_ARGUMENT", "64 octets"),
    ("long", "a@" + "x" * 260, "INVALID_ARGUMENT", "254"),
    ("two at", "a@b@lab.example", "INVALID_ARGUMENT", "one plain address"),
    ("quoted", '"a b"@lab.example', "INVALID_ARGUMENT", "blank"),
    ("quoted plain", '"a"@lab.example', "INVALID_ARGUMENT", "quotes"),
    ("brackets", "<a@lab.example>", "INVALID_ARGUMENT", "<"),
    ("name", "Ann <a@lab.example>", "INVALID_ARGUMENT", "blank"),
    ("comment", "a(x)@lab.example", "INVALID_ARGUMENT", "plain address"),
    ("no at", "lab.example", "INVALID_ARGUMENT", "name@domain"),
    ("empty", "", "INVALID_ARGUMENT", "name@domain"),
    ("no local part", "@lab.example", "INVALID_ARGUMENT", "source route"),
    ("no domain", "a@", "INVALID_ARGUMENT", "name@domain"),
    ("dots", "a..b@lab.example", "INVALID_ARGUMENT", "dot"),
    ("last dot", "a.@lab.example", "INVALID_ARGUMENT", "dot"),
    ("domain dots", "a@lab..example", "INVALID_ARGUMENT", "domain"),
    ("domain dot", "a@lab.example.", "INVALID_ARGUMENT", "domain"),
    ("domain dash", "a@-lab.example", "INVALID_ARGUMENT", "domain"),
    ("underscore", "a@la_b.example", "INVALID_ARGUMENT", "domain"),
    ("NUL", "a\0@lab.example", "INVALID_ARGUMENT", "invisible"),
    ("NEL", "a\x85b@lab.example", "INVALID_ARGUMENT", "invisible"),
    ("separator", "a\u2028@lab.example", "INVALID_ARGUMENT", "invisible"),
    ("bidi", "a\u202eb@lab.example", "INVALID_ARGUMENT", "invisible"),
    ("zero width", "a\u200bb@lab.example", "INVALID_ARGUMENT", "invisible"),
    ("half", "a\ud800b@lab.example", "INVALID_ARGUMENT", "invisible"),
    ("label too long", "a@" + "x" * 64 + ".example", "INVALID_ARGUMENT", "domain"),
    ("unicode too long", "a@" + "ä" * 64 + ".example", "INVALID_ARGUMENT", "domain"),
]


@pytest.mark.parametrize(("case", "text", "code", "words"), REFUSED, ids=[c[0] for c in REFUSED])
def test_refused(case: str, text: str, code: str, words: str) -> None:
    with pytest.raises(MailtraceError, match=words) as caught:
        address(text, "to")
    assert caught.value.code == code
    assert caught.value.message.startswith("to: ")
    assert caught.value.message.replace("…", "").isascii()
    assert len(caught.value.message) < 600


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("a@lab.example", "a@lab.example"),
        ("A.b+tag@LAB.Example", "A.b+tag@lab.example"),
        ("o'brien@lab.example", "o'brien@lab.example"),
        (
            "a@l\u0430b.example",
            "a@xn--lb-7kc.example",
        ),  # TA070: a Cyrillic letter is another domain
        ("a@lab\uff0eexample", "a@lab.example"),  # a full stop of full width is one
        ("a@xn--e1afmkfd.xn--p1ai", "a@xn--e1afmkfd.xn--p1ai"),
        ("пр@пример.рф", "пр@xn--e1afmkfd.xn--p1ai"),
        ("a@localhost", "a@localhost"),
    ],
)
def test_taken(text: str, spec: str) -> None:
    assert address(text, "to").spec == spec


def test_only_ascii_case_makes_no_difference() -> None:
    assert address("Bob@LAB.example", "to").key == address("bob@lab.example", "to").key
    # A Kelvin sign is no k, and ß is no ss: another mailbox.
    assert address("bo\u212a@lab.example", "to").key != address("bok@lab.example", "to").key
    assert address("stra\xdfe@lab.example", "to").key != address("strasse@lab.example", "to").key


def test_ta088_the_same_mailbox_is_taken_once_as_first_written() -> None:
    given_twice = [
        address(one, "to") for one in ("A@lab.example", "b@lab.example", "a@LAB.example")
    ]
    assert [one.spec for one in distinct(given_twice)] == ["A@lab.example", "b@lab.example"]


def test_ta067_ta068_a_domain_is_equal_or_another_one() -> None:
    lab = same_domain("LAB.example")
    for other in ("lab.example.evil.com", "evil-lab.example", "xlab.example", "l\u0430b.example"):
        assert same_domain(other) not in (lab, None)


def test_groups_stand_for_their_members() -> None:
    groups = {"seeds": ("p@one.example", "p@two.example")}
    found = expanded(["a@lab.example", "group:seeds"], groups, "to")
    assert found == ("a@lab.example", "p@one.example", "p@two.example")
    with pytest.raises(MailtraceError, match=r"cc: there is no group 'seed'.*mean 'seeds'"):
        expanded(["group:seed"], groups, "cc")


@given(st.text(max_size=300))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        found = address(text, "to")
    except MailtraceError as error:
        assert "\n" not in error.message
    else:
        assert found.domain.isascii()
        assert found.spec.count("@") == 1
        assert not any(char.isspace() or char in '<>,;:"\\%!' for char in found.spec)


@given(st.text(alphabet='a.-@%!<>:,;\u0430\r\n\0 |/"\\[]', max_size=40))
def test_hostile_letters_too(text: str) -> None:
    test_any_text_is_an_address_or_refused.hypothesis.inner_test(text)  # type: ignore[attr-defined]
