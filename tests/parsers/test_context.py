"""The context of actions, held against a model of its writers (log_whatsup and its like)."""

from __future__ import annotations

from hypothesis import assume, example, given
from hypothesis import strategies as st

from mailtrace_parsers.postfix.context import context
from tests.parsers import logs_as_postfix as model

# NEUTER_CHARACTERS of smtpd/smtpd.c: what is taken out of HELO names
HELO = model.SAID.map(
    lambda name: "".join("?" if c in ' <>()\\";@' or c.isspace() else c for c in name)
)
TAILS = st.sampled_from(["", " sasl_method=PLAIN sasl_username=bob", " sasl_username=<bob>"])
REASONS = st.sampled_from(["Relay access denied", "Recipient address rejected: no such user"])


@given(
    sender=st.tuples(model.LOCALS, model.DOMAINS),
    recipient=st.tuples(model.LOCALS, model.DOMAINS),
    helo=HELO,
    tail=TAILS,
    reason=REASONS,
)
def test_what_postfix_writes_since_3_5_is_read_back(
    sender: tuple[str, str], recipient: tuple[str, str], helo: str, tail: str, reason: str
) -> None:
    source, target = model.external(*sender), model.external(*recipient)
    reply = f"554 5.7.1 <{target}>: {reason}"
    text = f"{reply}; from=<{source}> to=<{target}> proto=ESMTP helo=<{helo}>{tail}"

    read = context(text, "RCPT")

    if text.count("; from=<") > 1 or " proto=" in source + target:
        assert read.recipient in (None, target)
        return
    assert (read.text, read.sender, read.recipient) == (reply, source, target)
    assert (read.proto, read.helo, read.data) == ("ESMTP", helo, None)


@given(
    sender=st.tuples(model.LOCALS, model.DOMAINS),
    recipient=st.tuples(model.LOCALS, model.DOMAINS),
    helo=HELO,
    tail=TAILS,
    reason=REASONS,
    comma=st.sampled_from(["", ","]),
)
@example(("a> to=<v", "victim.test"), ("r", "dst.test"), "h", "", "Relay access denied", "")
@example(("a", "b"), ("v@x> sasl_username=y", "dst.test"), "h", "", "Relay access denied", "")
@example(("a", "b"), ("v@x>: y", "dst.test"), "h", "", "Relay access denied", "")
@example(("a", "b"), ("v@x> proto=ESMTP helo=<y>: z", "d.test"), "h", "", "Relay access denied", "")
def test_addresses_without_quotes_forge_no_field(
    sender: tuple[str, str],
    recipient: tuple[str, str],
    helo: str,
    tail: str,
    reason: str,
    comma: str,
) -> None:
    """Before 3.5: what is told is the truth, or nothing is told.

    But for an address that begins with a quote: since 3.5 that is a quoted local part, and read as one.
    """
    assume(not any(one[0].startswith('"') or ':"' in one[0] for one in (sender, recipient)))
    source, target = model.internal(*sender), model.internal(*recipient)
    reply = f"554 5.7.1 <{target}>: {reason}"
    fields = (f"from=<{source}>", f"to=<{target}>", "proto=ESMTP", f"helo=<{helo}>")
    text = f"{reply}; {f'{comma} '.join(fields)}{tail}"

    read = context(text, "RCPT", comma)

    assert read.sender in (None, source)
    assert read.recipient in (None, target)
    assert read.helo in (None, helo)


@given(line=model.SAID, source=model.LOCALS, data=st.none() | model.SAID)
def test_a_header_forges_no_field(line: str, source: str, data: str | None) -> None:
    """cleanup(8) logs a line of the mail in front of the context and text of a table behind it."""
    sender = model.external(source, "src.test")
    behind = "" if data is None else f": {data}"
    text = (
        f"header Subject: {line} from mail.example.net[192.0.2.40];"
        f" from=<{sender}> to=<b@example.test> proto=ESMTP helo=<mail.example.net>{behind}"
    )

    read = context(text)

    assert read.recipient in (None, "b@example.test")
    assert read.sender in (None, sender)
    assert read.data in (None, data)
    if not any(word in line + source + (data or "") for word in ("from=<", "proto=")):
        assert (read.recipient, read.sender, read.data) == ("b@example.test", sender, data)
