"""One line of a log → an Entry, and a block of a log → its lines."""

from __future__ import annotations

from collections.abc import Iterator

from mailtrace_parsers.entry import Clock, Entry, Frame
from mailtrace_parsers.events import Event, Notice, Unrecognised
from mailtrace_parsers.postfix import event
from mailtrace_parsers.syslog import frame

_new = tuple.__new__  # Entry(…) takes twice as long
_LINE_ENDS = (b"\n", b"\r")
LONGEST = 65_536  # bytes of a line that are parsed; Postfix writes 2,000 (util/msg_logger.c)


def read(raw: bytes, clock: Clock, *, host: str = "", order: int = 0, source: str = "") -> Entry:
    """Read one line without its 0x0A; a 0x0D at its end belongs to the line's end too. Never raises.

    `host`, `order` and `source` are handed on (entry.py). Of a line longer than 64 KB the rest is kept in
    `raw` and not parsed: a delivery line that is cut so is marked as truncated.
    Lines of other programs give a Notice("foreign"), as the tag decides and not the text.
    """
    if raw.endswith(_LINE_ENDS):
        raw = raw.removesuffix(b"\n").removesuffix(b"\r")
    framed = frame(raw if len(raw) <= LONGEST else _cut(raw), clock)
    if framed.instance is None or framed.daemon is None:
        return Entry(host, order, framed, None, _no_postfix(framed), raw, source)
    queue_id, noqueue, said = event(framed.daemon, framed.text)
    return _new(Entry, (host, order, framed, queue_id, said, raw, source, noqueue))


def _cut(raw: bytes) -> bytes:
    """A cut line must not look whole: a delivery line is whole when it ends with its bracket."""
    return raw[:LONGEST].rstrip(b")")


def read_fragment(
    raw: bytes, clock: Clock, *, host: str = "", order: int = 0, source: str = ""
) -> Entry:
    """Read the beginning of a line that is still being written (`rest`): its frame, and no fact."""
    framed = frame(raw[:LONGEST], clock)
    return Entry(host, order, framed, None, Unrecognised(framed.text), raw, source)


def records(data: bytes) -> Iterator[bytes]:
    """The complete lines of a block, without their 0x0A; what follows the last 0x0A is none (`rest`).

    Only 0x0A ends a line: a stranger can put every other line end of Unicode into a log. Empty lines are
    given too, so that nothing is lost.
    """
    lines = data.split(b"\n")
    lines.pop()
    return iter(lines)


def rest(data: bytes) -> bytes:
    """What follows the last 0x0A: a line that is still being written, or that was cut off.

    It is no fact yet: `nrcpt=1` may become `nrcpt=12`. `read_fragment` keeps it as evidence.
    """
    return data[data.rfind(b"\n") + 1 :]


def _no_postfix(framed: Frame) -> Event:
    text = framed.text
    if framed.daemon is not None:
        return Notice("foreign", text)
    if not text:
        return Notice("empty", text)
    if text.strip() == "-- MARK --":  # syslogd's sign of life
        return Notice("mark", text)
    if text.startswith("last message repeated "):  # the older form of rsyslog's `message repeated`
        return Notice("repeated", text)
    return Unrecognised(text)
