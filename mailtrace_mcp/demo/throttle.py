"""So many mails a minute: a bucket that fills evenly. Pure; the caller brings the clock."""

from __future__ import annotations

from dataclasses import dataclass, field

# In the form of a policy server's answers (smtpd/smtpd_check.c); after 421 the server hangs up.
LATER = "451 4.7.1 <{0}>: Sender address rejected: too much mail in this minute"
HANG_UP = "421 4.7.0 <{0}>: Sender address rejected: too much mail in this minute"


@dataclass
class Throttle:
    """`per_minute` mails, of which `burst` may come at once. Who goes on is refused with 451 and 421 in
    turn; `said` are the codes. Times in seconds of any clock."""

    per_minute: float
    burst: int
    said: list[int] = field(default_factory=list)
    _filled: float = field(default=0.0, init=False)
    _at: float | None = field(default=None, init=False)

    def refusal(self, sender: str, now: float) -> str | None:
        """The reply to MAIL FROM for a mail that comes now; None: it may come, and is counted."""
        since = 0.0 if self._at is None else now - self._at
        filled = self.burst if self._at is None else self._filled + since * self.per_minute / 60
        self._filled, self._at = min(float(self.burst), filled), now
        if self._filled >= 1:
            self._filled -= 1
            return None
        reply = HANG_UP if len(self.said) % 2 else LATER
        self.said.append(int(reply[:3]))
        return reply.format(sender)
