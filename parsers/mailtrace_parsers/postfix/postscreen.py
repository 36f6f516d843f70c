"""postscreen(8) and tlsproxy(8): clients before they reach smtpd(8)
(postscreen/postscreen.c, postscreen_early.c, postscreen_misc.c, postscreen_smtpd.c; tlsproxy/tlsproxy.c)."""

from __future__ import annotations

from mailtrace_parsers.events import Event, Notice, Peer, Session
from mailtrace_parsers.peer import peer
from mailtrace_parsers.postfix.actions import screened

_WHAT_PEER = (
    "PASS OLD", "PASS NEW", "WHITELISTED", "ALLOWLISTED", "BLACKLISTED", "DENYLISTED", "WHITELIST VETO",
    "ALLOWLIST VETO", "DISCONNECT",
)  # fmt: skip
_AFTER_STAGE = (
    "COMMAND TIME LIMIT", "COMMAND COUNT LIMIT", "COMMAND LENGTH LIMIT", "COMMAND PIPELINING",
    "NON-SMTP COMMAND", "BARE NEWLINE",
)  # fmt: skip
_NOTICES = ("entering STRESS mode", "leaving STRESS mode", "skip ")


def about_mail(text: str) -> Event | None:
    """Read what follows NOQUEUE."""
    return screened(text)


def about_process(text: str) -> Event | None:
    """`CONNECT from …`, `PASS NEW …`, `PREGREET N after S from …: TEXT`, `… LIMIT from … after STAGE`."""
    what, found, rest = text.partition(" [")
    if found and what in _WHAT_PEER:
        return _session(what, "[" + rest)
    if text.startswith("CONNECT "):
        return _connect(text)
    if text.startswith("reject: connect from "):
        return screened(text)
    if text.startswith(_NOTICES):
        return Notice("screening", text)
    return _violation(text)


def _connect(text: str) -> Session | None:
    """postscreen: `CONNECT from PEER to SERVER`; tlsproxy: `CONNECT from|to PEER`."""
    who = text.split(" ", 3)[2:3]
    return _session("CONNECT", who[0], text) if who else None


def _violation(text: str) -> Session | None:
    if text.startswith("DNSBL rank "):
        return _session("DNSBL", text.rpartition(" for ")[2], text)
    if text.startswith(("PREGREET ", "HANGUP ")):
        return _session(text.partition(" ")[0], _named(text), text)
    if text.startswith(("DATA without valid RCPT from ", "BDAT without valid RCPT from ")):
        return _session(text[:23], _named(text), text)
    what, found, rest = text.partition(" from ")
    if not found or what not in _AFTER_STAGE:
        return None
    named, _, after = rest.partition(" after ")
    stage, _, said = after.partition(":")
    return _session(what, named, said.removeprefix(" "), stage[:40] or None)


def _named(text: str) -> str:
    """The peer between the first ` from ` and the next blank or `: `."""
    return text.partition(" from ")[2].partition(" ")[0].removesuffix(":")


def _session(what: str, named: str, text: str = "", stage: str | None = None) -> Session | None:
    who: Peer | None = peer(named)
    return Session(what, who, None, text, stage) if who else None
