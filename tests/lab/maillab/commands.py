"""The command line: `lab up [HOST…]`, `down`, `exec HOST CMD…`, `net CMD…`, `status`, `install`."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence

from . import requirements
from .cluster import Lab
from .errors import LabError


def main(argv: Sequence[str]) -> int:
    """Run one command; 0 if it worked, 1 with a sentence on stderr if not."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments) or 0)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
    except subprocess.CalledProcessError as error:
        print(f"lab: `{' '.join(error.cmd)}` failed ({error.returncode})", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lab", description="A real Postfix cluster on one machine."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="start the hosts (all, or those named)")
    up.add_argument("hosts", nargs="*", metavar="HOST")
    up.set_defaults(run=_up)
    commands.add_parser("down", help="end all hosts, leave nothing behind").set_defaults(run=_down)
    inside = commands.add_parser("exec", help="run a command on a host")
    inside.add_argument("host")
    inside.add_argument("argv", nargs=argparse.REMAINDER, metavar="CMD")
    inside.set_defaults(run=_exec)
    net = commands.add_parser(
        "net", help="run a command of this machine in the lab's network (tests)"
    )
    net.add_argument("argv", nargs=argparse.REMAINDER, metavar="CMD")
    net.set_defaults(run=_net)
    commands.add_parser("status", help="what runs").set_defaults(run=_status)
    commands.add_parser("install", help="apt-get the packages").set_defaults(run=_install)
    return parser


def _up(arguments: argparse.Namespace) -> None:
    requirements.check()
    began = time.monotonic()
    lab = Lab()
    lab.up(arguments.hosts)
    running = sum(pid is not None for pid in lab.running().values())
    print(f"{running} machines up in {time.monotonic() - began:.1f} s")


def _down(arguments: argparse.Namespace) -> None:
    requirements.check()
    Lab().down()


def _exec(arguments: argparse.Namespace) -> None:
    requirements.check()
    command = Lab().machine(arguments.host).command(arguments.argv or ["/bin/sh"])
    os.execvp(command[0], command)


def _net(arguments: argparse.Namespace) -> None:
    requirements.check()
    pid = Lab().switch.pid
    if pid is None:
        raise LabError("the lab is not up")
    os.execvp("nsenter", ["nsenter", "-t", str(pid), "-n", *(arguments.argv or ["/bin/sh"])])


def _status(arguments: argparse.Namespace) -> int:
    running = Lab().running()
    for name, pid in running.items():
        print(f"{name:10} {'down' if pid is None else f'up, PID {pid}'}")
    return 0 if any(running.values()) else 1


def _install(arguments: argparse.Namespace) -> None:
    requirements.install()
