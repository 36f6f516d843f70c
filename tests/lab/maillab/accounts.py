"""The people and programs with a home on a host."""

from pathlib import Path

from .hosts import Host
from .machine import Machine

HOMES = Path(__file__).resolve().parent.parent / "config" / "homes"
PROGRAMS = Path(__file__).resolve().parent.parent / "programs"
PROGRAM_FOLDER = "/usr/local/lib/lab"
KEPT = "/var/spool/lab"


def create(machine: Machine, host: Host) -> None:
    """Make the host's users, with the files of `config/homes/USER/` (a .forward) in their homes."""
    for user in host.users:
        machine.run("useradd", "--create-home", "--shell", "/bin/sh", user)
        for file in sorted((HOMES / user).glob("*")) if (HOMES / user).is_dir() else []:
            # Stored without the dot, so that nobody overlooks it in the repository.
            machine.write(f"/home/{user}/.{file.name}", file.read_text())
            machine.run("chown", f"{user}:", f"/home/{user}/.{file.name}")


def install_programs(machine: Machine) -> None:
    """Copy our small servers and commands into the host; make the folder where they keep mail."""
    machine.run("install", "-d", "-m", "1777", KEPT)
    for file in sorted(PROGRAMS.iterdir()):
        if file.is_file():
            machine.write(f"{PROGRAM_FOLDER}/{file.name}", file.read_text(), mode="0755")


def start_programs(machine: Machine, host: Host) -> None:
    """Start the host's own servers; they listen soon after; mail that comes too early waits."""
    for name in host.programs:
        script = f"{PROGRAM_FOLDER}/{name}.py"
        machine.spawn("/usr/bin/python3", "-u", script, log=f"/var/log/{name}.log")
