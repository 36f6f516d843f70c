"""The frame of a log line: who wrote it, when, and the text that is left.

Each line is looked at by itself, so that a file may mix BSD (RFC 3164), RFC 3339, RFC 5424, journald's
short-iso and Postfix's own maillog_file (util/msg_logger.c: BSD with a zero-padded day).
"""

from __future__ import annotations

import re

from mailtrace_parsers.entry import Clock, Frame
from mailtrace_parsers.stamps import Stamp, bsd, bsd_known, iso, iso_with_microseconds

# `STAMP HOST TAG: text`. A blank ends the host and the tag, so that nothing a stranger writes is reached.
_BSD = re.compile(r"([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (\S+) (?:(\S+):(?: |$))?", re.ASCII)
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?) (\S+) (?:(\S+):(?: |$))?",
    re.ASCII,
)
_PRIORITY = re.compile(r"<\d{1,3}>(1 )?", re.ASCII)  # RFC 5424 section 6.2.1; the 1 is its version
_REPEATED = re.compile(r"message repeated (\d{1,9}) times: \[ ?", re.ASCII)  # rsyslog

_Tag = tuple[str | None, str | None, int | None]
_NO_TAG: _Tag = (None, None, None)

# The form of a stamp with all its digits made equal: as rsyslog writes them today.
_EQUAL_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_MICROSECONDS = (b"0000-00-00T00:00:00.000000+00:00 ", b"0000-00-00T00:00:00.000000-00:00 ")
_ISO_LENGTH, _BSD_LENGTH = 32, 15
# `HOST TAG` → what it means, of those that were seen last.
_Origin = tuple[str, str | None, str | None, int | None]
_ORIGINS_KEPT = 4096
_LONGEST_ORIGIN = 200  # characters
_origins: dict[str, _Origin] = {}

_new = tuple.__new__  # Frame(…) takes twice as long


def frame(raw: bytes, clock: Clock) -> Frame:
    """Read the frame of one line (bytes without 0x0A); never raises.

    A line that has none keeps all its text, with `at`, `host` and `daemon` None. Bytes that are not
    UTF-8 come out as surrogates (surrogateescape), so that `raw` can be had back.
    """
    line = raw.decode("utf-8", "surrogateescape")
    framed = _usual(raw, line, clock) or _any(line, clock)
    return _repeated(framed) if framed.text.startswith("message repeated ") else framed


def _usual(raw: bytes, line: str, clock: Clock) -> Frame | None:
    """The frame of a line as nearly all are, from a host and a tag that were seen before: it takes no
    pattern. None where `_any` must look, which reads these lines too (a test holds one against the other).
    """
    head, colon, text = line.partition(": ")
    stamp: Stamp | None
    if raw[: _ISO_LENGTH + 1].translate(_EQUAL_DIGITS) in _MICROSECONDS:
        origin = _origins.get(head[_ISO_LENGTH + 1 :])
        stamp = iso_with_microseconds(head[:_ISO_LENGTH], clock)
    else:
        origin = _origins.get(head[_BSD_LENGTH + 1 :])
        stamp = bsd_known(head[:_BSD_LENGTH], clock) if head.startswith(" ", _BSD_LENGTH) else None
    if not colon or origin is None or stamp is None:
        return None
    return _new(Frame, (*stamp, *origin, text, 1))


def _any(line: str, clock: Clock) -> Frame:
    """The frame of a line of any form."""
    if line.startswith("<") and (priority := _PRIORITY.match(line)):
        line = line[priority.end() :]
        if priority[1]:
            return _rfc5424(line, clock)
    if head := _BSD.match(line):
        text, host, tag = head.groups()
        at, resolution = bsd(text, clock)
    elif head := _ISO.match(line):
        text, host, tag = head.groups()
        at, resolution = iso(text, clock)
    else:
        return Frame(None, 1.0, None, None, None, None, line)
    origin = (host, *_NO_TAG) if tag is None else _remembered(host, tag)
    return Frame(at, resolution, *origin, line[head.end() :])


def _remembered(host: str, tag: str) -> _Origin:
    origin = (host, *_tag(tag))
    if len(_origins) >= _ORIGINS_KEPT:
        _origins.clear()
    if len(host) + len(tag) <= _LONGEST_ORIGIN:
        _origins[f"{host} {tag}"] = origin
    return origin


def _tag(tag: str) -> _Tag:
    """`instance/service[pid]`: the LAST path part is the daemon, all before it a label (global/mail_task.c).

    A label may hold brackets itself: `postfix/[::1]:10025/smtpd[77]`.
    """
    name, bracket, pid = tag.rpartition("[")
    if not bracket or not tag.endswith("]"):
        name, pid = tag, ""
    digits = pid[:-1]
    number = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 12 else None
    instance, _, daemon = name.rpartition("/")
    return (instance or None, daemon or None, number)


def _repeated(framed: Frame) -> Frame:
    """`message repeated N times: [ text]` (rsyslog; it cuts the text at 800 characters)."""
    head = _REPEATED.match(framed.text)
    if head is None or not framed.text.endswith("]"):
        return framed
    return framed._replace(text=framed.text[head.end() : -1], repeated=int(head[1]))


def _rfc5424(line: str, clock: Clock) -> Frame:
    """`TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA [MSG]` (RFC 5424 section 6)."""
    fields = line.split(" ", 5)
    if len(fields) < 6:
        return Frame(None, 1.0, None, None, None, None, line)
    at, resolution = iso(fields[0], clock)
    host = None if fields[1] == "-" else fields[1]
    process = "" if fields[3] == "-" else f"[{fields[3]}]"
    tag = _NO_TAG if fields[2] == "-" else _tag(fields[2] + process)
    text = fields[5][_structured_data(fields[5]) :].removeprefix(" ").removeprefix("\ufeff")
    return Frame(at, resolution, host, *tag, text)


def _structured_data(text: str) -> int:
    """Where STRUCTURED-DATA ends: `-`, or elements `[id name="value" …]`."""
    if text.startswith("-"):
        return 1
    at = 0
    while text.startswith("[", at):
        end = _element(text, at)
        if end < 0:
            return at
        at = end + 1
    return at


def _element(text: str, at: int) -> int:
    """Where the element that begins at `at` closes; `"`, `\\` and `]` stand escaped in a value."""
    quoted = False
    while (at := at + 1) < len(text):
        char = text[at]
        if char == "\\" and quoted:
            at += 1
        elif char == '"':
            quoted = not quoted
        elif char == "]" and not quoted:
            return at
    return -1
