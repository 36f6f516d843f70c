"""What was said on a connection, how far it came, and how long each stage took. No I/O.

Lines are masked here, before anybody can see them; they are a stranger's text all the same, and
whoever shows them cleans them first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Literal

from mailtrace_mcp.send.masking import STARS, Mask
from mailtrace_parsers.events import Reply
from mailtrace_parsers.replies import reply

Stage = Literal["connect", "banner", "ehlo", "tls", "auth", "mail", "rcpt", "data", "quit"]
MAIL_STAGES: tuple[Stage, ...] = ("mail", "rcpt", "data")

MOST_LINES = 200
LONGEST_LINE = 2000  # characters


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the dialogue: masked, not yet cleaned. For the content there is one line of ours."""

    side: Literal["client", "server"]
    text: str


@dataclass(frozen=True, slots=True)
class Timing:
    """The seconds that a stage took, all its commands together."""

    stage: Stage
    seconds: float


@dataclass
class _Part:
    """The lines and times of one part of a connection: its opening, one mail, its end."""

    lines: list[Line] = field(default_factory=list)
    seconds: dict[Stage, float] = field(default_factory=dict)


class Dialogue:
    """Keeps the opening of the connection, the latest mail on it, and its end."""

    def __init__(self, mask: Mask, clock: Callable[[], float] = perf_counter) -> None:
        self.mask = mask
        self.stage: Stage = "connect"
        self._clock = clock
        self._since: float | None = None
        self._opening, self._mail, self._end = _Part(), _Part(), _Part()
        self._now = self._opening

    def begin(self, stage: Stage) -> None:
        """A stage begins and the one before it ends; `mail` begins a new mail."""
        self.rest()
        self.stage = stage
        if stage == "mail":
            self._mail = _Part()
            self._now = self._mail
        elif stage == "quit":
            self._now = self._end
        self._since = self._clock()

    def rest(self) -> None:
        """Nothing is going on: the time from now on counts for no stage."""
        if self._since is not None:
            spent = self._now.seconds.get(self.stage, 0.0) + self._clock() - self._since
            self._now.seconds[self.stage] = spent
            self._since = None

    def said(self, text: str) -> None:
        """We said this."""
        self._add("client", self.mask(text))

    def said_in_auth(self, words: tuple[bytes, ...]) -> None:
        """We said something in which a secret may stand: AUTH and what answers its challenges."""
        shown = []
        for word in words:
            if word.upper() in (b"AUTH", b"PLAIN", b"LOGIN", b"CRAM-MD5", b"XOAUTH2"):
                shown.append(word.decode())
            else:
                self.mask.hide_sent(word)
                shown.append(STARS if word else "")
        self._add("client", " ".join(shown))

    def heard(self, code: int, message: str) -> None:
        """The server answered; its lines are parted by \\n."""
        for one in reply_lines(code, self.mask(message)):
            self._add("server", one)

    def read(self, code: int, message: str) -> Reply:
        """An answer as replies.py reads it, with secrets masked."""
        return reply(" ".join(reply_lines(code, self.mask(message))))

    def garbled(self, message: str) -> None:
        """The server said something that is no reply."""
        self._add("server", self.mask(message))

    @property
    def lines(self) -> tuple[Line, ...]:
        return (*self._opening.lines, *self._mail.lines, *self._end.lines)

    @property
    def timings(self) -> tuple[Timing, ...]:
        parts = (self._opening, self._mail, self._end)
        return tuple(Timing(stage, took) for part in parts for stage, took in part.seconds.items())

    def _add(self, side: Literal["client", "server"], text: str) -> None:
        lines = self._now.lines
        if len(lines) < MOST_LINES:
            cut = text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1] + "…"
            lines.append(Line(side, cut))
        elif len(lines) == MOST_LINES:
            lines.append(Line(side, "… (more lines were said)"))


def reply_lines(code: int, message: str) -> list[str]:
    """The lines of a reply as they were on the wire (RFC 5321 4.2.1), out of a code and joined texts."""
    texts = message.split("\n")
    lines = [f"{code}-{text}" for text in texts[:-1]]
    return [*lines, f"{code} {texts[-1]}"]
