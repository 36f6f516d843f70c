"""What to do about a failure that was seen: a table, and the one function that looks things up in it.

The advice is ours, in our words; a server's own text only decides which row fits. Pure.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from mailtrace_mcp.send.dialogue import Stage


@dataclass(frozen=True)
class Row:
    """One row: fits if the code is among `codes`, one of `words` (lower case) stands in the text, and
    the stage is among `stages`; what is empty asks for nothing. `retry_after` in seconds."""

    advice: str
    codes: Collection[int] = ()
    words: Collection[str] = ()
    stages: Collection[str] = ()
    retry_after: int | None = None

    def fits(self, code: int | None, text: str, stage: Stage) -> bool:
        """Whether the row is about this failure; `text` in lower case."""
        return (
            (not self.codes or code in self.codes)
            and (not self.words or any(word in text for word in self.words))
            and (not self.stages or stage in self.stages)
        )


# Words for what no server said; failures.py uses them as the text.
REFUSED, TIMED_OUT, LOST, UNKNOWN_NAME = "refused", "timed out", "lost", "unknown name"
NO_STARTTLS = "starttls not offered"
LOST_IN_TLS, TIMED_OUT_IN_TLS = "lost inside tls", "timed out inside tls"
TOKEN = "(the login was a token)"  # noqa: S105  a word, no token


def unverified(code: int) -> str:
    """The word for a certificate that cannot be trusted, with OpenSSL's number (x509_vfy.h)."""
    return f"certificate_verify_failed {code}."


TABLE = (
    Row("The server wants encryption first: use ssl_mode starttls.", (530, 538, 554), ("starttls",)),
    Row(
        "The server does not begin with TLS on this port: use ssl_mode starttls for 25 and 587, "
        "smtps for 465.",
        words=("wrong_version_number", "record_layer_failure", "http_request", "packet_length"),
    ),
    Row(
        "The server needs a new certificate (is this machine's clock right?); only for a test server say "
        "verify: false.",
        words=(unverified(9), unverified(10)),
    ),
    Row(
        "Use the name that the certificate is for as host of the profile, or have the server's certificate "
        "made out for this one too.",
        words=(unverified(62), unverified(64)),
    ),
    Row("The server needs a new certificate: do not trust this one.", words=(unverified(23),)),
    Row(
        "Name the CA's certificate in the profile (ca_file), or say verify: false for a self-signed "
        "test server.",
        words=("certificate_verify_failed",),
    ),
    Row(
        "The server wants a client certificate: name one in the profile (cert, key).",
        words=("certificate_required",),
    ),
    Row(
        "The server does not accept the profile's client certificate (cert, key): it must be of a CA that "
        "the server knows, and valid.",
        words=("alert_unknown_ca", "alert_bad_certificate", "alert_certificate", "alert_access_denied",
               "alert_unsupported_certificate"),
    ),
    Row(
        "The two sides have no TLS version or cipher in common: the server is too old for min_tls, "
        "or wants a client certificate (cert, key).",
        words=("unsupported_protocol", "no_protocols", "alert_handshake", "protocol_version",
               "no_shared_cipher", "handshake_failure"),
    ),
    Row(
        "Use ssl_mode smtps on port 465, or ask why the server does not offer STARTTLS here.",
        words=(NO_STARTTLS,),
    ),
    Row(
        "Give credentials, or ask for this machine's address to be allowed.",
        (550, 554), ("client host rejected", "client host blocked"),
    ),
    Row("The server wants authentication: give user and password.", (554,), ("no valid recipients",)),
    Row("The server wants authentication: give user and password.", (530, 550, 553, 554),
        ("authentication required", "must authenticate", "not authenticated")),
    Row(
        "Get a new token (it may have expired, be another user's, or not be for SMTP by its scope), or "
        "switch auth off.",
        (535, 534, 538), (TOKEN,),
    ),
    Row(
        "Check user and password (Gmail and Yahoo want an app password), or switch auth off.",
        (535, 534, 538), (), ("auth",),
    ),
    Row(
        "The server passes mail on only for those it knows: give credentials, or a recipient in its "
        "own domains.",
        (550, 551, 553, 554, 454), ("relay access denied", "relaying denied", "relay not permitted"),
    ),
    Row("The server tries new senders once (greylisting): try again in 5 minutes.",
        (421, 450, 451), ("greylist", "graylist", "try again later", "postgrey"), (), 300),
    Row("The server is too busy: try again in a minute, with fewer mails.",
        (421, 450, 451, 452), ("too many", "rate limit", "throttl", "too busy"), (), 60),
    Row("The mail is too large for this server.", (552, 534), ("size", "too big", "too large"),
        ("mail", "data")),
    Row("The server wants authentication, or another one: check user and password (Gmail and Yahoo want an "
        "app password).", (535, 534)),
    Row("Check the recipients: the server knows no such mailbox.", (550, 551, 553),
        ("unknown", "no such", "does not exist", "not found", "5.1.1"), ("rcpt",)),
    Row("Check host and port of the profile, and the firewall between.",
        words=(REFUSED, TIMED_OUT), stages=("connect",)),
    Row("Check the name of the host in the profile.", words=(UNKNOWN_NAME,), stages=("connect",)),
    Row("The server ended the encrypted connection at once: it may want a client certificate (cert, key), or "
        "not accept this one.", words=(LOST_IN_TLS,), stages=("banner", "ehlo")),
    Row("Check host and port of the profile.", words=(TIMED_OUT_IN_TLS,), stages=("banner",)),
    Row("If this is port 465, use ssl_mode smtps; else check host and port of the profile.",
        words=(TIMED_OUT, LOST), stages=("banner",)),
    Row("Check port and ssl_mode of the profile (starttls for 25 and 587, smtps for 465), and min_tls.",
        words=(TIMED_OUT, LOST, REFUSED), stages=("tls",)),
    Row("Try again in 5 minutes.", tuple(range(400, 500)), (), (), 300),
)  # fmt: skip

# For a search after a test mail was sent.
NOTHING_FOUND = "Wait a minute and ask again, widen time_range to 2h, and check the spelling."


def advice(code: int | None, text: str, stage: Stage) -> Row | None:
    """The first row that fits a reply's code and text, or the words of what happened."""
    lowered = text.lower()
    return next((row for row in TABLE if row.fits(code, lowered, stage)), None)
