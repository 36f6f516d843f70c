"""A real sshd of our own on loopback, at an unprivileged port, and the ways to log in to it."""

from __future__ import annotations

import getpass
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import ports
from bench.programs import program
from mailtrace_mcp.logs.ssh.login import Login

# Another home: what somebody's .bashrc does is none of our business, and may take long.
_SETTINGS = """
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/id.pub
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 200
MaxSessions 50
Subsystem sftp internal-sftp
SetEnv HOME={folder}
"""
_CLIENT = """
Host *
  HostName 127.0.0.1
  Port {port}
  User {user}
  IdentityFile {folder}/id
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile none
  StrictHostKeyChecking yes
  BatchMode yes
  LogLevel ERROR
"""
_SEPARATION = Path("/run/sshd")  # where a server that runs as root wants an empty folder


@dataclass(frozen=True)
class Server:
    """A server that runs; its files lie in `folder`."""

    folder: Path
    port: int

    @property
    def key(self) -> Path:
        return self.folder / "id"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    def ssh(self, *options: str) -> tuple[str, ...]:
        """The command line of OpenSSH's client to it; the name of a host and a command follow."""
        return (program("ssh"), "-F", str(self.folder / "ssh_config"), *options)

    def login(self, host: str, port: int | None = None) -> Login:
        """The same for our own client; each host name has a connection of its own."""
        return Login(
            host=host,
            address="127.0.0.1",
            port=port or self.port,
            user=getpass.getuser(),
            known_as=("127.0.0.1",),
            known_hosts=str(self.known_hosts),
            keys=(str(self.key),),
            keys_needed=True,
        )


@contextmanager
def sshd(folder: Path) -> Iterator[Server]:
    """A server while it is needed. Raises MissingError."""
    folder.mkdir()
    for name in ("host_key", "id"):
        path = str(folder / name)
        keygen = (program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", path)
        subprocess.run(keygen, check=True)
    server = Server(folder, ports.free())
    place = {"folder": folder, "port": server.port, "user": getpass.getuser()}
    (folder / "sshd_config").write_text(_SETTINGS.format(**place))
    (folder / "ssh_config").write_text(_CLIENT.format(**place))
    key = (folder / "host_key.pub").read_text().split()[:2]
    server.known_hosts.write_text(f"* {' '.join(key)}\n")
    made = os.geteuid() == 0 and not _SEPARATION.exists()
    if made:
        _SEPARATION.mkdir(mode=0o755)
    command = (program("sshd"), "-D", "-e", "-f", str(folder / "sshd_config"))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)
    try:
        with ports.listening(process, server.port):
            yield server
    finally:
        if made:
            _SEPARATION.rmdir()
