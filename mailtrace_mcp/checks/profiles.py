"""An SMTP profile, tried without a mail: connect, banner, EHLO, TLS, login, NOOP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from mailtrace_mcp.answers import trust
from mailtrace_mcp.answers.words import spent
from mailtrace_mcp.checks.finding import CheckName, Finding, Said, Sheet, aside, bad, good, unknown
from mailtrace_mcp.config import Config
from mailtrace_mcp.errors import Code, MailtraceError
from mailtrace_mcp.send import Account, Probe, SmtpError, probe
from mailtrace_mcp.send.dialogue import Stage
from mailtrace_mcp.send.routes import Route

_STEPS: tuple[CheckName, ...] = ("connect", "banner", "ehlo", "tls", "auth", "noop")
_SMTPS_STEPS: tuple[CheckName, ...] = ("connect", "tls", "banner", "ehlo", "auth", "noop")
_ENDS_SOON = timedelta(days=14)
_MECHANISMS = frozenset(
    "PLAIN LOGIN CRAM-MD5 XOAUTH2 OAUTHBEARER DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256 GSSAPI NTLM EXTERNAL "
    "SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS".split()
)
# IANA's registry of SMTP service extensions, and what else is often seen.
_EXTENSIONS = frozenset(
    "8bitmime auth binarymime burl chunking deliverby dsn enhancedstatuscodes etrn expn future futurerelease "
    "help limits mt-priority mtrk pipelining requiretls rrvs size smtputf8 starttls submitter utf8smtp "
    "vrfy xclient xforward".split()
)


async def examine(sheet: Sheet, config: Config, name: str, seconds: float) -> None:
    """Tries the profile, within `seconds`, and writes what is found."""
    sheet.begin("connect")
    tried = await probe(config, name, seconds)
    for finding in _findings(tried, datetime.now(UTC)):
        sheet.add(finding)
    sheet.begin()


def _findings(tried: Probe, now: datetime) -> Iterator[Finding]:
    """What was reached is good, or has its own words; what stopped it is bad; the rest is not told."""
    failure, account = tried.failure, tried.account
    if failure is not None and not isinstance(failure, SmtpError):
        # Something is wrong on this side: it shows before anything is connected.
        yield _failed("tls" if failure.code == Code.CONFIG_INVALID else "auth", failure)
        return
    if account is None:
        return
    for step in _SMTPS_STEPS if tried.route.tls == "smtps" else _STEPS:
        if failure is not None and step == _stopped_at(failure, account):
            yield _failed(step, failure)
            return
        yield _reached(step, tried, account, now)


def _stopped_at(failure: SmtpError, account: Account) -> CheckName:
    """The step at which it failed; NOOP is no stage of its own."""
    if any(line.side == "client" and line.text == "NOOP" for line in account.transcript):
        return "noop"
    stage = failure.stage
    return stage if stage in ("connect", "banner", "ehlo", "tls", "auth") else "noop"


def _failed(step: CheckName, failure: MailtraceError) -> Finding:
    advice = failure.advice if isinstance(failure, SmtpError) else None
    found = failure.message.removesuffix(f" {advice}") if advice else failure.message
    reply = failure.reply if isinstance(failure, SmtpError) else None
    said = Said("the server's answer", reply.text) if reply is not None else None
    default = _ADVICE.get(failure.code, "Check host, port and tls of the profile.")
    return bad(step, found, advice or default, failure.code, said)


_ADVICE: dict[str, str] = {
    Code.SECRET_MISSING: "Set password or password_command of the profile.",
    Code.CONFIG_INVALID: "Check ca_file, cert and key of the profile.",
    Code.SMTP_AUTH: "Check user, password and auth of the profile.",
    Code.SMTP_TEMPFAIL: "Try again in some minutes.",
}


def _reached(step: CheckName, tried: Probe, account: Account, now: datetime) -> Finding:
    match step:
        case "connect":
            return good("connect", f"{trust.clean(account.server)}, {_took(account, 'connect')}.")
        case "banner":
            return _banner(account)
        case "ehlo":
            return _ehlo(account.extensions)
        case "tls":
            return _tls(tried.route, account, now)
        case "auth":
            return _auth(tried)
        case _:
            return good("noop", "It answers NOOP; no mail was sent.")


def _took(account: Account, stage: Stage) -> str:
    return spent(sum(one.seconds for one in account.timings if one.stage == stage))


def _banner(account: Account) -> Finding:
    """What it said before we said anything."""
    lines = []
    for line in account.transcript:
        if line.side == "client":
            break
        lines.append(line.text)
    code = lines[0][:3] if lines and lines[0][:3].isdigit() else "none"
    said = Said("banner", " ".join(lines)) if lines else None
    return good("banner", f"{code}, after {_took(account, 'banner')}.", None, said)


def _ehlo(offered: Mapping[str, str]) -> Finding:
    """The features that it offers, those that are known by name."""
    known = [_feature(word, offered[word]) for word in offered if word in _EXTENSIONS]
    others = {word: value for word, value in offered.items() if word not in _EXTENSIONS}
    told = ", ".join(known) or "none that is known"
    if not others:
        return good("ehlo", f"It offers {told}.")
    said = Said("other EHLO keywords", ", ".join(f"{a} {b}".strip() for a, b in others.items()))
    return good("ehlo", f"It offers {told}, and {len(others)} more.", None, said)


def _feature(word: str, value: str) -> str:
    shown = word.upper()
    if word == "size" and value.strip().isdecimal():
        return f"{shown} {value.strip()[:15]}"
    if word == "auth":
        known = [one for one in value.upper().split() if one in _MECHANISMS]
        return " ".join([shown, *known])
    return shown


def _tls(route: Route, account: Account, now: datetime) -> Finding:
    facts = account.tls
    if facts is None:
        offered = "starttls" in account.extensions
        advice = "It offers STARTTLS: say tls: starttls in the profile." if offered else None
        return aside("tls", "Not encrypted: the profile says tls: none.", advice)
    told = f"{trust.clean(facts.version)}, {trust.clean(facts.cipher)}"
    if facts.valid is not None:
        ends = facts.valid[1]
        told += f", certificate valid until {ends:%Y-%m-%d %H:%M} UTC"
        if facts.verified and ends - now < _ENDS_SOON:
            left = spent(max(0.0, (ends - now).total_seconds()))
            advice = (
                "Have the certificate renewed on the server: with verify it will be refused then."
            )
            return good("tls", f"{told}: {left} are left.", advice)
    if facts.verified:
        return good("tls", f"{told}, verified.")
    if route.verify:  # cannot be: a handshake that verifies fails otherwise
        return unknown("tls", f"{told}, not verified.", "Check ca_file of the profile.")
    advice = (
        "Anybody in between could read it: name the server's CA in ca_file and leave out verify: "
        "false, unless this is a test server."
    )
    return aside("tls", f"{told}, not verified: the profile says verify: false.", advice)


def _auth(tried: Probe) -> Finding:
    if tried.note is not None:
        advice = "Encrypt and verify (tls, verify), or say allow_insecure: true in the profile."
        return bad("auth", tried.note, advice, Code.NOT_ALLOWED)
    if tried.route.login is None:
        return aside("auth", "The profile has no login.")
    return good("auth", "It took the login.")
