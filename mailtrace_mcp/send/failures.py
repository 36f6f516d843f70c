"""Why a mail did not go, as the one error of this program: a code of TOOLS.md, the stage, what to do.

Pure. A server's words never stand in the message, only its numbers; they are in `reply`, masked, for
whoever shows them cleaned.
"""

from __future__ import annotations

import errno
import socket
import ssl

from mailtrace_mcp.errors import Code, MailtraceError
from mailtrace_mcp.send import advice as words
from mailtrace_mcp.send.advice import advice
from mailtrace_mcp.send.dialogue import Stage
from mailtrace_mcp.send.tls import TlsFacts
from mailtrace_parsers.events import Reply


class SmtpError(MailtraceError):
    """What stopped a connection or a mail, and at which stage.

    `reply` is the server's answer where there was one, and `text` a word of ours for the table of advice;
    `advice` is the sentence about it; `retry_after` seconds after which to try again, for what is
    temporary.
    """

    def __init__(
        self, code: Code, what: str, stage: Stage, reply: Reply | None = None, text: str = ""
    ) -> None:
        row = advice(reply.code if reply else None, f"{reply.text if reply else ''} {text}", stage)
        self.stage: Stage = stage
        self.reply = reply
        self.advice = row.advice if row else None
        self.retry_after = row.retry_after if row else None
        super().__init__(code, f"{what} {self.advice}" if self.advice else what)

    @property
    def unreachable(self) -> bool:
        """Whether the server was not there at all: another one may be tried (`fallback:`). One that says
        5xx instead of a greeting is there, and has said no."""
        for_good = self.reply is not None and self.reply.code is not None and self.reply.code >= 500
        return self.stage == "connect" or (self.stage == "banner" and not for_good)

    @property
    def worth_a_retry(self) -> bool:
        """4xx, or a connection that was lost or went silent (SAFETY.md 14); not one that never was."""
        if self.code == Code.SMTP_TEMPFAIL:
            return True
        lost = self.code in (Code.SMTP_DISCONNECTED, Code.SMTP_TIMEOUT)
        return lost and self.stage != "connect"


def refused(stage: Stage, reply: Reply, what: str | None = None, text: str = "") -> SmtpError:
    """The server said no. `what` is who or what was refused: by default what the stage is about; `text` a
    word of advice.py."""
    number = f"{reply.code} {reply.enhanced}" if reply.enhanced else f"{reply.code}"
    told = f"The server refused {what or _ASKED[stage]}: {number}."
    return SmtpError(_code(stage, reply), told, stage, reply, text)


_ASKED: dict[Stage, str] = {
    "connect": "the connection",
    "banner": "the connection",
    "ehlo": "our greeting",
    "tls": "STARTTLS",
    "auth": "the login",
    "mail": "the sender",
    "rcpt": "the recipients",
    "data": "the mail",
    "quit": "QUIT",
}


def _code(stage: Stage, reply: Reply) -> Code:
    code, text = reply.code, reply.text.lower()
    if code is None or not 200 <= code <= 599 or code < 400:
        return Code.SMTP_PROTOCOL  # 2xx and 3xx where they are no answer
    if code in (530, 538, 554) and "starttls" in text:
        return Code.SMTP_TLS_REQUIRED
    if stage == "tls":
        return Code.SMTP_TLS_REQUIRED
    if code < 500:
        return Code.SMTP_TEMPFAIL
    wants_login = code in (530, 535) or (code == 534 and "5.7." in text)  # RFC 4954 section 6
    return Code.SMTP_AUTH if stage == "auth" or wants_login else Code.SMTP_REJECTED


def timed_out(stage: Stage, server: str, seconds: float, encrypted: bool = False) -> SmtpError:
    """Nothing was heard for too long; `encrypted`: inside TLS."""
    what = f"{server} did not answer within {seconds:.3g} s (stage {stage})."
    text = words.TIMED_OUT_IN_TLS if encrypted else words.TIMED_OUT
    return SmtpError(Code.SMTP_TIMEOUT, what, stage, None, text)


def out_of_time(stage: Stage, server: str) -> SmtpError:
    """The deadline of the whole call is over."""
    what = f"The time for this call was over while talking with {server} (stage {stage})."
    return SmtpError(Code.SMTP_TIMEOUT, what, stage)


def lost(stage: Stage, server: str, encrypted: bool = False) -> SmtpError:
    """The server hung up; `encrypted`: inside TLS."""
    what = f"{server} closed the connection (stage {stage})."
    text = words.LOST_IN_TLS if encrypted else words.LOST
    return SmtpError(Code.SMTP_DISCONNECTED, what, stage, None, text)


