"""Decisions about a client, a mail or a recipient: `ACTION: STAGE from CLIENT: REPLY; CONTEXT`."""

from __future__ import annotations

import re

from mailtrace_parsers.events import Action, Event, ProxyVerdict
from mailtrace_parsers.peer import peer
from mailtrace_parsers.postfix.context import context
from mailtrace_parsers.replies import reply

_CODES = re.compile(r"(?:([2-5]\d\d)(?: |$))?(?:([245]\.\d{1,3}\.\d{1,3})(?: |$))?", re.ASCII)
_PROXY = {"proxy-accept": True, "proxy-reject": False}
# smtpd/smtpd_check.c and smtpd.c, postscreen/postscreen.c, cleanup/cleanup_milter.c
_AT_A_STAGE = frozenset(
    "reject reject_warning discard hold filter redirect bcc warn info delay prepend hangup permit abort"
    " milter-reject milter-hold milter-discard".split()
)
# cleanup/cleanup_message.c cleanup_act, global/header_body_checks.c; `milter-header-…`: cleanup_milter.c
_ON_CONTENT = frozenset(
    "reject warning info filter pass discard hold delay prepend replace redirect bcc strip".split()
)
_CONTENT = ("header ", "body ", "content ", "mime-error ")


def action(text: str) -> Event | None:
    """Read an action of smtpd(8), of a milter or of cleanup(8), as it stands after the queue ID."""
    word, colon, rest = text.partition(": ")
    if not colon:
        return None
    if word in _PROXY:
        return _proxy(_PROXY[word], rest)
    if rest.startswith(_CONTENT) and (word in _ON_CONTENT or word.startswith("milter-")):
        return _on_content(word, rest)
    return _at_a_stage(word, rest, "") if word in _AT_A_STAGE else None


def screened(text: str) -> Action | None:
    """Read a `reject:` of postscreen(8): its context has commas between the fields."""
    word, _, rest = text.partition(": ")
    return _at_a_stage(word, rest, ",") if word == "reject" else None


def _at_a_stage(word: str, rest: str, comma: str) -> Action | None:
    """`STAGE from CLIENT: REPLY; CONTEXT`; the stage and the client stand before all that strangers say."""
    stage, found, rest = rest.partition(" from ")
    client, colon, rest = rest.partition(": ")
    if not found or not colon or len(stage) > 20:
        return None
    told = context(rest, stage, comma)
    codes = _CODES.match(told.text)
    return Action(
        word, stage.upper() if stage == "connect" else stage, peer(client),
        int(codes[1]) if codes and codes[1] else None, codes[2] if codes else None, told.text,
        told.sender, told.recipient, told.proto, told.helo, told.data,
    )  # fmt: skip


def _on_content(word: str, rest: str) -> Action:
    """`header LINE from ORIGIN; CONTEXT[: DATA]`: ORIGIN is a client, `local` or `unknown`."""
    stage = rest.partition(" ")[0]
    told = context(rest)
    line, found, origin = told.text[len(stage) + 1 :].rpartition(" from ")
    if not found or told.text == rest:  # cut, or with more than one reading: the line is kept whole
        return Action(word, stage, None, None, None, rest[len(stage) + 1 :])
    enhanced = _CODES.match(told.data) if told.data and word == "reject" else None
    return Action(
        word, stage, peer(origin), None, enhanced[2] if enhanced else None, line,
        told.sender, told.recipient, told.proto, told.helo, told.data,
    )  # fmt: skip


def _proxy(accepted: bool, rest: str) -> ProxyVerdict | None:
    """`STAGE: REPLY; CONTEXT`: what a before-queue filter answered (smtpd/smtpd.c, smtpd_proxy.c)."""
    stage, colon, rest = rest.partition(": ")
    if not colon or len(stage) > 20:
        return None
    told = context(rest, stage)
    return ProxyVerdict(
        accepted, stage, reply(told.text), told.sender, told.recipient, told.proto, told.helo
    )
