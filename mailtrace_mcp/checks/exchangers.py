"""Which configured hosts are mail exchangers of a domain: `mx:DOMAIN` in a cluster.

DNS only chooses among hosts of the configuration, by the names that they have there. It never brings one
in: what it names beside them is told and not read, gets no credentials, and is not looked up either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import anyio

from mailtrace_mcp.answers import trust
from mailtrace_mcp.answers.words import listed
from mailtrace_mcp.config import Cluster, Config

if TYPE_CHECKING:
    from mailtrace_mcp.checks.lookups import Lookups

SECONDS = 3.0  # for all domains together; a question has more to do than this
_MOST = 20  # exchangers of a domain that are looked at


@dataclass
class _Domain:
    """What is known of one domain: its exchangers that are configured hosts, and the names of the rest.
    `trouble`: why nothing is known."""

    name: str
    hosts: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    trouble: str = "no DNS server answered in time"


async def joined(config: Config, lookups: Lookups) -> tuple[Config, tuple[str, ...]]:
    """The configuration with those hosts as members of their clusters, and what must be said of it. Takes
    SECONDS at most; never raises for what the DNS does."""
    domains = {name: _Domain(name) for one in config.clusters.values() for name in one.exchangers}
    with anyio.move_on_after(SECONDS):
        async with anyio.create_task_group() as group:
            for domain in domains.values():
                group.start_soon(_look, domain, config, lookups)
    clusters = {
        name: _with(one, [domains[domain] for domain in one.exchangers])
        for name, one in config.clusters.items()
    }
    notes = tuple(_note(one) for one in domains.values() if one.trouble or one.others)
    return replace(config, clusters=clusters), notes


def _with(cluster: Cluster, domains: Sequence[_Domain]) -> Cluster:
    found = (host for domain in domains for host in domain.hosts)
    return replace(cluster, hosts=tuple(dict.fromkeys((*cluster.hosts, *found))))


def _note(domain: _Domain) -> str:
    if domain.trouble:
        return (
            f"The mail exchangers of {domain.name} are not known ({domain.trouble}): its cluster stands for "
            "the hosts alone that the configuration names."
        )
    plain = [one for one in domain.others if trust.host_name(one)]
    named = listed(plain, 5) or "some whose names are no host names"
    return f"Mail exchangers of {domain.name} that are no configured hosts are not read: {named}."


async def _look(domain: _Domain, config: Config, lookups: Lookups) -> None:
    from mailtrace_mcp.checks.lookups import LookupFailedError, NoSuchNameError

    try:
        found = await lookups.mail_exchangers(domain.name)
    except NoSuchNameError:
        domain.trouble = "there is no such domain"
        return
    except LookupFailedError as error:
        domain.trouble = str(error)
        return
    names = [name for _, name in found if name][:_MOST] or ([] if found else [domain.name])
    owners = {name: config.owner_of(name) for name in names}
    domain.hosts = tuple(dict.fromkeys(host for host in owners.values() if host is not None))
    domain.others = tuple(name for name, host in owners.items() if host is None)
    domain.trouble = ""
