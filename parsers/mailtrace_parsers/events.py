"""What one record of a mail log says: one frozen type for each thing that can happen.

Addresses and replies are kept as they were logged (surrogateescape for bytes that are not UTF-8):
a stranger may have chosen them. Times and hosts belong to the frame, see entry.py.
The types that nearly every line makes are NamedTuples: a frozen dataclass takes three times as long.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias


class Peer(NamedTuple):
    """The other end of a connection, as Postfix writes it: NAME[ADDRESS]:PORT or NAME[private/socket].

    `name` is what was connected to or what the address resolved to (`unknown` is kept as it is);
    `address` is an IP address; `socket` stands where a UNIX-domain socket was used (LMTP, filters).
    """

    name: str | None = None
    address: str | None = None
    port: int | None = None
    socket: str | None = None


class Reply(NamedTuple):
    """What another server answered, as replies.py reads it.

    `text` is the whole of it; `code` and `enhanced` are RFC 5321 and RFC 3463 codes of the first line;
    `stage` is the SMTP command it answers ("RCPT TO", "end of DATA") where Postfix says so; `said_by`
    the server that spoke where the text names one. `queue_id` is the token that stands where this
    vendor puts its own queue ID, whatever its alphabet; `message_id` where it names one (Exchange).
    `discarded` is true for a filter that accepted and threw away (amavis: "Ok, discarded").
    """

    text: str
    code: int | None = None
    enhanced: str | None = None
    stage: str | None = None
    said_by: Peer | None = None
    vendor: str | None = None
    queue_id: str | None = None
    message_id: str | None = None
    discarded: bool = False


class Delays(NamedTuple):
    """delays=a/b/c/d in seconds (global/log_adhoc.c): time spent before the queue manager, in it,
    in connection set-up, in transmission. Two significant digits."""

    before_qmgr: float
    in_qmgr: float
    connection_setup: float
    transmission: float


class Delivery(NamedTuple):
    """One delivery attempt for one recipient (global/log_adhoc.c), from any daemon.

    `status` is Postfix's own word (sent, deferred, bounced, SOFTBOUNCE, deliverable, undeliverable,
    undeliverable-but-not-cached, …); `agent` the daemon that wrote it. `relay` is a Peer for a
    network hop; for the others (local, virtual, none, a pipe service) only its name is set.
    `text` is what stands in the parentheses after the status. `tls` is the 3.11 summary, verbatim.
    `ambiguous`: unquoted addresses allow more than one reading, so take no host and no link from it.
    `truncated`: the record was cut, so that the reply and the next queue ID are unknown.
    """

    agent: str
    recipient: str
    original_recipient: str | None
    relay: Peer | None
    conn_use: int | None
    delay: float | None
    delays: Delays | None
    tls: str | None
    dsn: str | None
    status: str
    text: str
    reply: Reply | None
    ambiguous: bool = False
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Expired:
    """qmgr: `from=<…>, status=expired, returned to sender` (also force-expired; qmgr_active.c)."""

    sender: str
    forced: bool


@dataclass(frozen=True, slots=True)
class AllDeferred:
    """`status=deferred (bounce failed)`, without to=: every recipient not yet done (bounce.c, cleanup)."""

    text: str


class Client(NamedTuple):
    """smtpd or qmqpd: a queue file begins for a mail from this client (smtpd.c).

    `before_queue` is true for `NOQUEUE: client=`: a before-queue filter gets the mail, no queue file.
    `orig_queue_id` and `orig_client` are what a client handed on by XFORWARD.
    """

    peer: Peer
    sasl_method: str | None = None
    sasl_username: str | None = None
    sasl_sender: str | None = None
    orig_queue_id: str | None = None
    orig_client: Peer | None = None
    before_queue: bool = False


@dataclass(frozen=True, slots=True)
class ProxyVerdict:
    """smtpd: `proxy-accept|proxy-reject: STAGE: REPLY; from= to= proto= helo=` (smtpd_proxy.c)."""

    accepted: bool
    stage: str
    reply: Reply
    sender: str | None
    recipient: str | None
    proto: str | None
    helo: str | None


@dataclass(frozen=True, slots=True)
class Pickup:
    """pickup: a queue file begins for a mail from sendmail(1), or for a requeued one (`orig_id`)."""

    uid: int
    sender: str
    orig_id: str | None = None


class MessageId(NamedTuple):
    """cleanup: message-id= or resent-message-id=, without its angle brackets where it has both.
    Empty for `message-id=<>`; may hold spaces or be unclosed (cleanup_message.c)."""

    message_id: str
    resent: bool = False


class QueueActive(NamedTuple):
    """qmgr: `from=<…>, size=N, nrcpt=N (queue active)`, again at every queue run. Size in bytes."""

    sender: str
    size: int
    nrcpt: int


@dataclass(frozen=True, slots=True)
class Notification:
    """bounce: a notice of this mail was queued under another ID (bounce_notify_util.c)."""

    to: Literal["sender", "postmaster"]
    about: Literal["non-delivery", "delivery status", "delay"]
    queue_id: str


@dataclass(frozen=True, slots=True)
class Action:
    """A decision of smtpd, postscreen, cleanup or a milter about a client, a mail or a recipient.

    `action` is Postfix's word: reject, reject_warning, discard, hold, filter, redirect, bcc, warn, info,
    delay, prepend, replace, strip, milter-reject, milter-hold, milter-discard, milter-header-…
    `stage`: CONNECT, HELO, EHLO, MAIL, RCPT, DATA, END-OF-MESSAGE, VRFY, header, body, …
    `code` and `enhanced` only for an SMTP reply. `text` is the reply or the header, as logged;
    `data` what follows the context (the new header, the redirect's address).
    """

    action: str
    stage: str | None
    client: Peer | None
    code: int | None
    enhanced: str | None
    text: str
    sender: str | None = None
    recipient: str | None = None
    proto: str | None = None
    helo: str | None = None
    data: str | None = None


@dataclass(frozen=True, slots=True)
class Postsuper:
    """postsuper about one queue file: placed on hold, released from hold, requeued, removed, expired."""

    action: str


@dataclass(frozen=True, slots=True)
class PostsuperSummary:
    """postsuper's closing line: `Deleted: 115 messages`; after `-d ALL` it is all that is logged."""

    action: str
    count: int


class Removed(NamedTuple):
    """The queue file is gone. `note` is cleanup's `canceled` or `discarded` (3.10 and later)."""

    note: str | None = None


@dataclass(frozen=True, slots=True)
class AttemptStep:
    """A try that failed before the delivery line of the same process (smtp_trouble.c, smtp_connect.c).

    With a queue ID, or without one (`connect to HOST[ADDR]:PORT: Connection refused`).
    """

    peer: Peer | None
    text: str
    reply: Reply | None = None


class Tls(NamedTuple):
    """`LEVEL TLS connection established from|to PEER: VERSION with cipher CIPHER …` (tls/tls_misc.c)."""

    level: str
    direction: Literal["from", "to"]
    peer: Peer
    version: str
    cipher: str
    text: str


class Session(NamedTuple):
    """A connection begins or ends: connect, disconnect, and postscreen's CONNECT, DISCONNECT, PASS …

    `commands` are the counters of a disconnect line: command → (accepted, seen). `stage` is the SMTP
    command that a violation of the protocol came after (`COMMAND TIME LIMIT … after RCPT`).
    """

    what: str
    peer: Peer
    commands: Mapping[str, tuple[int, int]] | None = None
    text: str = ""
    stage: str | None = None


class ClientLost(NamedTuple):
    """smtpd: `lost connection|timeout after STAGE from PEER` and its like; the mail may be gone with it."""

    what: str
    stage: str | None
    peer: Peer


class Diagnostic(NamedTuple):
    """warning:, error:, fatal:, panic: lines, with the queue ID they name (in the entry) or none."""

    level: str
    text: str


class Notice(NamedTuple):
    """A known line that says nothing about a mail: statistics, cache clean-ups, start and stop, …

    `what` names it: statistics, cache, started, stopped, reload, skipped, dnsbl, keywords, …
    """

    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Unrecognised:
    """Kept as evidence and counted; never dropped."""

    text: str


Event: TypeAlias = (
    Delivery
    | Expired
    | AllDeferred
    | Client
    | ProxyVerdict
    | Pickup
    | MessageId
    | QueueActive
    | Notification
    | Action
    | Postsuper
    | PostsuperSummary
    | Removed
    | AttemptStep
    | Tls
    | Session
    | ClientLost
    | Diagnostic
    | Notice
    | Unrecognised
)
