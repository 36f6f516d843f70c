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


LONG = "S3CRETpassw0rd"
WORD = b64encode(b"\0user\0" + LONG.encode()).decode()


def echoed() -> list[str]:
    """How a server may say a password back."""
    return [
        f"bad: AUTH PLAIN {WORD}",
        f"bad: {WORD[:-5]}...",
        f"bad: ...{WORD[9:-2]}",
        f"5.7.8 bad {WORD[:12]}\n5.7.8 {WORD[12:]}",
        f"5.7.8 bad {LONG[:9]}\n5.7.8 {LONG[9:]} (for user)",
        f"5.7.8 bad {LONG[:4]}\n5.7.8 {LONG[4:8]}\n5.7.8 {LONG[8:]}",
        f"bad {LONG[:-1]}",
        f"bad {LONG[2:]}",
        f"bad {LONG.encode().hex()}",
        f"bad {LONG.encode().hex().upper()}",
        f"bad {' '.join(LONG)}",
        f"bad {LONG.encode().hex(' ')}",
        f"bad {' '.join(WORD)}",
        f"bad {LONG.replace('S', '=53')}",
        f"bad {LONG.upper()}{LONG.lower()}",
    ]


@pytest.mark.parametrize("text", echoed())
def test_what_is_cut_off_or_folded_is_hidden_too(text: str) -> None:
    dialogue = Dialogue(Mask(LONG))
    dialogue.said_in_auth((b"AUTH", b"PLAIN", WORD.encode()))
    dialogue.heard(535, text)
    shown = "".join("".join(line.text.split("5.7.8")) for line in dialogue.lines)
    shown = "".join(shown.split()).lower()
    for form in (LONG, WORD, LONG.encode().hex()):
        for at in range(len(form) - 5):
            assert form[at : at + 6].lower() not in shown
    read = dialogue.read(535, text)
    assert (read.code, "bad" in read.text) == (535, True)
    assert LONG[:6] not in read.text


def test_what_has_little_in_common_with_a_secret_stays() -> None:
    mask = Mask(LONG)
    for text in (
        "2.0.0 Ok: queued as 4F2A1B3C5D",
        "5.7.8 Username and Password not accepted. For more information, go to",
        "5.7.8 https://support.example.com/?p=BadCredentials s3cre passw",
    ):
        assert mask(text) == text


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
