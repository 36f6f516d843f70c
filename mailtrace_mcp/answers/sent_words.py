"""The first sentence and the hints of a send. Our own words, our own addresses, codes and queue IDs."""

from __future__ import annotations

from collections.abc import Iterator

from mailtrace_mcp.answers import trust
from mailtrace_mcp.answers.send_types import SendPlan
from mailtrace_mcp.answers.trace_types import TraceAnswer
from mailtrace_mcp.answers.words import counted, listed, spent
from mailtrace_mcp.errors import Code
from mailtrace_mcp.send import NOTHING_FOUND, Sent

_NEVER_AGAIN = (
    "The connection was lost after the final dot, so the server may have the mail. Do not send it again "
    "before a trace tells."
)


def sent_summary(sent: Sent, trace: TraceAnswer | None) -> str:
    """`Accepted by mx1:25 for bob@example.com as 4F2A1B3C5D, 0.12 s.`, and what following found."""
    said = f"{_SAID[sent.outcome](sent)}{_of_several(sent)}."
    return said if trace is None else f"{said} Followed: {trace.summary}"


def _accepted(sent: Sent) -> str:
    took = sum(one.seconds for one in sent.account.timings) if sent.account else 0
    one_mail = len(sent.message_ids) == 1
    return f"Accepted{_by(sent)} for {_taken(sent)}{_as(sent)}" + (
        f", {spent(took)}" if took and one_mail else ""
    )


def _partial(sent: Sent) -> str:
    open_ones = [one.recipient for one in sent.records if one.success is None]
    unknown = f"; unknown for {_named(open_ones)}" if open_ones else ""
    denied = _denied(sent)
    refused = f"; refused for {denied}" if denied else ""
    return f"Partly accepted{_by(sent)}: for {_taken(sent)}{_as(sent)}{refused}{unknown}"


def _refused(sent: Sent) -> str:
    if sent.failure is None:
        return "Nothing was sent"
    told = sent.failure.message.rstrip(".")
    return f"Not sent, {sent.failure.code}: {trust.clean(told)}"


def _unknown(sent: Sent) -> str:
    who = [one.recipient for one in sent.records if one.success is None]
    return (
        f"Unknown whether{_by(sent, ' the server')} has the mail for {_named(who)}: the connection was lost "
        "after the final dot"
    )


_SAID = {
    "accepted": _accepted,
    "partial": _partial,
    "refused": _refused,
    "unknown": _unknown,
}


def _by(sent: Sent, otherwise: str = "") -> str:
    if sent.account is None:
        return otherwise
    server = trust.clean(sent.account.server)
    return f" {server}" if otherwise else f" by {server}"


def _taken(sent: Sent) -> str:
    return _named([one.recipient for one in sent.records if one.success])


def _denied(sent: Sent) -> str:
    codes = {one.recipient.spec: trust.reply_code(one.reply.code) for one in sent.refused}
    denied = [one.recipient for one in sent.records if one.success is False]
    return listed([f"{trust.clean(who)} ({codes.get(who) or 'not sent'})" for who in denied], 3)


def _named(recipients: list[str]) -> str:
    return listed(list(dict.fromkeys(map(trust.clean, recipients))), 3) or "nobody"


def _as(sent: Sent) -> str:
    ids = (trust.queue_id(one.queue_id) for one in sent.records)
    names = list(dict.fromkeys(one for one in ids if one))
    return f" as {listed(names, 3)}" if names else ""


def _of_several(sent: Sent) -> str:
    decided = len(sent.message_ids)
    if sent.planned <= 1:
        return ""
    return f"; {decided} of {counted(sent.planned, 'mail')} handled"


def dry_summary(plan: SendPlan) -> str:
    """`Dry run: 1 mail to 2 recipients by 127.0.0.1:25 would be sent.`, or why not."""
    what = f"{counted(plan.mails, 'mail')} to {counted(len(plan.recipients), 'recipient')}"
    if plan.allowed:
        return f"Dry run: {what} by {plan.server} would be sent; nothing was."
    denied = [one for one in plan.decisions if not one.allowed]
    each = len(plan.recipients)
    if denied:
        why = f"{denied[0].about}: {denied[0].why}"
    else:
        why = (
            f"the quota leaves {plan.left.minute} recipients this minute and {plan.left.day} this "
            f"day, and {each * plan.mails} are asked for"
        )
    return f"Dry run: {what} would be refused, {why}."


def sent_hints(sent: Sent, trace: TraceAnswer | None, cut: bool) -> Iterator[str]:
    """What to do next, the most needed first."""
    if cut:
        yield "The answer was longer than it may be: the dialogue or some records are left out."
    unknown = [one.message_id for one in sent.records if one.success is None]
    if unknown:
        yield _NEVER_AGAIN
    if sent.retry_after is not None:
        yield f"Try again in {spent(sent.retry_after)}."
    if trace is not None:
        if not trace.matched:
            yield NOTHING_FOUND
        return
    ids = unknown or [one.message_id for one in sent.records if one.success]
    if ids:
        more = "" if len(set(ids)) == 1 else ", and so for the others"
        follow = "" if unknown else "; or send with follow"
        yield (
            f'Wait some seconds, then call trace_mail with message_id "{trust.clean(ids[0])}"{more}{follow}.'
        )
    elif sent.failure is not None and sent.failure.code in _BY_THE_SERVER:
        yield (
            "A refusal leaves no queue ID: query_logs with status=rejected and the recipient shows the "
            "server's side of it. To see mail flow all the same, trace a mail that is there already."
        )


_BY_THE_SERVER = (Code.SMTP_REJECTED, Code.SMTP_TEMPFAIL, Code.SMTP_AUTH, Code.SMTP_TLS_REQUIRED)
