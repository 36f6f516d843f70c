"""In which time zone a host's stamps are read: the configured one, its own, or a guess. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from mailtrace_mcp.checks.finding import Finding, bad, good, unknown
from mailtrace_mcp.config import Host
from mailtrace_mcp.config.values import zone
from mailtrace_mcp.errors import visible

_HALF_A_YEAR = timedelta(days=183)  # summer time and winter time


def own(told: str | None) -> ZoneInfo | None:
    """The zone of a name that a host told, if it is known here."""
    if told is None:
        return None
    try:
        return zone(told)
    except ValueError:
        return None


def effective(host: Host, told: str | None) -> ZoneInfo:
    """The zone in which stamps without one are read, as tracing does it (logs/plan)."""
    return (own(told) or host.zone) if host.zone_assumed else host.zone


def check(host: Host, told: str | None, floating: bool, now: datetime) -> Finding:
    """`told` is what the machine that holds the log says of its own zone; `floating`: stamps name none."""
    if not floating:
        return good("timezone", "Its stamps name their zone.")
    name = host.name
    if not host.zone_assumed:
        return _configured(host, told, now)
    if own(told) is None:
        why = "does not tell its own"
        if told is not None:
            why = f"says '{visible(told)}', which is no time zone known here"
        return unknown(
            "timezone",
            f"None is configured, and the host {why}: its stamps are read as {host.zone}.",
            f"Set hosts.{name}.timezone to the zone in which its syslog writes.",
        )
    if host.logs.elsewhere:
        return unknown(
            "timezone",
            f"None is configured; its stamps are read in that of the host that has them, {told}.",
            f"Set hosts.{name}.timezone to the zone in which its lines are written there.",
        )
    return good("timezone", f"None is configured; its stamps are read in the host's own, {told}.")


def _configured(host: Host, told: str | None, now: datetime) -> Finding:
    there = own(told)
    said = f"Its stamps are read as {host.zone}, as configured"
    if there is None or host.logs.elsewhere or _same(there, host.zone, now):
        return good("timezone", f"{said}.")
    return bad(
        "timezone",
        f"{said}; the host itself is in {told}.",
        f"Set hosts.{host.name}.timezone: {told}, unless its syslog writes in another zone.",
    )


def _same(one: ZoneInfo, other: ZoneInfo, now: datetime) -> bool:
    """Whether two zones have the same time now and half a year from now."""
    return all(
        at.astimezone(one).utcoffset() == at.astimezone(other).utcoffset()
        for at in (now, now + _HALF_A_YEAR)
    )
