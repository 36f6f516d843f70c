"""One plain sentence for how it ended, in our own words: no word of a log stands in it but codes.

Host names here are configured ones, queue IDs have Postfix's alphabet: both are safe to show.
"""

from __future__ import annotations

from collections.abc import Iterable

from mailtrace_mcp.trace.coverage import Coverage
from mailtrace_mcp.trace.transactions import Attempt
from mailtrace_parsers.events import Action
from mailtrace_parsers.postfix.queue_id import is_queue_id

# The second and third digits of RFC 3463: what was wrong. The class says whether waiting helps.
_SUBJECTS = {
    "1.1": "there is no such mailbox",
    "1.2": "the recipient's domain does not exist or takes no mail",
    "1.3": "the address is not well formed",
    "1.8": "the sender's domain does not exist",
    "1.10": "the recipient's domain says that it takes no mail (null MX)",
    "2.0": "the mailbox has a problem",
    "2.1": "the mailbox is disabled",
    "2.2": "the mailbox is full",
    "2.3": "the message is larger than the mailbox takes",
    "3.0": "the destination's mail system has a problem",
    "3.2": "the destination does not take mail now",
    "3.4": "the message is larger than the destination takes",
    "4.1": "the next server did not answer",
    "4.2": "the connection was lost or timed out",
    "4.3": "the name service did not answer",
    "4.4": "no way to the destination is known",
    "4.6": "the mail goes round in a loop",
    "4.7": "its time in the queue ran out",
    "5.3": "there are too many recipients",
    "6.7": "the address needs SMTPUTF8, which the next server does not offer",
    "7.0": "a security rule speaks against it",
    "7.1": "a policy of the server speaks against it",
    "7.8": "the login was refused",
}


def failure_reason(attempt: Attempt) -> str:
    """Why this delivery did not succeed: by its DSN, its reply code and the stage of the dialogue."""
    delivery = attempt.delivery
    kind = "refused for good" if delivery.status == "bounced" else "put off"
    said = f"{kind} with {delivery.dsn}" if delivery.dsn else kind
    if delivery.reply is not None and delivery.reply.code is not None:
        said = f"{kind} with {delivery.reply.code} {delivery.dsn or ''}".rstrip()
        if delivery.reply.stage:
            said += f" after {_stage(delivery.reply.stage)}"
    if _loops(delivery.text):
        return f"{said}: the mail goes round in a loop"
    if delivery.truncated:
        said += " (the line was cut)"
    return f"{said}{_because(delivery.dsn)}"


def _loops(text: str) -> bool:
    """smtp(8), local(8), cleanup(8) and RFC 5321 6.3 in their own words."""
    return any(
        one in text for one in ("too many hops", "loops back to myself", "mail forwarding loop")
    )


def refusal_reason(action: Action) -> str:
    """Why a host of ours did not take a mail."""
    said = f"refused at {_stage(action.stage or 'the connection')}"
    if action.code is not None:
        said += f" with {action.code} {action.enhanced or ''}".rstrip()
    if action.code is not None and 400 <= action.code < 500:
        said += "; the sending server may try again"
    return f"{said}{_because(action.enhanced)}"


def lost_reason(awaited: Iterable[str], queue_id: str | None, coverage: Coverage) -> str:
    """Why the trail ends at hosts of ours that took the mail: not read, or read and no line there.

    The ID comes from a reply: only one of Postfix's own alphabet is repeated.
    """
    states = {host.host: host for host in coverage.hosts}
    names = sorted(awaited)
    for name in names:
        host = states.get(name)
        if host is not None and host.state != "read":
            return f"{name} took it, and its log {_seen(host.state)}"
    where = " or ".join(names)
    if queue_id and is_queue_id(queue_id):
        return f"{where} took it as {queue_id}, and no line of that queue ID was found there"
    return f"{where} took it, and no line there can be tied to it"


def _seen(state: str) -> str:
    if state == "partial":
        return "could be read only in part"
    return {"denied": "may not be read", "timeout": "did not come in time"}.get(
        state, "could not be read"
    )


def _because(enhanced: str | None) -> str:
    subject = _SUBJECTS.get((enhanced or "").partition(".")[2])
    return f": {subject}" if subject else ""


def _stage(stage: str) -> str:
    """Only the known words of SMTP; anything else came from a log."""
    known = ("CONNECT", "HELO", "EHLO", "MAIL", "MAIL FROM", "RCPT", "RCPT TO", "DATA", "BDAT",
             "end of DATA", "END-OF-MESSAGE", "VRFY", "AUTH", "STARTTLS", "header", "body")  # fmt: skip
    return stage if stage in known else "the dialogue"
