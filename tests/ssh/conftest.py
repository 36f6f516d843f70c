"""A real sshd with users that may do different things, and stores over it."""

from __future__ import annotations

import gzip
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mailtrace_mcp.config.values import Secret
from mailtrace_mcp.logs.ssh.command_store import CommandStore
from mailtrace_mcp.logs.ssh.login import Login
from mailtrace_mcp.logs.ssh.machine import Machine
from mailtrace_mcp.logs.ssh.pool import Pool
from mailtrace_mcp.logs.ssh.remote_store import RemoteStore
from mailtrace_mcp.logs.ssh.sftp_store import SftpStore

from .box import SBIN, Box, NoBoxError, Sshd, keypair

MOST = 64 << 20
SCRIPT = Path(__file__).parents[2] / "mailtrace_mcp" / "logs" / "ssh" / "mailtrace-read"
FORCED = "restrict,command=\"/usr/local/bin/mailtrace-read '/var/log/mail.log*' journal\" "
PASSWORD = "correct horse battery"

# user → login shell, and what stands before its key
USERS = {
    "reader": ("/bin/sh", ""),
    "installed": ("/bin/sh", FORCED),
    "narrow": ("/bin/sh", FORCED.replace(" journal", "")),
    "files": ("/bin/sh", ""),
    "nothing": ("/bin/sh", 'restrict,command="exit 1" '),
    "one": ("/bin/sh", ""),
    "secret": ("/bin/sh", ""),
    "bash": ("/bin/bash", ""),
    "rbash": ("/bin/rbash", ""),
    "tcsh": ("/usr/bin/tcsh", ""),
    "fish": ("/usr/bin/fish", ""),
}
CONFIGURATION = """
Match User files
    ChrootDirectory /srv/chroot
    ForceCommand internal-sftp -R
Match User one
    MaxSessions 1
Match User secret
    AuthenticationMethods password
    PasswordAuthentication yes
"""


def go_on() -> bool:
    """A `stopped` that never says so."""
    return False


@dataclass
class Place:
    """A server, and how to get in there."""

    box: Box
    server: Sshd
    key: Path
    known_hosts: Path

    def login(self, user: str = "reader", **changes: object) -> Login:
        """A login of `user`; `changes` are fields of Login."""
        usual = Login(
            host="mx1",
            address="127.0.0.1",
            port=self.server.port,
            user=user,
            known_as=("127.0.0.1",),
            known_hosts=str(self.known_hosts),
            keys=() if user == "secret" else (str(self.key),),
            keys_needed=True,
            password=Secret(PASSWORD) if user == "secret" else None,
            connect_timeout=5.0,
            command_timeout=10.0,
        )
        return replace(usual, **changes)  # type: ignore[arg-type]

    def write(self, name: str, data: bytes) -> str:
        """A file in the host's /var/log that its readers may read; its path there."""
        file = self.box.log / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        file.chmod(0o644)
        return f"/var/log/{name}"


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("ssh")
    try:
        box = Box.made(folder)
    except NoBoxError as error:
        pytest.skip(str(error))
    try:
        key = keypair(folder / "id")
        _users(box, key)
        server = box.sshd(CONFIGURATION)
        known = folder / "known_hosts"
        known.write_text(server.known_host("127.0.0.1", "mx1.lab"))
        yield Place(box, server, key, known)
    finally:
        box.stop()


def _users(box: Box, key: Path) -> None:
    shutil.copy(SCRIPT, box.folder / "mailtrace-read")
    box.run("install -m 0755 mailtrace-read /usr/local/bin/; install -d /srv/chroot/log")
    box.run("mount --bind /var/log /srv/chroot/log")
    public = key.with_suffix(".pub").read_text()
    for user, (shell, before) in USERS.items():
        if os.path.exists(shell):
            (box.folder / "authorized_keys").write_text(before + public)
            box.run(
                'useradd --system --create-home --shell "$SHELL_" "$USER_"; '
                'install -o "$USER_" -m 0700 -d "/home/$USER_/.ssh"; '
                'install -o "$USER_" -m 0600 authorized_keys "/home/$USER_/.ssh/"; '
                "usermod --password '*' \"$USER_\"",
                USER_=user,
                SHELL_=shell,
            )
    box.run('printf "secret:%s\\n" "$WORD" | chpasswd -c SHA512', WORD=PASSWORD, PATH=SBIN)


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool()
    yield made
    made.close()


@pytest.fixture
def machine(place: Place, pool: Pool) -> Machine:
    return pool.machine(place.login())


Stores = Callable[[str], CommandStore | SftpStore | RemoteStore]


@pytest.fixture(scope="session")
def warm() -> Iterator[Pool]:
    """Connections that are kept from test to test."""
    made = Pool()
    yield made
    made.close()


@pytest.fixture(scope="session")
def stores(place: Place, warm: Pool) -> Stores:
    """A store by the way it reads: inline, installed, sftp, both; chroot, nothing."""

    def make(way: str) -> CommandStore | SftpStore | RemoteStore:
        if way == "inline":
            return CommandStore(warm.machine(place.login()).connection, "inline", MOST)
        if way == "installed":
            installed = warm.machine(place.login("installed"))
            return CommandStore(installed.connection, "installed", MOST)
        if way == "sftp":
            return SftpStore(warm.machine(place.login()).sessions, MOST)
        if way == "chroot":
            return RemoteStore(lambda: warm.machine(place.login("files")), MOST)
        if way == "nothing":
            return RemoteStore(lambda: warm.machine(place.login("nothing")), MOST)
        return RemoteStore(lambda: warm.machine(place.login()), MOST)

    return make