def garbled(stage: Stage, server: str) -> SmtpError:
    """The server does not speak SMTP, or too long."""
    what = f"{server} gave no SMTP reply (stage {stage}): is it a mail server?"
    return SmtpError(Code.SMTP_PROTOCOL, what, stage)


def unasked(stage: Stage, server: str) -> SmtpError:
    """The server replied to what it had not heard yet."""
    what = f"{server} replied before it was asked (stage {stage}), so the connection was given up."
    return SmtpError(Code.SMTP_PROTOCOL, what, stage)


def unreachable(error: OSError, server: str) -> SmtpError:
    """No connection came about."""
    if isinstance(error, socket.gaierror):
        why, text = "its name is not known here", words.UNKNOWN_NAME
    elif error.errno == errno.ECONNREFUSED:
        why, text = "nobody listens on that port", words.REFUSED
    else:
        why = _REASONS.get(error.errno or 0, "the network does not lead there")
        text = words.REFUSED
    what = f"{server} cannot be reached: {why}."
    return SmtpError(Code.HOST_UNREACHABLE, what, "connect", None, text)


_REASONS = {
    errno.EHOSTUNREACH: "there is no route to it",
    errno.ENETUNREACH: "there is no route to its network",
    errno.ETIMEDOUT: "it does not answer",
    errno.EACCES: "this user may not connect",
    errno.EPERM: "a firewall of this machine forbids it",
    errno.ECONNRESET: "it hung up at once",
}


def no_starttls(server: str) -> SmtpError:
    """The route wants STARTTLS and the server does not offer it, or somebody between took it out."""
    what = f"{server} does not offer STARTTLS; nothing was sent, and no password."
    return SmtpError(Code.SMTP_TLS_REQUIRED, what, "tls", None, words.NO_STARTTLS)


def unsafe_login(server: str, encrypted: bool) -> SmtpError:
    """AUTH would show the password to others (SAFETY.md 10)."""
    how = "unverified" if encrypted else "unencrypted"
    code = Code.SMTP_TLS_VERIFY if encrypted else Code.SMTP_TLS_REQUIRED
    what = (
        f"No login at {server} over an {how} connection: use ssl_mode starttls or smtps with verify, "
        "switch auth off, or say allow_insecure: true in the profile."
    )
    return SmtpError(code, what, "auth")


def no_mechanism(server: str, offered: bool) -> SmtpError:
    """The server offers no AUTH, or none of the mechanisms that the profile allows."""
    how = "none of the ways to log in that the profile allows (auth)" if offered else "no login"
    what = f"{server} offers {how} on this connection: switch auth off, or try another ssl_mode or port."
    return SmtpError(Code.SMTP_AUTH, what, "auth")


def not_supported(code: Code, server: str, what: str) -> SmtpError:
    """The mail needs an extension that the server does not offer; nothing of it was sent."""
    return SmtpError(code, f"{server} does not take {what}.", "mail")


def no_tls(error: ssl.SSLError, server: str) -> SmtpError:
    """The handshake failed; for a certificate that is not trusted SMTP_TLS_VERIFY."""
    if isinstance(error, ssl.SSLCertVerificationError):
        what = f"The certificate of {server} cannot be trusted: {_verification(error)}."
        text = words.unverified(error.verify_code)
        return SmtpError(Code.SMTP_TLS_VERIFY, what, "tls", None, text)
    reason = error.reason if isinstance(error.reason, str) else "unknown reason"
    what = f"No TLS with {server}: {reason.lower().replace('_', ' ')}."
    return SmtpError(Code.SMTP_TLS_REQUIRED, what, "tls", None, reason)


def with_certificate(failure: SmtpError, seen: TlsFacts | None) -> SmtpError:
    """The same failure, telling which certificate it was: its dates and its SHA-256."""
    if seen is None or seen.valid is None:
        return failure
    first, last = (f"{moment:%Y-%m-%d %H:%M} UTC" for moment in seen.valid)
    told = f"{failure.message} It is valid from {first} to {last}, SHA-256 {seen.fingerprint}."
    more = SmtpError(failure.code, told, failure.stage)
    more.advice = failure.advice
    return more


def _verification(error: ssl.SSLCertVerificationError) -> str:
    """OpenSSL's number in our words (x509_vfy.h); its own words may hold the certificate's names."""
    return _VERIFICATIONS.get(error.verify_code, f"verification error {error.verify_code}")


_VERIFICATIONS = {
    9: "it is not valid yet",
    10: "it has expired",
    18: "it is self-signed",
    19: "it comes from a CA that is not known here",
    20: "it comes from a CA that is not known here",
    21: "it comes from a CA that is not known here",
    23: "it has been revoked",
    62: "it was made out for another name",
    64: "it was made out for another address",
}
