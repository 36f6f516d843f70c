"""Whose name or address is it: a server in a log line against the configured hosts, exactly."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import Protocol

from mailtrace_parsers.events import Peer


class Members(Protocol):
    """A cluster, as far as tracing needs it."""

    @property
    def hosts(self) -> tuple[str, ...]: ...


class KnownHosts(Protocol):
    """The alias table of the configuration. Both look-ups are by whole name or address, never by a
    first label; a name that a stranger chose must not become one of ours."""

    def owner_of(self, name_or_address: str) -> str | None:
        """The configured host that has this name, alias or address."""

    def cluster_of(self, name_or_address: str) -> Members | None:
        """The cluster whose own alias this is (a VIP, a balancer)."""


def is_loopback(peer: Peer | None) -> bool:
    """Whether the other end is this host itself, by its address (`localhost` alone is a claim)."""
    return peer is not None and peer.address is not None and _is_loopback(peer.address)


@lru_cache(maxsize=8192)  # the same few addresses stand in every line
def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def hosts_behind(peer: Peer | None, own: str, known: KnownHosts) -> frozenset[str]:
    """The configured hosts that `peer`, as `own` writes it, may be; empty for one that is not ours.

    The address outweighs the name: the name is what was asked for, the address what was reached.
    """
    if peer is None:
        return frozenset()
    if is_loopback(peer) or (peer.socket is not None):
        return frozenset({own})
    for text in (peer.address, peer.name):
        if text is None:
            continue
        if owner := known.owner_of(text):
            return frozenset({owner})
        if cluster := known.cluster_of(text):
            return frozenset(cluster.hosts)
    return frozenset()


def is_host(peer: Peer | None, own: str, wanted: str, known: KnownHosts) -> bool:
    """Whether `peer`, as the host `own` saw it, is the configured host `wanted` (or may be, in a cluster)."""
    return wanted in hosts_behind(peer, own, known)
