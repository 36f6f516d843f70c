"""An sshd on every host that has logs, with one key pair for the whole lab.

A reader finds what it needs in the state folder: `id_ed25519` (for READER) and `known_hosts`.
"""

import subprocess
from pathlib import Path

from .hosts import Host
from .machine import Machine

# Only a member of adm, as a reader of logs ought to be: never root, never sudo.
READER = "mailtrace"
HOST_KEY = "/etc/ssh/lab_ed25519"
CONFIGURATION = f"""\
HostKey {HOST_KEY}
PidFile /run/sshd.pid
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
AllowUsers {READER}
Subsystem sftp internal-sftp
"""


def make_key(state: Path) -> None:
    """The reader's key pair, made anew for each lab."""
    key = state / "id_ed25519"
    if not key.exists():
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", READER, "-f", key], check=True
        )


def start(machine: Machine, state: Path) -> None:
    """Let the reader in with the lab's key, and listen on port 22."""
    home = f"/home/{READER}"
    machine.run("useradd", "--create-home", "--groups", "adm", "--shell", "/bin/sh", READER)
    machine.write(
        f"{home}/.ssh/authorized_keys", (state / "id_ed25519.pub").read_text(), mode="0600"
    )
    # sshd trusts no key in a folder that others may write.
    machine.run("chmod", "0700", home, f"{home}/.ssh")
    machine.run("chown", "-R", f"{READER}:", home)
    # `*` is no password that can be typed; a locked account (`!`) would be refused without PAM.
    machine.run("usermod", "--password", "*", READER)
    machine.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", HOST_KEY)
    machine.write("/etc/ssh/sshd_config", CONFIGURATION)
    machine.run("mkdir", "-p", "/run/sshd")
    machine.run("/usr/sbin/sshd")


def known_host(machine: Machine, host: Host) -> str:
    """The host's line for known_hosts, under all its names."""
    names = [host.name]
    for each in host.addresses:
        names += [each.name, each.ip4, *([each.ip6] if each.ip6 else [])]
    return f"{','.join(names)} {machine.run('cat', HOST_KEY + '.pub')}"
