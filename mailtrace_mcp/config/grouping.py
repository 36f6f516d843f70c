"""The clusters of the file, and whose each name and address is."""

from __future__ import annotations

from mailtrace_mcp.config.document import Path as KeyPath
from mailtrace_mcp.config.model import ALL_HOSTS, Cluster, Host
from mailtrace_mcp.config.naming import Names, TakenError, canonical
from mailtrace_mcp.config.problems import Problem
from mailtrace_mcp.config.schema import ClusterSection
from mailtrace_mcp.config.values import is_domain
from mailtrace_mcp.errors import did_you_mean, visible

_EXCHANGERS = "mx:"


def clusters_of(
    written: dict[str, ClusterSection], hosts: dict[str, Host], found: list[Problem]
) -> dict[str, Cluster]:
    """The clusters by name; what is wrong with them is added to `found`."""
    clusters: dict[str, Cluster] = {}
    for name, one in written.items():
        if name.casefold() == ALL_HOSTS:
            found.append(Problem(("clusters", name), "means every host already: name it otherwise"))
        members = [one for one in one.hosts if not one.lower().startswith(_EXCHANGERS)]
        domains = [one for one in one.hosts if one.lower().startswith(_EXCHANGERS)]
        clusters[name] = Cluster(
            name,
            _members(name, members, hosts, found),
            one.aliases or (),
            _domains(name, domains, found),
        )
    return clusters


def _members(
    cluster: str, written: list[str], hosts: dict[str, Host], found: list[Problem]
) -> tuple[str, ...]:
    by_name = {name.casefold(): name for name in hosts}
    for member in written:
        if member.casefold() not in by_name:
            words = f"has the unknown host '{visible(member)}'." + did_you_mean(member, hosts)
            found.append(Problem(("clusters", cluster), words))
    known = [by_name.get(member.casefold()) for member in written]
    return tuple(dict.fromkeys(one for one in known if one is not None))


def _domains(cluster: str, written: list[str], found: list[Problem]) -> tuple[str, ...]:
    domains = [one[len(_EXCHANGERS) :].rstrip(".").lower() for one in written]
    for domain in domains:
        if not is_domain(domain):
            words = (
                f"has '{_EXCHANGERS}{visible(domain)}', which is no domain: write mx:example.com"
            )
            found.append(Problem(("clusters", cluster), words))
    return tuple(dict.fromkeys(domains))


def names_of(
    hosts: dict[str, Host], clusters: dict[str, Cluster], found: list[Problem]
) -> tuple[Names, Names]:
    """Whose each name is. A name that would stand for two is a problem: it would prove nothing."""
    every, own, shared = Names(), Names(), Names()
    for host in hosts.values():
        _claim(host.name, host.name, ("hosts", host.name), (every, own), found)
        for key, names in (("address", host.addresses), ("aliases", host.aliases)):
            for name in names:
                _claim(name, host.name, ("hosts", host.name, key), (every, own), found)
    for cluster in clusters.values():
        label = f"the cluster {cluster.name}"
        taken = every.owner(cluster.name)
        if taken is not None:
            words = f"is also a name of {taken}: a selector must mean one thing"
            found.append(Problem(("clusters", cluster.name), words))
        for name in cluster.aliases:
            _claim(name, label, ("clusters", cluster.name, "aliases"), (every,), found)
            if every.owner(name) == label:
                shared.add(name, cluster.name)
    return own, shared


def _claim(
    name: str, owner: str, path: KeyPath, tables: tuple[Names, ...], found: list[Problem]
) -> None:
    try:
        for table in tables:
            table.add(name, owner)
    except TakenError as error:
        words = f"has '{visible(canonical(name))}', which already names {error.owner}"
        found.append(Problem(path, words))
