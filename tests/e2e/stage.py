"""The running cluster with its stories played, as the tests see it: what is true, and how to ask in it.

`MAILTRACE_E2E=FOLDER` uses the lab that `record.py --keep --target FOLDER` left running, and leaves it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from maillab import requirements
from maillab.cluster import Lab
from maillab.errors import LabError
from maillab.hosts import CLUSTER_NAMES, HOSTS
from maillab.sshd import READER

ROOT = Path(__file__).parents[2]
NAME = "mailtrace-e2e"
RECORDER = ROOT / "tests" / "lab" / "record.py"
LOAD, BACKGROUND, SECONDS = 2000, 150, 80
# Where a mail can be handed in or found: the hosts whose logs are read.
POSTFIX_HOSTS = tuple(each for each in HOSTS if each.parts)

Mail = Mapping[str, Any]


class NoStageError(Exception):
    """It cannot be brought up here; `str` says why."""


@dataclass(frozen=True)
class Stage:
    """A lab after its stories: `folder` has ORACLE.json, and is where the server keeps its files."""

    lab: Lab
    folder: Path
    oracle: tuple[Mail, ...]

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    def mails(self, story: str) -> Mail:
        """What really became of a story's mail."""
        [found] = [mail for mail in self.oracle if mail["story"] == story]
        return found

    def command(self, *arguments: str) -> list[str]:
        """The words that run `mailtrace-mcp` in the lab's network, over all its hosts."""
        inside = ["nsenter", "-t", str(self.lab.switch.pid), "-n", sys.executable]
        return [*inside, "-m", "mailtrace_mcp", "--config", str(self.config), *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """For that command: this project's code, and state and cache in the folder."""
        return {
            "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "parsers")]),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "HOME": str(self.folder),
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command line, to its end."""
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=90,
        )

    def write_config(self) -> None:
        """config.yaml as an operator of this cluster would write it."""
        names = {each.name: each.role for each in POSTFIX_HOSTS}
        wanted = {
            "hosts": {each.name: self._host(each.name) for each in POSTFIX_HOSTS},
            "clusters": {
                names[members[0]]: {"hosts": list(members), "aliases": [name]}
                for name, members in CLUSTER_NAMES.items()
            },
            "ssh": {"known_hosts": str(self.lab.state / "known_hosts"), "connect_timeout": 5},
            "index": {"path": str(self.folder / "index")},
            "smtp": SMTP,
        }
        self.config.write_text(yaml.safe_dump(wanted))

    def _host(self, name: str) -> dict[str, Any]:
        [host] = [each for each in POSTFIX_HOSTS if each.name == name]
        first = host.addresses[0]
        # No timezone, here or for all: two hosts write stamps without one, each is read in its own.
        return {
            "address": first.ip4,
            "aliases": [first.name, *([first.ip6] if first.ip6 else [])],
            "logs": {"at": "ssh", "kind": "files", "files": ["/var/log/mail.log*"]},
            "ssh": {"user": READER, "key": str(self.lab.state / "id_ed25519")},
        }


SMTP: dict[str, Any] = {
    "policy": {
        "recipient_domains": ["example.test", "lists.example.test", "example.net"],
        "max_recipients": 10,
        "per_minute": 100,
        "per_day": 1000,
    },
    "default": "relay",
    "profiles": {
        name: {"host": address, "port": port, "tls": "none", "from": "erin@example.test"}
        for name, address, port in (
            ("relay", "192.0.2.11", 25),
            ("submission", "192.0.2.11", 587),
            ("exchanger", "192.0.2.21", 25),
        )
    },
}


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Bring the lab up, play all stories, give what came of it, and take the lab down.

    Raises NoStageError where there is no root, no package or no namespace; a story that goes wrong is
    a CalledProcessError with the recorder's words.
    """
    try:
        requirements.check()
    except LabError as error:
        raise NoStageError(str(error)) from None
    kept = os.environ.get("MAILTRACE_E2E")
    lab = Lab(os.environ.get("MAILTRACE_LAB", NAME))
    try:
        if kept is None:
            _play(lab, folder)
        oracle = json.loads(Path(kept or folder, "ORACLE.json").read_text())
        found = Stage(lab, folder, tuple(oracle))
        found.write_config()
        yield found
    finally:
        if kept is None:
            lab.down()


def _play(lab: Lab, folder: Path) -> None:
    options = {"target": folder, "load": LOAD, "background": BACKGROUND, "seconds": SECONDS}
    words: Sequence[str] = [f"--{name}={value}" for name, value in options.items()]
    subprocess.run(
        [sys.executable, RECORDER, "--keep", *words],
        env={**os.environ, "MAILTRACE_LAB": lab.state.name},
        check=True,
    )
