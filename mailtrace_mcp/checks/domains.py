"""A sending domain of the configuration in the DNS: MX, SPF, DKIM for its selectors, DMARC."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING

import anyio

from mailtrace_mcp.checks import dkim, dmarc, mx, spf
from mailtrace_mcp.checks.finding import CheckName, Finding, Sheet, aside, unknown
from mailtrace_mcp.config.smtp import Smtp
from mailtrace_mcp.errors import MailtraceError
from mailtrace_mcp.send.policy.rules import senders

if TYPE_CHECKING:
    from mailtrace_mcp.checks.lookups import Lookups


def sending_domains(smtp: Smtp) -> dict[str, tuple[str, ...]]:
    """The domains of all profiles' senders (A-labels), each with the DKIM selectors of those profiles."""
    found: dict[str, dict[str, None]] = {}
    for profile in smtp.profiles.values():
        try:
            domains = {one.domain for one in senders(profile)}
        except MailtraceError:  # a sender that cannot be used; sending says so
            continue
        for domain in sorted(domains):
            selectors = found.setdefault(domain, {})
            if profile.dkim_selector is not None:
                selectors[profile.dkim_selector] = None
    return {domain: tuple(selectors) for domain, selectors in found.items()}


async def examine(sheet: Sheet, domain: str, selectors: Sequence[str], lookups: Lookups) -> None:
    """Looks the domain up and writes what is found."""
    from mailtrace_mcp.checks.lookups import NoSuchNameError

    sheet.begin("mx")
    try:
        await _each(sheet, "mx", lambda: _mx(domain, lookups))
    except NoSuchNameError:
        sheet.add(mx.missing())
        return
    sheet.begin("spf", "dkim", "dmarc")
    if not selectors:
        advice = "Set dkim_selector of the profile, if its server signs mail of this domain."
        sheet.add(aside("dkim", "No selector is configured.", advice))

    async def of_spf() -> Finding:
        return spf.check(await lookups.texts(domain))

    async with anyio.create_task_group() as group:
        group.start_soon(_each, sheet, "spf", of_spf)
        group.start_soon(_each, sheet, "dmarc", lambda: _dmarc(domain, lookups))
        for selector in selectors:
            group.start_soon(_each, sheet, "dkim", lambda one=selector: _dkim(one, domain, lookups))


async def _each(sheet: Sheet, check: CheckName, look: Callable[[], Awaitable[Finding]]) -> None:
    from mailtrace_mcp.checks.lookups import LookupFailedError

    try:
        finding = await look()
    except LookupFailedError as error:
        finding = unknown(check, f"Not known: {error}.", error.advice)
    sheet.add(finding)


async def _mx(domain: str, lookups: Lookups) -> Finding:
    exchangers = await lookups.mail_exchangers(domain)
    return mx.check(exchangers, not exchangers and await lookups.has_address(domain))


async def _dkim(selector: str, domain: str, lookups: Lookups) -> Finding:
    name = dkim.name(selector, domain)
    if name is None:
        return dkim.no_selector(selector)
    return dkim.check(selector, await lookups.texts(name))


async def _dmarc(domain: str, lookups: Lookups) -> Finding:
    for place in dmarc.places(domain):
        texts = await lookups.texts(f"_dmarc.{place}")
        records = [one for one in texts if dmarc.is_record(one)]
        if records:
            return dmarc.check(place, domain, records)
    return dmarc.missing()


async def doubts(domain: str, lookups: Lookups) -> tuple[str, ...]:
    """What may make receivers refuse mail from a domain: no MX, no SPF, or none such. Our sentences; what
    cannot be looked up is no doubt. Names that never exist in the DNS (RFC 6761) are not asked for."""
    from mailtrace_mcp.checks.lookups import LookupFailedError, NoSuchNameError

    if domain.rpartition(".")[2].lower() in _NEVER_THERE or "." not in domain:
        return ()
    try:
        found = [await _mx(domain, lookups), spf.check(await lookups.texts(domain))]
    except NoSuchNameError:
        found = [mx.missing()]
    except LookupFailedError:
        return ()
    return tuple(f"{domain}: {one.found}" for one in found if one.state == "bad")


_NEVER_THERE = ("test", "example", "invalid", "localhost", "local", "internal", "lan")
