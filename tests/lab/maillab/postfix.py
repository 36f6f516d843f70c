"""Configuring and starting Postfix on a host.

A host's configuration is the sum of its `parts`: folders in `config/`, each with a `main.cf`, a
`master.cf` (both joined in the order of the parts), and other files that go to /etc/postfix as
they are. What is the host's alone stands in `hosts.py`: `settings` for main.cf, and
`service_settings` for master.cf, in the words of `postconf -P`.
"""

from pathlib import Path

from .hosts import Host
from .machine import Machine

CONFIG = Path(__file__).resolve().parent.parent / "config"
PACKAGE_MASTER = "/etc/postfix/master.cf.proto"
TARGET = "/etc/postfix"


def configure(machine: Machine, host: Host) -> None:
    """Write main.cf, master.cf and the maps of a host."""
    machine.write(f"{TARGET}/main.cf", _joined(host, "main.cf"))
    machine.write("/etc/mailname", host.addresses[0].name + "\n")
    package_master = machine.run("cat", PACKAGE_MASTER)
    machine.write(f"{TARGET}/master.cf", package_master + _joined(host, "master.cf"))
    for part in host.parts:
        for file in sorted((CONFIG / part).iterdir()):
            if file.name not in ("main.cf", "master.cf"):
                machine.write(f"{TARGET}/{file.name}", file.read_text())
    settings = {"myhostname": host.addresses[0].name} | dict(host.settings)
    machine.run("postconf", "-e", *(f"{name}={value}" for name, value in settings.items()))
    # Debian runs the daemons in a chroot, which would need its own copy of resolv.conf and zone.
    machine.run("postconf", "-F", "*/*/chroot=n")
    if host.service_settings:
        machine.run(
            "postconf", "-P", *(f"{name}={value}" for name, value in host.service_settings.items())
        )
    # Postfix waits, at every reading, until a configuration file is two seconds old.
    machine.run("find", TARGET, "-type", "f", "-exec", "touch", "-d", "1 minute ago", "{}", "+")


def start(machine: Machine) -> None:
    """Build the alias database if the host has one, then start; it listens when this returns."""
    if machine.run("postconf", "-h", "alias_database").strip():
        machine.run("newaliases")
    machine.run("postfix", "start")


def _joined(host: Host, name: str) -> str:
    files = (CONFIG / part / name for part in host.parts)
    return "".join(
        f"# from {file.parent.name}\n{file.read_text()}" for file in files if file.exists()
    )
