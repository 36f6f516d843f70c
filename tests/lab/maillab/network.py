"""The lab's own network: a bridge in the switch, a cable to each host, DNS for made-up domains.

Nothing of it is in the outer machine's network, so nothing is reachable from outside and no address
can collide with a real one.
"""

from .hosts import CLUSTER_NAMES, HOSTS, MAIL_EXCHANGERS, SWITCH, Address, Host
from .machine import Machine

BRIDGE = "lab0"
RESOLVER = SWITCH.addresses[0].ip4
NETWORK = "192.0.2.0/24"
TESTER = SWITCH.addresses[-1].ip4
# Domains that end here: whatever is not listed does not exist, instead of "try again later".
OWN_TOP_LEVELS = ("test", "com", "net", "org", "arpa")


def build_switch(switch: Machine) -> None:
    """Make the bridge, give it the clients' addresses, and answer DNS."""
    batch = [f"link add {BRIDGE} type bridge", f"link set {BRIDGE} up", *_addresses(SWITCH, BRIDGE)]
    batch.append(f"route replace {NETWORK} dev {BRIDGE} src {TESTER}")
    switch.run_in_network("ip", "-batch", "-", text="\n".join(batch))
    switch.write("/etc/dnsmasq.lab.conf", dns_configuration())
    switch.run("dnsmasq", "--conf-file=/etc/dnsmasq.lab.conf")


def plug_in(machine: Machine, host: Host, switch: Machine) -> None:
    """Lay the cable from a host to the bridge and give the host its addresses."""
    # Only the network namespace is entered here: the PID after `netns` is one of the outer machine.
    cable = f"link add {host.name} type veth peer name eth0 netns {machine.pid}"
    plug = [cable, f"link set {host.name} master {BRIDGE} up"]
    switch.run_in_network("ip", "-batch", "-", text="\n".join(plug))
    batch = [*_addresses(host, "eth0"), "link set eth0 up"]
    machine.run_in_network("ip", "-batch", "-", text="\n".join(batch))
    machine.write("/etc/resolv.conf", f"nameserver {RESOLVER}\n")


def _addresses(host: Host, device: str) -> list[str]:
    lines = [f"addr add {each.ip4}/24 dev {device}" for each in host.addresses]
    # nodad: otherwise an IPv6 address cannot be bound for the first second.
    lines += [f"addr add {each.ip6}/64 dev {device} nodad" for each in host.addresses if each.ip6]
    return lines


def dns_configuration() -> str:
    """dnsmasq's file. A host's own name comes first: the first record also makes the PTR."""
    lines = ["no-resolv", "no-hosts", "user=root", "bind-interfaces", f"listen-address={RESOLVER}"]
    lines += [f"local=/{each}/" for each in OWN_TOP_LEVELS]
    by_name = {host.name: host.addresses[0] for host in HOSTS}
    for host in (SWITCH, *HOSTS):
        lines += [_record(each.name, each) for each in host.addresses]
    for name, members in CLUSTER_NAMES.items():
        lines += [_record(name, by_name[member]) for member in members]
    for domain, exchangers in MAIL_EXCHANGERS.items():
        lines += [
            f"mx-host={domain},{name},{preference}" for name, preference in exchangers.items()
        ]
    return "\n".join(lines) + "\n"


def _record(name: str, address: Address) -> str:
    return ",".join(["host-record=" + name, address.ip4, *([address.ip6] if address.ip6 else [])])
