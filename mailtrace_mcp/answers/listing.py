"""What was found, as the answer of query_logs. Pure: values in, the public types out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import count

from mailtrace_mcp.answers import trust
from mailtrace_mcp.answers.covering import coverage_report
from mailtrace_mcp.answers.ends import answer_ref
from mailtrace_mcp.answers.hints import query_hints
from mailtrace_mcp.answers.hops import where
from mailtrace_mcp.answers.manner import FoundMail, Manner
from mailtrace_mcp.answers.portion import Portion, fitted
from mailtrace_mcp.answers.query_types import Group, Mail, MailRecipient, QueryAnswer
from mailtrace_mcp.answers.screen import Screen
from mailtrace_mcp.answers.summaries import query_summary
from mailtrace_mcp.trace.coverage import Coverage
from mailtrace_mcp.trace.endings import Ending
from mailtrace_mcp.trace.transactions import Transaction

CursorAfter = Callable[[Sequence[FoundMail]], str | None]
MOST_GROUPS = 50


def query_answer(
    page: Sequence[FoundMail],
    matched: Sequence[FoundMail],
    coverage: Coverage,
    manner: Manner,
    next_cursor: str | None = None,
    notes: Sequence[str] = (),
    cursor_after: CursorAfter | None = None,
) -> QueryAnswer:
    """The answer of query_logs: `page` the mails to show, newest first; `matched` all that match, for
    the count and the groups; `notes` more hints of ours, told first. Where the page is cut because the
    answer would be too long, `cursor_after` gives the cursor behind the mails that stay."""

    def build(portion: Portion) -> QueryAnswer:
        numbers = count(1)
        shown = page[: portion.mails]
        mails = tuple(_mail(one, manner, portion, numbers) for one in shown)
        report = coverage_report(coverage, manner, portion.files)
        cursor = next_cursor
        if len(shown) < len(page):
            cursor = cursor_after(shown) if cursor_after is not None else None
        return QueryAnswer(
            summary=query_summary(_outcomes(shown), len(shown), len(matched), report),
            mails=mails,
            queue_ids=tuple(dict.fromkeys(mail.queue_id for mail in mails if mail.queue_id)),
            matched=len(matched),
            next_cursor=cursor,
            groups=_groups(page, matched),
            coverage=report,
            hints=(*notes, *query_hints(len(matched), report, portion.left_out, bool(cursor))),
        )

    return fitted(build, len(page), manner.answer_chars)


def _outcomes(mails: Sequence[FoundMail]) -> Counter[str]:
    outcomes = Counter[str]()
    for mail in mails:
        for end in mail.endings:
            outcomes[end.outcome] += end.count
    return outcomes


def _mail(found: FoundMail, manner: Manner, portion: Portion, numbers: Iterator[int]) -> Mail:
    life, here = found.life, where(found.life.key)
    screen = Screen(numbers, manner.named, portion.untrusted)
    sender = screen.address(life.sender, f"envelope sender at {here}")
    message_id = screen.message_id(life.message_id, here)
    ends = found.endings[: portion.recipients]
    recipients = tuple(_recipient(one, life, screen) for one in ends)
    if manner.detail == "full" and portion.raw_lines:
        for entry in (*life.entries, *life.context):
            screen.keep("line", here, entry.raw.decode("utf-8", "surrogateescape"))
    return Mail(
        queue_id=trust.queue_id(life.queue_id),
        host=life.host,
        first_seen=manner.local(life.started),
        last_seen=manner.local(life.ended),
        sender=sender.value,
        sender_ref=sender.ref,
        recipients=recipients,
        message_id=message_id.value,
        message_id_ref=message_id.ref,
        size=life.active.size if life.active else None,
        lines=len(life.entries) + len(life.context),
        untrusted=screen.untrusted,
    )


def _recipient(ending: Ending, life: Transaction, screen: Screen) -> MailRecipient:
    recipient = screen.address(ending.recipient, f"recipient at {where(life.key)}")
    if ending.outcome != "sent":
        answer_ref(ending, life, screen)
    return MailRecipient(
        recipient=recipient.value,
        recipient_ref=recipient.ref,
        count=ending.count if ending.recipient is None or ending.count > 1 else None,
        outcome=ending.outcome,
        dsn=trust.enhanced_code(ending.dsn),
        reason=trust.clean(ending.reason) if ending.reason else None,
    )


def _groups(page: Sequence[FoundMail], matched: Sequence[FoundMail]) -> tuple[Group, ...] | None:
    """Of all that match if all were followed to their ends, else of the page; none for a single mail."""
    followed = matched if all(mail.endings for mail in matched) else page
    if len(followed) < 2:
        return None
    counts = Counter[tuple[str, str | None, str | None]]()
    # A mail that passed several hosts is listed for each, with the same endings.
    ends = {id(end): end for mail in followed for end in mail.endings}
    for ending in ends.values():
        counts[ending.outcome, _relay(ending), ending.reason] += ending.count
    groups = [
        Group.model_validate(
            {"outcome": outcome, "relay": relay, "reason": reason, "count": number}
        )
        for (outcome, relay, reason), number in counts.most_common(MOST_GROUPS)
    ]
    return tuple(groups) or None


def _relay(ending: Ending) -> str | None:
    peer = ending.attempt.delivery.relay if ending.attempt else None
    name = (peer.name or peer.address) if peer else None
    return name if name is not None and trust.host_name(name) else None
