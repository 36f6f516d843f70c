"""The hosts of the lab, as data: the only file to touch for one more host of a known kind.

A new role is a folder in `config/` (see `postfix.py`) and its name in `parts`; a new server of our
own is a file in `programs/` and its name in `programs`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Address:
    """One name of a host and the addresses behind it; `ip6` is None for a host of the old world."""

    name: str
    ip4: str
    ip6: str | None = None


@dataclass(frozen=True)
class Host:
    """One machine of the lab; the first address is the host's own, more make it several servers."""

    name: str
    addresses: tuple[Address, ...]
    role: str
    zone: str = "UTC"
    log_format: str = "rfc3339"
    parts: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    service_settings: Mapping[str, str] = field(default_factory=dict)
    users: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()


# The machine that holds the bridge. It answers DNS at the first address; the others are the lab's
# mail clients, so that one process can be a desk PC now and a stranger then, by its source address.
SWITCH = Host(
    name="switch",
    addresses=(
        Address("ns.example.test", "192.0.2.1", "2001:db8::1"),
        Address("pc1.example.test", "192.0.2.101", "2001:db8::101"),
        Address("pc2.example.test", "192.0.2.102"),
        Address("relay.example.net", "192.0.2.140", "2001:db8::140"),
        Address("relay.example.org", "192.0.2.141"),
        Address("dialup.example.net", "192.0.2.150"),
        # Programs that choose no address of their own: smtp-source, and what `lab net` runs.
        Address("tester.example.test", "192.0.2.110", "2001:db8::110"),
    ),
    role="switch",
)

LONG_IDS = {"enable_long_queue_ids": "yes"}
# Long enough for the second try of a greylisted mail, short enough to wait for in a test.
EXPIRE_SOON = {"maximal_queue_lifetime": "60s", "bounce_queue_lifetime": "60s"}

HOSTS = (
    Host(
        name="csmail1",
        addresses=(Address("csmail1.example.test", "192.0.2.11", "2001:db8::11"),),
        role="smtp-cluster",
        zone="Asia/Taipei",
        parts=("common", "smtp"),
        settings=LONG_IDS
        | {"delay_warning_time": "45s", "transport_maps": "texthash:$config_directory/by_mx"},
        users=("cron",),
    ),
    Host(
        name="csmail2",
        addresses=(Address("csmail2.example.test", "192.0.2.12", "2001:db8::12"),),
        role="smtp-cluster",
        zone="UTC",
        log_format="bsd",
        parts=("common", "smtp"),
        settings=EXPIRE_SOON | {"transport_maps": "texthash:$config_directory/by_name"},
        users=("cron",),
    ),
    Host(
        name="csmx1",
        addresses=(Address("csmx1.example.test", "192.0.2.21", "2001:db8::21"),),
        role="mx-cluster",
        zone="Asia/Taipei",
        parts=("common", "mx"),
        settings=LONG_IDS
        | {
            "relay_recipient_maps": "texthash:$config_directory/known_recipients",
            "recipient_bcc_maps": "texthash:$config_directory/recipient_bcc",
        },
    ),
    Host(
        name="csmx2",
        addresses=(Address("csmx2.example.test", "192.0.2.22", "2001:db8::22"),),
        role="mx-cluster",
        zone="Asia/Taipei",
        log_format="bsd",
        parts=("common", "mx", "filter"),
        service_settings={"smtp/inet/content_filter": "scan:[127.0.0.1]:10024"},
        programs=("content_filter",),
    ),
    Host(
        name="csbox1",
        addresses=(Address("csbox1.example.test", "192.0.2.31", "2001:db8::31"),),
        role="mailbox",
        zone="Asia/Taipei",
        parts=("common", "box"),
        users=("alice", "bob", "carol", "dave", "erin", "frank", "grace", "auditor", "robot"),
    ),
    # Nobody's Postfix: small servers of ours that answer as the big ones of the world do.
    Host(
        name="outside",
        addresses=(
            Address("mail.example.net", "192.0.2.40", "2001:db8::40"),
            Address("gray.example.org", "192.0.2.41"),
            Address("refuse.example.com", "192.0.2.42"),
            Address("down.example.com", "192.0.2.43"),
            Address("mail.example.com", "192.0.2.44"),
        ),
        role="outside",
        programs=("outside_smtp",),
    ),
)

# Names that stand for a whole cluster: one name, several hosts, in turn.
CLUSTER_NAMES = {
    "smtp.example.test": ("csmail1", "csmail2"),
    "mx.example.test": ("csmx1", "csmx2"),
}

# Mail domain → its mail exchangers with their preferences.
MAIL_EXCHANGERS = {
    "example.test": {"csmx1.example.test": 10, "csmx2.example.test": 10},
    "lists.example.test": {"csmx1.example.test": 10, "csmx2.example.test": 10},
    "example.net": {"mail.example.net": 10},
    "example.org": {"gray.example.org": 10},
    "example.com": {"mail.example.com": 10},
    # The first one greylists, or is always down: a second server is tried within one delivery.
    "two.example.com": {"gray.example.org": 10, "mail.example.com": 20},
    "backup.example.com": {"down.example.com": 10, "mail.example.com": 20},
}


def host(name: str) -> Host:
    """The host of that name; KeyError if there is none."""
    return {each.name: each for each in (SWITCH, *HOSTS)}[name]
