"""How long each step of a mail took: from the arrival in a queue to the next host or the end."""

from __future__ import annotations

from collections.abc import Iterable

from mailtrace_mcp.answers.trace_types import DeliveryAttempt, Hop, HopLink, RecipientEnd
from mailtrace_mcp.answers.words import spent

_AT_ONCE = 0.01  # seconds: the precision of delays= in a log


def handed_on(source: Hop | None, link: HopLink) -> float | None:
    """Seconds from the arrival at the earlier hop until the later one had the mail; None where no
    delivery line tells it (a before-queue filter, a notice, a requeue)."""
    if source is None:
        return None
    places = (n for n in link.attempts or () if n < len(source.attempts))
    return _longest(source.attempts[n] for n in places)


def ended(hop: Hop | None, end: RecipientEnd) -> float | None:
    """Seconds from the arrival at the deciding hop until the attempt that decided it for a recipient."""
    if hop is None or end.at is None:
        return None
    name = (end.recipient, end.recipient_ref)
    return _longest(
        one
        for one in hop.attempts
        if one.at == end.at and (one.recipient, one.recipient_ref) == name
    )


def after(seconds: float | None) -> str | None:
    """`after 2.1 s`, `at once`, or None where it is not known."""
    if seconds is None:
        return None
    return "at once" if seconds < _AT_ONCE else f"after {spent(seconds)}"


def _longest(attempts: Iterable[DeliveryAttempt]) -> float | None:
    """Postfix's delays= add up to the time since the arrival, all earlier attempts with it."""
    return max(
        (
            sum(
                (
                    one.delays.before_qmgr,
                    one.delays.in_qmgr,
                    one.delays.connection_setup,
                    one.delays.transmission,
                )
            )
            for one in attempts
            if one.delays is not None
        ),
        default=None,
    )
