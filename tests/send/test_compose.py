"""A plan into bytes: what the mail says, and what it cannot be made to say."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.message import EmailMessage
from timeit import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtrace_mcp.errors import MailtraceError
from mailtrace_mcp.send.addresses import address
from mailtrace_mcp.send.compose import Pattern, compose
from mailtrace_mcp.send.drafts import notices
from mailtrace_mcp.send.extras import Attachment, Extras
from mailtrace_mcp.send.marks import Marks
from mailtrace_mcp.send.reparse import Planned, check_names, check_whole

from .conftest import AT, UNIQUE, mail, plan

NAMES = ["Date", "Message-ID", "X-Mailtrace-Id", "From", "To", "Subject", "Auto-Submitted",
         "Content-Type", "Content-Transfer-Encoding", "MIME-Version"]  # fmt: skip


def header(data: bytes, name: str) -> str | None:
    found = message_from_bytes(data, policy=policy.SMTPUTF8)[name]
    return None if found is None else str(found)


def test_the_usual_mail() -> None:
    one = mail("a@lab.example", "b@lab.example")
    text = one.data.decode("ascii")
    head, _, body = text.partition("\r\n\r\n")
    assert re.findall(r"^([A-Za-z-]+):", head, re.M) == NAMES
    assert "\n" not in text.replace("\r\n", "")
    assert header(one.data, "Subject") == f"Test 2026-11-21 15:04:05 – Mailtrace {UNIQUE}"
    assert one.subject == header(one.data, "Subject")
    assert one.message_id == f"{UNIQUE}@lab.example"
    assert header(one.data, "Message-ID") == f"<{one.message_id}>"
    assert header(one.data, "X-Mailtrace-Id") == UNIQUE
    assert header(one.data, "Auto-Submitted") == "auto-generated"
    assert header(one.data, "Date") == "Sat, 21 Nov 2026 15:04:05 +0000"
    assert header(one.data, "To") == "a@lab.example, b@lab.example"
    assert UNIQUE in body
    assert not one.utf8
    assert not one.eight_bit
    assert "data" not in repr(one)


def test_bcc_is_only_in_the_envelope() -> None:
    one = mail(
        "a@lab.example",
        cc=(address("c@lab.example", "cc"),),
        bcc=(address("secret@lab.example", "bcc"), address("A@lab.example", "bcc")),
    )
    specs = [recipient.spec for recipient in one.recipients]
    assert specs == ["a@lab.example", "c@lab.example", "secret@lab.example"]
    assert b"secret" not in one.data
    assert b"bcc" not in one.data.lower()
    assert header(one.data, "Cc") == "c@lab.example"


def test_html_stands_beside_the_text() -> None:
    one = mail(body="hällo", html="<p>hällo</p>")
    whole = message_from_bytes(one.data, policy=policy.default)
    assert whole.get_content_type() == "multipart/alternative"
    parts = [part.get_content().strip() for part in whole.iter_parts()]
    assert parts == ["hällo", "<p>hällo</p>"]
    assert not one.eight_bit
    assert one.data == mail(body="hällo", html="<p>hällo</p>").data


SUBJECTS = [
    ("TA089", "hi\r\nBcc: evil@x"),
    ("TA089b", "hi\nBcc: evil@x"),
    ("TA089c", "hi\rBcc: evil@x"),
    ("TA090", "=?utf-8?q?hi=0D=0ABcc=3A_evil=40x?="),
    ("TA090b", "x =?UTF-8?B?aGkNCkJjYzogZXZpbEB4?="),
    ("TA091", "x\u2028Bcc: e@x"),
    ("NEL", "x\x85Bcc: e@x"),
    ("NUL", "x\0"),
    ("half", "x\ud800"),
    ("escape", "\x1b[2J"),
    ("TA092", "S" * 100_000),
]


@pytest.mark.parametrize(("case", "subject"), SUBJECTS, ids=[case[0] for case in SUBJECTS])
def test_hostile_subjects_are_refused(case: str, subject: str) -> None:
    with pytest.raises(MailtraceError, match="subject") as caught:
        mail(subject=subject)
    assert caught.value.code == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    "subject",
    ["", "plain", "a  b", "Grüße  an   dich", "中文字" * 40, "x" * 200, "ü" * 200, "a ü b ü  c ü",
     "– – –", "😀 family 👨‍👩‍👧", "نص عربي", "=?", "?= =?x", ":", "Re: [x] \\ \"y\" <z@y>", "a\u00a0b"],
)  # fmt: skip
@pytest.mark.parametrize("to", ["a@lab.example", "ä@lab.example"])
def test_any_plain_subject_comes_out_as_it_was(subject: str, to: str) -> None:
    one = mail(to, subject=subject)
    assert (header(one.data, "Subject") or "") == subject
    assert one.subject == subject
    assert max(map(len, one.data.split(b"\r\n"))) < 998
    assert one.utf8 == (to == "ä@lab.example")


@given(st.text(max_size=120), st.sampled_from(["a@lab.example", "ä@lab.example"]))
def test_a_subject_is_sent_as_it_is_or_refused(subject: str, to: str) -> None:
    try:
        one = mail(to, subject=subject)
    except MailtraceError as error:
        assert error.code == "INVALID_ARGUMENT"
        return
    head = one.data.partition(b"\r\n\r\n")[0]
    names = [
        line.partition(b":")[0].decode() for line in head.split(b"\r\n") if line[:1] not in b" \t"
    ]
    assert names == NAMES
    assert (header(one.data, "Subject") or "").strip() == subject.strip(" ")


@given(st.text(max_size=400))
def test_a_body_is_sent_or_refused(body: str) -> None:
    try:
        one = mail(body=body)
    except MailtraceError as error:
        assert error.code == "INVALID_ARGUMENT"
        return
    assert one.data.isascii()
    assert b"\n" not in one.data.replace(b"\r\n", b"")
    assert b"\r" not in one.data.replace(b"\r\n", b"")
    assert max(map(len, one.data.split(b"\r\n"))) <= 998
    assert one.data.endswith(b"\r\n")


@pytest.mark.parametrize(
    ("case", "body", "code"),
    [
        ("TA096", "nul\0byte", "INVALID_ARGUMENT"),
        ("half", "a\udc00", "INVALID_ARGUMENT"),
        ("TA093", "x" * (50 << 20), "NOT_ALLOWED"),
    ],
)
def test_hostile_bodies_are_refused(case: str, body: str, code: str) -> None:
    for name in ("body", "html"):
        with pytest.raises(MailtraceError) as caught:
            mail(**{name: body})
        assert caught.value.code == code


def test_the_bytes_are_read_again_and_must_say_the_same() -> None:
    planned = Planned(("From", "Subject"), (("From", ("a@x",)),), "hi")
    check_whole(b"From: a@x\r\nSubject: hi\r\n\r\n", planned)
    for changed in (
        b"From: a@x\r\nSubject: hi\r\nBcc: e@x\r\n\r\n",
        b"From: b@x\r\nSubject: hi\r\n\r\n",
        b"From: a@x, b@x\r\nSubject: hi\r\n\r\n",
        b"From: a@x\r\nSubject: ho\r\n\r\n",
        b"From: a@x\r\nSubject: hi\nBcc: e@x\r\n\r\n",
        b"From: a@x\r\nSubject: hi\rBcc: e@x\r\n\r\n",
        b"From: a@x\r\nSubject: h\0i\r\n\r\n",
        b"From: a@x\r\nSubject: hi\r\n",
        b"Subject: hi\r\nFrom: a@x\r\n\r\n",
    ):
        with pytest.raises(MailtraceError, match="nothing was sent"):
            check_whole(changed, planned)
    with pytest.raises(MailtraceError):
        check_names(b"From: a@x\r\n\r\n", ("From", "Subject"))


def test_cve_2024_6923_the_library_itself_would_write_a_bcc() -> None:
    """Why the check is there: on a CPython that has the fault, the check sees it."""
    message = EmailMessage(policy=policy.SMTP)
    try:
        message["Subject"] = "=?utf-8?q?hi=0D=0ABcc=3A_evil=40x?="
        data = message.as_bytes()
    except ValueError:
        return  # this CPython is mended
    with pytest.raises(MailtraceError):
        check_whole(data + b"\r\n", Planned(("Subject",), (), "hi"))


def test_a_pattern_differs_only_where_it_must() -> None:
    pattern = Pattern(plan())
    later = AT + timedelta(seconds=61)
    one, other = pattern.mail(AT, UNIQUE), pattern.mail(later, "fedcba9876543210")
    assert one.data == compose(plan(), AT, UNIQUE).data
    assert other.data == compose(plan(), later, "fedcba9876543210").data
    assert other.subject == "Test 2026-11-21 15:05:06 – Mailtrace fedcba9876543210"
    changed = [
        line for line in other.data.split(b"\r\n") if line not in one.data.split(b"\r\n")
    ]  # fmt: skip
    assert [line.partition(b":")[0] for line in changed] == [
        b"Date", b"Message-ID", b"X-Mailtrace-Id", b"Subject", b"Sent", b"Mailtrace"
    ]  # fmt: skip


def test_rendered_once_is_three_times_faster_than_a_message_per_mail() -> None:
    """T11 of SPEED.md; it is more like ten times, so noise does not matter."""
    pattern = Pattern(plan())

    def by_message() -> bytes:
        message = EmailMessage(policy=policy.SMTP)
        message["From"], message["To"] = "me@lab.example", "a@lab.example"
        message["Subject"] = f"Test {AT:%Y-%m-%d %H:%M:%S} – Mailtrace {UNIQUE}"
        message["Date"], message["Message-ID"] = AT, f"<{UNIQUE}@lab.example>"
        message["X-Mailtrace-Id"], message["Auto-Submitted"] = UNIQUE, "auto-generated"
        message.set_content(f"This is a test mail.\n\nSent: {AT}\nMailtrace: {UNIQUE}\n")
        return message.as_bytes()

    def best(function: Callable[[], object]) -> float:
        return min(repeat(function, number=50, repeat=5))

    assert best(by_message) > 3 * best(lambda: pattern.mail(AT, UNIQUE))


def test_a_text_of_ones_own_is_never_taken_for_a_mark() -> None:
    fixed = f"Test {AT:%Y-%m-%d %H:%M:%S} {UNIQUE}"
    pattern = Pattern(plan(subject=fixed, body=fixed))
    other = pattern.mail(AT + timedelta(hours=1), "fedcba9876543210")
    assert other.subject == fixed
    assert header(other.data, "Subject") == fixed
    assert fixed.encode() in other.data.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("unique", ["", "x" * 16, "A" * 16, "0" * 7, "0123\r\nBcc: x", "0" * 33])
def test_an_id_is_hexadecimal(unique: str) -> None:
    with pytest.raises(ValueError, match="hex"):
        Pattern(plan()).mail(AT, unique)


def test_times_are_told_in_their_zone() -> None:
    taipei = timezone(timedelta(hours=8))
    one = compose(plan(), datetime(2026, 11, 21, 23, 4, 5, tzinfo=taipei), UNIQUE)
    assert b"Date: Sat, 21 Nov 2026 23:04:05 +0800\r\n" in one.data
    assert "23:04:05" in one.subject


def test_marks_cannot_be_foreseen_by_the_content() -> None:
    marks = Marks.of(b"x")
    assert len({marks.unique, marks.time, marks.date, marks.boundary}) == 4
    assert Marks.of(b"x") == marks
    assert Marks.of(b"y") != marks


def test_never_stands_alone() -> None:
    assert notices(("success", "success", "delay")) == ("success", "delay")
    with pytest.raises(MailtraceError, match="never"):
        notices(("never", "delay"))
    with pytest.raises(MailtraceError, match="use success"):
        notices(("delay ORCPT=x",))  # type: ignore[arg-type]


def extra(**more: object) -> bytes:
    return compose(plan(), AT, UNIQUE, Extras(**more)).data  # type: ignore[arg-type]


def test_attachments_come_out_as_they_were() -> None:
    data = bytes(range(256))
    files = (
        Attachment("ü x.bin", "image/png", data),
        Attachment("t.txt", "text/plain", b"a\rb\nc"),
    )
    whole = message_from_bytes(extra(attachments=files), policy=policy.default)
    found = list(whole.iter_attachments())
    assert [one.get_filename() for one in found] == ["ü x.bin", "t.txt"]
    assert [one.get_content() for one in found] == [data, b"a\rb\nc"]


@pytest.mark.parametrize(
    "attachment",
    [
        Attachment("a\r\nBcc: x", "a/b", b""),
        Attachment("=?utf-8?q?=0D=0ABcc=3A_x?=", "a/b", b""),
        Attachment("../x", "a/b", b""),
        Attachment("", "a/b", b""),
        Attachment("x", "a/b\r\nBcc: x", b""),
        Attachment("x", "text", b""),
    ],
)
def test_hostile_attachments_are_refused(attachment: Attachment) -> None:
    with pytest.raises(MailtraceError) as caught:
        extra(attachments=(attachment,))
    assert caught.value.code == "INVALID_ARGUMENT"


def test_further_headers_are_added_and_never_ours_nor_hostile() -> None:
    data = extra(headers=(("X-Test", "grün"), ("List-Id", "<x.lab.example>")))
    assert header(data, "X-Test") == "grün"
    for name, value in (
        ("Bcc", "x@y"), ("bcc", "x@y"), ("To", "x@y"), ("Content-Type", "text/html"),
        ("Resent-Bcc", "x"), ("X-A:b", "x"), ("X A", "x"), ("X\r\nBcc", "x"), ("X-A", "a\r\nBcc: b"),
        ("X-A", "=?utf-8?q?=0D=0ABcc=3A_x?="), ("Message-ID", "<x@y>"), ("", "x"), ("Received", "x"),
    ):  # fmt: skip
        with pytest.raises(MailtraceError) as caught:
            extra(headers=((name, value),))
        assert caught.value.code == "INVALID_ARGUMENT"


SAVED = (
    b"From x Sat\nReturn-Path: <z@z>\nFrom: me@lab.example\nTo: Ann <x@y.example>\n"
    b"Bcc: hidden@z.example,\n other@z.example\nSubject: =?utf-8?q?h=C3=A4?=\n folded\n"
    b"Message-ID: <old@id>\nDate: Mon, 1 Jan 2024 00:00:00 +0000\nX-Own: 1\n\n.dot\nbody\xff\n"
)


def test_a_saved_mail_keeps_its_header_but_for_date_ids_and_bcc() -> None:
    one = compose(plan(), AT, UNIQUE, Extras(saved=SAVED))
    head, _, body = one.data.partition(b"\r\n\r\n")
    assert b"hidden@z.example" not in one.data
    assert b"other@z.example" not in one.data
    assert b"old@id" not in one.data
    assert b"2024" not in one.data
    assert head.startswith(b"Date: Sat, 21 Nov 2026")
    assert b"Subject: =?utf-8?q?h=C3=A4?=\r\n folded\r\n" in head + b"\r\n"
    assert b"X-Own: 1" in head
    assert b"To: Ann <x@y.example>" in head
    assert body == b".dot\r\nbody\xff\r\n"
    assert one.subject == "hä folded"
    assert one.eight_bit
    assert [recipient.spec for recipient in one.recipients] == ["a@lab.example"]


@pytest.mark.parametrize(
    "saved",
    [
        b"",
        b"no mail at all",
        b"From: a@b\nthis is no header\n\nx",
        b"From: a@b\n\nnul\0",
        b"From: a@b\nX: \0\n\nx",
        b"From: \xff\n\nx",
        b"From: a@b\n\n" + b"x" * 999,
        b" continued: x\n\nx",
    ],
)
def test_what_is_no_mail_is_refused(saved: bytes) -> None:
    with pytest.raises(MailtraceError, match="saved") as caught:
        compose(plan(), AT, UNIQUE, Extras(saved=saved))
    assert caught.value.code == "INVALID_ARGUMENT"


@given(st.binary(max_size=300))
def test_any_bytes_are_a_saved_mail_or_refused(saved: bytes) -> None:
    try:
        one = compose(plan(), AT, UNIQUE, Extras(saved=saved))
    except MailtraceError:
        return
    assert not re.search(rb"^bcc:", one.data.partition(b"\r\n\r\n")[0], re.M | re.I)
    assert b"\r" not in one.data.replace(b"\r\n", b"")
