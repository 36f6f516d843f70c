"""Where each vendor puts its own queue ID when it accepts a mail.

The text is what follows the codes in the last line of an SMTP answer. Every form is matched as a whole.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_ID = r"([A-Za-z0-9][A-Za-z0-9._+~=-]{0,127})"  # never a path: no `/` in it, no dot before it
_MESSAGE_ID = r"<([^<>\s]{1,998})>"


class Place(NamedTuple):
    """What an answer names, by whose form; `discarded`: the mail was taken and thrown away."""

    vendor: str | None
    queue_id: str | None = None
    message_id: str | None = None
    discarded: bool = False


NOWHERE = Place(None)


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


# smtpd/smtpd.c: "250 2.0.0 Ok: queued as %s", "250 2.0.0 Ok: %ld bytes queued as %s"
_POSTFIX = _form(rf"Ok: (?:\d{{1,15}} bytes )?queued as {_ID}")
# Exim src/smtp_in.c and receive.c: "250 OK id=%s"
_EXIM = _form(rf"OK id={_ID}")
# GMX, web.de, IONOS; seen in the wild
_GMX = _form(rf"Requested mail action okay, completed: id={_ID}")
# Sendmail srvrsmtp.c: "250 2.0.0 %s Message accepted for delivery"; OpenSMTPD smtp_session.c: the same
# with eight hex digits
_ACCEPTED = _form(rf"{_ID} Message accepted for delivery")
_OPENSMTPD_ID = _form(r"[0-9a-f]{8}")
# Microsoft Exchange: the message-id, its internal number, since 2013 the host and the speed
_EXCHANGE = _form(
    _MESSAGE_ID + r"(?: \[InternalId=(\d{1,20})(?:, Hostname=[A-Za-z0-9._-]{1,255})?\])?"
    r"(?: \d{1,15} bytes in [\d.]{1,15}, [\d.]{1,15} KB/sec)?"
    r" Queued mail for delivery(?: -> 250 2\.\d{1,3}\.\d{1,3})?"
)
# Gmail: seconds since 1970, then its ID
_GMAIL = _form(rf"OK {{1,2}}(?:\d{{1,12}} )?{_ID} - gsmtp")
# Amazon SES: a time in hex, a UUID, a counter
_SES = _form(
    r"Ok ([0-9a-f]{16}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}-[0-9]{6})"
)
# Dovecot lmtp/lmtp-local.c: "250 2.0.0 <%s> %s Saved"; the session ID is base64, older ones have none
_DOVECOT = _form(r"<[^<>]{1,998}>(?: ([A-Za-z0-9+/]{8,64}(?::[A-Za-z0-9:]{1,32})?))? Saved")
# qmail-smtpd.c: "250 ok %lu qp %lu": the time and the number of the process that queued it
_QMAIL = _form(r"ok \d{1,12} qp (\d{1,10})")
# amavis: what its next MTA answered, or that it threw the mail away
_AMAVIS = _form(
    r"(?:Ok, id=[0-9-]{1,40}, )?from MTA\([a-z]{0,8}:?\[[0-9A-Fa-f.:]{2,45}\]:\d{1,5}\): "
    r"2\d\d (?:2\.\d{1,3}\.\d{1,3} )?"
)
_AMAVIS_DISCARDED = _form(r"Ok, discarded, id=[0-9-]{1,40}(?: - |$)")

# By the first word, so that an answer is held against one form or two.
_BY_WORD = {
    "Ok:": (("postfix", _POSTFIX),),
    "OK": (("gmail", _GMAIL), ("exim", _EXIM)),
    "Ok": (("ses", _SES),),
    "ok": (("qmail", _QMAIL),),
    "Requested": (("gmx", _GMX),),
}
_AMAVIS_WORDS = ("from", "Ok,")


def place(words: str) -> Place:
    """Find the vendor's form; NOWHERE where it is none of those known."""
    word = words.partition(" ")[0]
    for vendor, form in _BY_WORD.get(word, ()):
        if found := form.fullmatch(words):
            return Place(vendor, found[1])
    if word.startswith("<"):
        return _behind_an_address(words)
    if word in _AMAVIS_WORDS:
        return _amavis(words)
    if found := _ACCEPTED.fullmatch(words):
        return Place("opensmtpd" if _OPENSMTPD_ID.fullmatch(found[1]) else "sendmail", found[1])
    return NOWHERE


def _behind_an_address(words: str) -> Place:
    if words.endswith(" Saved"):
        found = _DOVECOT.fullmatch(words)
        return Place("dovecot", found[1]) if found else NOWHERE
    found = _EXCHANGE.fullmatch(words)
    return Place("exchange", found[2], found[1]) if found else NOWHERE


def _amavis(words: str) -> Place:
    """amavis hands on what the server behind it answered; that is no second amavis."""
    if _AMAVIS_DISCARDED.match(words):
        return Place("amavis", discarded=True)
    found = _AMAVIS.match(words)
    if found is None:
        return NOWHERE
    answer = words[found.end() :]
    if answer.startswith(_AMAVIS_WORDS):
        return Place("amavis")
    behind = place(answer)
    return Place("amavis", behind.queue_id, behind.message_id)
