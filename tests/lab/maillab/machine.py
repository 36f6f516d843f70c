"""One machine: namespaces held by one shell as PID 1; start it, enter it, write into it, end it."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from .errors import LabError

INIT = Path(__file__).with_name("init.sh")
START_SECONDS = 10.0


class Machine:
    """A host by its name; whether it runs is read from the state folder, so any process may ask."""

    def __init__(self, name: str, state: Path) -> None:
        self.name = name
        self.folder = state / name

    @property
    def pid(self) -> int | None:
        """PID 1 of the machine as seen from outside, None if it does not run."""
        try:
            pid = int((self.folder / "pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        # The number alone proves nothing: after a crash it may be somebody else's process by now.
        return pid if os.fsencode(self.folder) in command.split(b"\0") else None

    @property
    def root(self) -> Path:
        """The machine's file tree seen from outside. For reading: a link in it leads elsewhere."""
        return Path(f"/proc/{self._running()}/root")

    def start(self) -> None:
        """Make the namespaces and wait until the machine's own file tree stands."""
        self.folder.mkdir(parents=True)
        namespaces = ["--net", "--mount", "--uts", "--ipc", "--pid"]
        with (self.folder / "init.log").open("wb") as log:
            subprocess.Popen(
                [
                    "unshare",
                    *namespaces,
                    "--fork",
                    "--kill-child",
                    "/bin/sh",
                    INIT,
                    self.folder,
                    self.name,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_for("/run/lab-ready")

    def wait_for(self, path: str) -> None:
        """Wait until a file is there that tells that something is ready."""
        until = time.monotonic() + START_SECONDS
        while not (self.pid and (self.root / path.lstrip("/")).exists()):
            if time.monotonic() > until:
                said = (self.folder / "init.log").read_text()
                raise LabError(f"{self.name}: {path} did not appear. {said}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Kill PID 1; the kernel ends every other process, mount and link of the machine."""
        pid = self.pid
        if pid is None:
            return
        os.kill(pid, signal.SIGKILL)
        while self.pid is not None:
            time.sleep(0.01)

    def command(self, argv: Sequence[str]) -> list[str]:
        """The words that run argv inside the machine, with none of the caller's environment."""
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        enter = ["nsenter", "-t", str(self._running()), "-m", "-u", "-i", "-n", "-p"]
        return [*enter, "env", "-i", "-C", "/", path, "HOME=/root", "LC_ALL=C.UTF-8", *argv]

    def run(self, *argv: str, text: str | None = None) -> str:
        """Run a command inside to its end, give its output; LabError with its words if it fails."""
        return _checked(self.command(argv), text)

    def run_in_network(self, *argv: str, text: str | None = None) -> str:
        """Run a command of the outside machine inside this one's network only."""
        return _checked(["nsenter", "-t", str(self._running()), "-n", *argv], text)

    def spawn(self, *argv: str, log: str) -> None:
        """Start a server that does not daemonize by itself; its words go to the file `log`."""
        script = 'log=$1; shift; "$@" </dev/null >"$log" 2>&1 &'
        self.run("/bin/sh", "-c", script, "sh", log, *argv)

    def write(self, path: str, text: str, mode: str = "0644") -> None:
        """Write a file inside; install(1) makes folders, and replaces a link it would follow."""
        self.run("install", "-D", "-m", mode, "/dev/stdin", path, text=text)

    def _running(self) -> int:
        pid = self.pid
        if pid is None:
            raise LabError(f"{self.name} is not running: `lab up` first")
        return pid


def _checked(argv: Sequence[str], text: str | None) -> str:
    """Run argv with text (or nothing) on its stdin; a failure becomes a LabError."""
    done = subprocess.run(
        argv, input=text or "", capture_output=True, text=True, errors="surrogateescape"
    )
    if done.returncode:
        said = done.stderr or done.stdout
        raise LabError(f"`{' '.join(argv)}` failed ({done.returncode}): {said}")
    return done.stdout
