"""Which mail a trace is to begin with: by queue ID, message-id, keywords or a received mail's headers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.parser import HeaderParser

from mailtrace_mcp.errors import Code, MailtraceError, visible
from mailtrace_mcp.questions.asking import MailQuestion, Meaning
from mailtrace_mcp.trace.leads import Lead
from mailtrace_mcp.trace.matching import matches
from mailtrace_mcp.trace.transactions import Transaction
from mailtrace_parsers.postfix.queue_id import is_queue_id

LONGEST_MESSAGE_ID = 998  # RFC 5322 2.1.1: no header line is longer
# Other servers' queue IDs: Exim's 1rABCd-0001Xy-2z, Sendmail's 3AL7Abc1012345, …
_FOREIGN_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]{4,31}", re.ASCII)
_RECEIVED_ID = re.compile(r"\bid ([0-9A-Za-z]{5,24})\b", re.ASCII)


@dataclass(frozen=True)
class Wanted:
    """The IDs or keywords of a trace. Without any of them no mail is meant."""

    meaning: Meaning
    queue_ids: tuple[str, ...] = ()
    message_ids: tuple[str, ...] = ()

    def terms(self) -> list[Lead]:
        """What to ask for first."""
        hosts = frozenset(self.meaning.hosts) if self.meaning.narrowed else None
        window = self.meaning.scope.window
        terms = [Lead("queue_id", one, window, hosts) for one in self.queue_ids]
        terms += [Lead("message_id", one, window, hosts) for one in self.message_ids]
        return terms or self.meaning.terms()

    def means(self, life: Transaction) -> bool:
        """Whether this transaction is what was asked for."""
        if self.meaning.keywords:
            return matches(life, self.meaning.keywords, "any")
        return life.queue_id in self.queue_ids or (
            bool(life.message_id) and life.message_id in self.message_ids
        )

    def mentions(self, life: Transaction) -> bool:
        """Whether a reply to it names the ID: of a server whose log is not ours that is all there is."""
        replies = (attempt.delivery.reply for attempt in life.attempts)
        return any(reply is not None and reply.queue_id in self.queue_ids for reply in replies)


def wanted(asked: MailQuestion, meaning: Meaning) -> Wanted:
    """What the question names. Raises MailtraceError INVALID_ARGUMENT unless it is exactly one thing."""
    given = {
        "queue_id": asked.queue_id,
        "message_id": asked.message_id,
        "keywords": asked.keywords or None,
        "headers": asked.headers,
    }
    named = [name for name, value in given.items() if value is not None]
    if len(named) != 1:
        said = "none was given" if not named else f"{' and '.join(named)} were given"
        raise MailtraceError(
            Code.INVALID_ARGUMENT,
            f"give exactly one of queue_id, message_id, keywords, headers; {said}.",
        )
    if asked.queue_id is not None:
        return Wanted(meaning, (_queue_id(asked.queue_id),))
    if asked.message_id is not None:
        return Wanted(meaning, (), (_message_id(asked.message_id),))
    if asked.headers is not None:
        return Wanted(meaning, *_of_headers(asked.headers))
    return Wanted(meaning)


def _queue_id(text: str) -> str:
    text = text.strip()
    foreign = _FOREIGN_ID.fullmatch(text) and any(char.isdigit() for char in text)
    if is_queue_id(text) or foreign:
        return text
    raise MailtraceError(
        Code.INVALID_ARGUMENT,
        f"queue_id {visible(text)!r} is no queue ID; it looks like 4F2A1B3C5D or 3Pt2mN2VXxznjll. "
        "For an address or a domain use keywords.",
    )


def _message_id(text: str) -> str:
    text = text.strip()
    if text.startswith("<") and text.endswith(">"):
        text = text[1:-1]
    local, at, domain = text.partition("@")
    if not (local and at and domain) or len(text) > LONGEST_MESSAGE_ID:
        why = f"it must be like <unique@example.com>, at most {LONGEST_MESSAGE_ID} characters"
    elif not text.isprintable():
        why = "it holds a control character, a line break or half of a surrogate pair"
    else:
        return text
    raise MailtraceError(Code.INVALID_ARGUMENT, f"message_id {visible(text)!r}: {why}.")


def _of_headers(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The queue IDs of the Received chain and the Message-ID of a mail's pasted headers."""
    headers = HeaderParser().parsestr(text.lstrip())
    received = " ".join(str(one) for one in headers.get_all("Received", []))
    ids = tuple(dict.fromkeys(one for one in _RECEIVED_ID.findall(received) if is_queue_id(one)))
    named = headers.get("Message-ID")
    message_ids = (_message_id(str(named)),) if named else ()
    if ids or message_ids:
        return ids, message_ids
    raise MailtraceError(
        Code.INVALID_ARGUMENT,
        "headers hold neither a Message-ID nor a queue ID in a Received line; paste the whole header "
        "of the received mail.",
    )
