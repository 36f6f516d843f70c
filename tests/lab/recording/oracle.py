"""ORACLE.json: what was handed in, joined with what was found."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from .evidence import Leaf, Notice
from .mail import ADDRESSES, Sent

Entry = dict[str, Any]


class UnexplainedError(Exception):
    """A recipient of whom neither a mailbox nor a queue nor a notice knows anything (yet)."""


def tell(sent: Iterable[Sent], proofs: Iterable[Leaf | Notice]) -> list[Entry]:
    """One entry for each mail; UnexplainedError if one of its recipients has no end."""
    by_mark = defaultdict(list)
    for each in proofs:
        by_mark[each.mark].append(each)
    return [_entry(each, by_mark[each.mail.story]) for each in sent]


def _entry(sent: Sent, proofs: list[Leaf | Notice]) -> Entry:
    mail = sent.mail
    leaves = [each for each in proofs if isinstance(each, Leaf)]
    notices = [each for each in proofs if isinstance(each, Notice)]
    recipients = [_recipient(sent, each) for each in leaves] + _without_proof(sent, notices)
    missing = set(mail.to) - {each["original_recipient"] for each in recipients}
    if missing:
        raise UnexplainedError(f"{mail.story}: {', '.join(sorted(missing))}")
    entry: Entry = {
        "story": mail.story,
        "message_id": mail.identity,
        "sender": mail.sender,
        "subject": mail.subject,
        "sent_at": sent.at.isoformat(timespec="milliseconds"),
        "client": ADDRESSES[mail.client].name,
        "via": mail.via,
        "recipients": _unique(recipients),
    }
    if notices:
        entry["notices"] = _unique([_notice(each) for each in notices])
    return entry | {"notes": mail.notes}


def _recipient(sent: Sent, leaf: Leaf) -> Entry:
    mail = sent.mail
    # The name that the sender used is the one that is farthest from the end.
    original = next((each for each in reversed(leaf.names) if each in mail.to), None)
    row: Entry = {"original_recipient": original, "recipient": leaf.names[0]}
    if leaf.names[0] in mail.added:
        row["added_by"] = mail.added[leaf.names[0]]
    elif original is None and len(mail.to) == 1:
        row["original_recipient"] = mail.to[0]
    row |= {"outcome": leaf.outcome, "path": leaf.path, "doors": leaf.doors, "end": leaf.end}
    return row | ({"reply": leaf.reason} if leaf.reason else {})


def _without_proof(sent: Sent, notices: list[Notice]) -> list[Entry]:
    """The ends that only the sender can tell: refused, hung up, deleted, thrown away."""
    mail, rows = sent.mail, []
    for recipient in mail.to:
        row: Entry = {"original_recipient": recipient, "recipient": recipient}
        if recipient in sent.refused:
            row |= {
                "outcome": "rejected",
                "path": [[mail.via, None]],
                "end": "none",
                "reply": sent.refused[recipient],
            }
        elif sent.fate:
            row |= {"outcome": sent.fate, "path": sent.path, "end": "none"}
        elif mail.thrown_away:
            # A success notice, if one was asked for, knows more of the way than the first reply.
            path = max(
                (each.about for each in notices), key=len, default=[[mail.via, sent.queue_id]]
            )
            row |= {"outcome": "discarded", "path": path, "end": "discard"}
        else:
            continue
        rows.append(row)
    return rows


def _notice(notice: Notice) -> Entry:
    fields = ("kind", "to", "outcome", "end", "path", "doors")
    row = {each: getattr(notice, each) for each in fields}
    return row | {"about": notice.about[-1]}


def _unique(rows: list[Entry]) -> list[Entry]:
    """A mail is found twice where two notices tell of one end."""
    return [row for number, row in enumerate(rows) if row not in rows[:number]]
