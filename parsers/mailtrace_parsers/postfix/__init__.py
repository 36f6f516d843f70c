"""The text of one record of Postfix's log → the queue ID it is about, and one event.

A file per daemon reads what that daemon writes; this one only finds the right reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from mailtrace_parsers.events import Client, Diagnostic, Event, Unrecognised
from mailtrace_parsers.postfix import (
    bounce,
    cleanup,
    daemons,
    delivery,
    pickup,
    postscreen,
    postsuper,
    qmgr,
    smtp,
    smtpd,
    tls,
)
from mailtrace_parsers.postfix.queue_id import QUEUE_ID

# What one text says: the queue ID it is about, whether it says NOQUEUE, and the event.
Fact: TypeAlias = tuple[str | None, bool, Event]
_Reader: TypeAlias = Callable[[str], Event | None]

_ABOUT = re.compile(rf"({QUEUE_ID}): ")
_LEVELS = frozenset(("warning:", "error:", "fatal:", "panic:"))  # util/msg_syslog.c severity_name
_TLS = frozenset(("Anonymous", "Untrusted", "Trusted", "Verified"))
_ABOUT_MAIL: dict[str, _Reader] = {
    "smtpd": smtpd.about_mail,
    "qmqpd": smtpd.about_mail,  # qmqpd/qmqpd.c: client=
    "postscreen": postscreen.about_mail,
    "cleanup": cleanup.about_mail,
    "qmgr": qmgr.about_mail,
    "oqmgr": qmgr.about_mail,
    "pickup": pickup.about_mail,
    "bounce": bounce.about_mail,
    "defer": bounce.about_mail,
    "trace": bounce.about_mail,
    "postsuper": postsuper.about_mail,
    "smtp": smtp.about_mail,
    "lmtp": smtp.about_mail,
}
_ABOUT_PROCESS: dict[str, _Reader] = {
    "smtpd": smtpd.about_process,
    "qmqpd": smtpd.about_process,
    "postscreen": postscreen.about_process,
    "tlsproxy": postscreen.about_process,
    "postsuper": postsuper.about_process,
    "smtp": smtp.about_process,
    "lmtp": smtp.about_process,
}


def event(daemon: str, text: str) -> Fact:
    """Read the text of one record that `daemon` wrote; never raises.

    Whatever is not understood comes back as Unrecognised, with the queue ID where it begins with one.
    """
    if begun := _ABOUT.match(text):
        return begun[1], False, _about_mail(daemon, text[begun.end() :]) or Unrecognised(text)
    word, _, rest = text.partition(" ")
    if word in _LEVELS:
        return _diagnostic(word[:-1], rest)
    if word == "NOQUEUE:":
        return None, True, _before_queue(_about_mail(daemon, rest)) or Unrecognised(text)
    found = tls.tls(text) if word in _TLS else None
    reader = _ABOUT_PROCESS.get(daemon)
    if reader and not found:
        found = reader(text)
    return None, False, found or daemons.notice(word, text) or Unrecognised(text)


def _about_mail(daemon: str, text: str) -> Event | None:
    if text.startswith("to="):
        return delivery.delivery(daemon, text)
    if text.startswith("status=") and (found := delivery.all_deferred(text)):
        return found  # whoever asked for the bounce writes it (global/abounce.c)
    reader = _ABOUT_MAIL.get(daemon)
    return (reader(text) if reader else None) or delivery.all_deferred(text)


def _before_queue(found: Event | None) -> Event | None:
    """`NOQUEUE: client=`: a before-queue filter gets the mail."""
    return found._replace(before_queue=True) if isinstance(found, Client) else found


def _diagnostic(level: str, text: str) -> Fact:
    """`warning: QID: TEXT`: the severity stands before all else (util/msg_syslog.c)."""
    if begun := _ABOUT.match(text):
        return begun[1], False, Diagnostic(level, text[begun.end() :])
    return None, False, Diagnostic(level, text)
