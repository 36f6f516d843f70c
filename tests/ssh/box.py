"""A machine of its own as far as SSH needs one: private /etc, /home, /usr/local, /srv and /var/log in a
mount namespace, with real users and a real sshd on loopback. Needs root; nothing of the outer machine
changes, and nothing is left of it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

SBIN = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
PROGRAMS = ("sshd", "ssh-keygen", "unshare", "nsenter", "mount", "useradd", "setpriv")

_SETUP = """
set -e
mount -t tmpfs none "$1"
for place in etc home usr/local srv; do
  mkdir -p "$1/$place/upper" "$1/$place/work"
  mount -t overlay none -o "lowerdir=/$place,upperdir=$1/$place/upper,workdir=$1/$place/work" "/$place"
done
mount --bind "$2" /var/log
test -d /run/sshd || { mount -t tmpfs none /run; mkdir -m 0755 /run/sshd; }
echo ready
exec sleep 3600
"""


class NoBoxError(Exception):
    """It cannot be made here; `str` says why."""


def missing(*programs: str) -> list[str]:
    return [one for one in programs if shutil.which(one, path=SBIN) is None]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def keypair(path: Path, *options: str) -> Path:
    """A new key without passphrase (unless `-N`); the path of the private part."""
    given = options if "-t" in options else ("-t", "ed25519", *options)
    given = given if "-N" in given else (*given, "-N", "")
    subprocess.run(["ssh-keygen", "-q", *given, "-f", path], check=True, capture_output=True)
    return path


@dataclass
class Sshd:
    """A server that runs. `names` are those under which `known_hosts` has it."""

    port: int
    key: Path
    process: subprocess.Popen[bytes]
    log: Path

    def known_host(self, *names: str) -> str:
        """Its line for known_hosts."""
        shown = ",".join(f"[{name}]:{self.port}" for name in names or ("127.0.0.1",))
        return f"{shown} {' '.join(self.key.with_suffix('.pub').read_text().split()[:2])}\n"

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@dataclass
class Box:
    """The namespace is that of `holder`; `log` is its /var/log, seen from outside."""

    folder: Path
    log: Path
    holder: subprocess.Popen[str]
    servers: list[Sshd] = field(default_factory=list)

    @classmethod
    def made(cls, folder: Path) -> Box:
        """Raises NoBoxError."""
        if os.geteuid():
            raise NoBoxError("needs root: a mount namespace with users of its own")
        if lacking := missing(*PROGRAMS):
            raise NoBoxError(f"not installed: {', '.join(lacking)} (openssh-server, util-linux)")
        log, upper = folder / "log", folder / "upper"
        log.mkdir(mode=0o755)
        upper.mkdir()
        holder = subprocess.Popen(
            [
                *(
                    "unshare",
                    "--mount",
                    "--propagation",
                    "private",
                    "setpriv",
                    "--pdeathsig",
                    "KILL",
                ),
                *("sh", "-c", _SETUP, "box", str(upper), str(log)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert holder.stdout is not None and holder.stderr is not None
        if holder.stdout.readline() != "ready\n":
            holder.wait()
            raise NoBoxError(f"no mount namespace here: {holder.stderr.read().strip()}")
        return cls(folder, log, holder)

    def run(self, script: str, **variables: str) -> str:
        """What a shell script prints that root runs inside, in the box's folder."""
        done = subprocess.run(
            [*self._inside(), "sh", "-euc", f'cd "$BOX"\n{script}'],
            capture_output=True,
            text=True,
            env={**os.environ, "PATH": SBIN, "BOX": str(self.folder), **variables},
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    def sshd(self, configuration: str = "", run: tuple[str, ...] = ()) -> Sshd:
        """A server with these lines besides its own; `run` is put before its command."""
        port = free_port()
        place = self.folder / f"sshd-{port}"
        place.mkdir()
        server = start_sshd(place, port, configuration, [*self._inside(), *run])
        self.servers.append(server)
        return server

    def stop(self) -> None:
        for server in self.servers:
            server.stop()
        self.holder.kill()
        self.holder.communicate()

    def _inside(self) -> list[str]:
        # It leads to /; the folder of the box has the same path inside.
        return ["nsenter", "-t", str(self.holder.pid), "-m"]


def start_sshd(place: Path, port: int, configuration: str, before: list[str]) -> Sshd:
    """A server whose files lie in `place`; returns once it listens."""
    key = keypair(place / "host_key")
    log = place / "log"
    settings = place / "sshd_config"
    settings.write_text(
        f"ListenAddress 127.0.0.1:{port}\nListenAddress 127.0.0.2:{port}\nHostKey {key}\n"
        f"PidFile {place}/pid\nUsePAM no\nStrictModes yes\nLogLevel VERBOSE\n"
        "KbdInteractiveAuthentication no\nMaxStartups 200\nLoginGraceTime 60\n"
        f"Subsystem sftp internal-sftp\n{configuration}\n"
    )
    program = shutil.which("sshd", path=SBIN)
    assert program is not None
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*before, program, "-D", "-e", "-f", str(settings)],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**os.environ, "PATH": SBIN},
        )
    for _ in range(200):
        if b"Server listening on 127.0.0.1" in log.read_bytes():
            return Sshd(port, key, process, log)
        assert process.poll() is None, log.read_text()
        time.sleep(0.02)
    raise AssertionError(log.read_text())
