"""Secrets out of texts."""

from __future__ import annotations

import hmac
from base64 import b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtrace_mcp.send.dialogue import Dialogue
from mailtrace_mcp.send.masking import Mask


@given(st.text(min_size=1, max_size=40), st.binary(max_size=7), st.binary(max_size=7))
def test_no_form_of_it_is_left(secret: str, before: bytes, after: bytes) -> None:
    try:
        raw = secret.encode()
    except UnicodeEncodeError:
        return
    mask = Mask(secret)
    forms = [secret, b64encode(raw).decode(), quote(secret), quote(secret, safe=""),
             quote_plus(secret)]  # fmt: skip
    text = " | ".join([*forms, *(form.lower() for form in forms)])
    shown = mask(f"| {text} |")
    if len(secret) > 1 and not set(secret) <= set("| *"):
        assert secret not in shown
    if len(raw) > 5:
        inside = b64encode(before + raw + after).decode()
        assert "****" in mask(inside)
    assert secret not in repr(mask) or secret in "Mask(****)"


def test_a_digest_of_a_challenge_is_hidden_too() -> None:
    dialogue = Dialogue(Mask("S3CRET"))
    digest = hmac.new(b"S3CRET", b"<1@x>", "md5").hexdigest()
    word = b64encode(f"user {digest}".encode())
    dialogue.said_in_auth((word,))
    dialogue.heard(535, f"no: {word.decode()} {digest}")
    assert [line.text for line in dialogue.lines] == ["****", "535 no: **** ****"]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ((b"AUTH", b"PLAIN", b"AHUAcA=="), "AUTH PLAIN ****"),
        ((b"AUTH", b"LOGIN", b"dQ=="), "AUTH LOGIN ****"),
        ((b"AUTH", b"CRAM-MD5"), "AUTH CRAM-MD5"),
        ((b"",), ""),
    ],
)
def test_what_we_say_in_auth(words: tuple[bytes, ...], shown: str) -> None:
    dialogue = Dialogue(Mask())
    dialogue.said_in_auth(words)
    assert dialogue.lines[0].text == shown


def test_a_dialogue_is_bounded() -> None:
    dialogue = Dialogue(Mask())
    for _ in range(1000):
        dialogue.heard(250, "x" * 10_000)
    assert len(dialogue.lines) == 201
    assert max(len(line.text) for line in dialogue.lines) == 2000


def test_times_add_up_and_the_latest_mail_stays() -> None:
    ticks = iter(range(100))
    dialogue = Dialogue(Mask(), lambda: float(next(ticks)))
    for stage in ("connect", "ehlo", "tls", "ehlo", "mail", "data", "mail", "data", "quit"):
        dialogue.begin(stage)
        dialogue.said(stage)
    dialogue.rest()
    dialogue.rest()
    assert [(one.stage, one.seconds) for one in dialogue.timings] == [
        ("connect", 1), ("ehlo", 2), ("tls", 1), ("mail", 1), ("data", 1), ("quit", 1)
    ]  # fmt: skip
    assert [line.text for line in dialogue.lines] == [
        "connect", "ehlo", "tls", "ehlo", "mail", "data", "quit"
    ]  # fmt: skip
