"""The whole lab: bring hosts up, take them down, tell what runs."""

import os
import shutil
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import accounts, network, postfix, rsyslog, sshd
from .errors import LabError
from .hosts import HOSTS, SWITCH, Host
from .machine import Machine


class Lab:
    """One running lab. Two labs with different names do not see each other."""

    def __init__(self, name: str | None = None) -> None:
        name = name or os.environ.get("MAILTRACE_LAB", "mailtrace-lab")
        self.state = Path(tempfile.gettempdir()) / name
        self.switch = self.machine(SWITCH.name)

    def machine(self, name: str) -> Machine:
        """The machine of that name, running or not."""
        known = [each.name for each in (SWITCH, *HOSTS)]
        if name not in known:
            raise LabError(f"no host {name!r}; there are {', '.join(known)}")
        return Machine(name, self.state)

    def up(self, names: Iterable[str] = ()) -> None:
        """Start the named hosts (all, if none is named) that do not run yet."""
        wanted = set(names) or {each.name for each in HOSTS}
        for name in wanted:
            self.machine(name)
        if self.switch.pid is None:
            shutil.rmtree(self.state, ignore_errors=True)
            self.switch.start()
            network.build_switch(self.switch)
            sshd.make_key(self.state)
        todo = [
            each for each in HOSTS if each.name in wanted and self.machine(each.name).pid is None
        ]
        with ThreadPoolExecutor() as pool:
            list(pool.map(self._start, todo))
        self._write_known_hosts()

    def _start(self, host: Host) -> None:
        machine = self.machine(host.name)
        shutil.rmtree(machine.folder, ignore_errors=True)
        machine.start()
        network.plug_in(machine, host, self.switch)
        rsyslog.start(machine, host)
        accounts.create(machine, host)
        accounts.install_programs(machine)
        accounts.start_programs(machine, host)
        if host.parts:
            sshd.start(machine, self.state)
            postfix.configure(machine, host)
            postfix.start(machine)

    def _write_known_hosts(self) -> None:
        running = ((self.machine(each.name), each) for each in HOSTS if each.parts)
        lines = (
            sshd.known_host(machine, host) for machine, host in running if machine.pid is not None
        )
        (self.state / "known_hosts").write_text("".join(lines))

    def down(self) -> None:
        """End every machine and remove the state folder: nothing is left."""
        for host in (*HOSTS, SWITCH):
            self.machine(host.name).stop()
        shutil.rmtree(self.state, ignore_errors=True)

    def running(self) -> dict[str, int | None]:
        """Every host of the lab and its PID 1, None where it does not run."""
        return {each.name: self.machine(each.name).pid for each in (SWITCH, *HOSTS)}
