"""T7, T8: a command over a connection that is open, a stream of bytes, and many hosts at once."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import paramiko

from bench.measure import Cost, Spread, call, compare, ended, number
from bench.programs import program as found
from bench.report import Row
from bench.setting import Setting
from bench.sizes import shown
from bench.sshd import Server, sshd
from mailtrace_mcp.logs.ssh.command_store import CommandStore
from mailtrace_mcp.logs.ssh.connection import SMALL, Connection
from mailtrace_mcp.logs.ssh.pool import Pool

_COMMANDS = 40  # of which the median counts
_HOSTS = 20
_CIPHER = "aes128-gcm@openssh.com"


def warm_connection(setting: Setting) -> Iterator[Row]:
    """T7."""
    found("ssh")
    with sshd(setting.folder / "t7") as server, _pool() as pool, _master(server) as shared:
        connection = pool.machine(server.login("one")).connection
        ours = compare(
            lambda: _median_command(connection),
            lambda: _program(*shared, "true"),
            setting.pairs,
        )
        spread = Spread([cost.wall * 1e3 for cost in ours.ours])
        yield Row(
            "T7",
            "exec on a warm connection ≤ 4 ms on loopback",
            spread.shown(" ms"),
            spread.median <= 4,
            f"`true`, by the clock; {ours.faster('wall').shown()} as fast as OpenSSH's own"
            " connection sharing (ControlMaster)",
        )
        log = setting.log()
        path = str(log.path)
        store = CommandStore(connection, "inline", 1 << 40)
        streams = compare(
            lambda: call(lambda: _read(store, path)),
            lambda: _program(*shared, "cat", path),
            setting.pairs,
        )
        faster = streams.faster("wall")
        yield Row(
            "T7",
            f"stream ≥ 1.0× `ssh -c {_CIPHER}`",
            faster.shown(),
            faster.median >= 1,
            f"{shown(log.size)} by the clock, both over a warm connection",
        )


def many_hosts(setting: Setting) -> Iterator[Row]:
    """T8."""
    found("ssh")
    with sshd(setting.folder / "t8") as server:
        compared = compare(
            lambda: call(lambda: _connect_all(server)),
            lambda: _ssh_all(server),
            setting.pairs,
        )
    faster = compared.faster("wall")
    yield Row(
        "T8",
        f"{_HOSTS} hosts connect + exec ≥ 2.5× faster than {_HOSTS} ssh processes",
        faster.shown(),
        faster.median >= 2.5,
        "by the clock, all of them at once, on one sshd that shares the cores with both;"
        f" {number(_middle(compared.ours) * 1e3)} ms and {number(_middle(compared.theirs) * 1e3)} ms",
    )


def _middle(costs: Sequence[Cost]) -> float:
    return Spread([cost.wall for cost in costs]).median


@contextmanager
def _pool() -> Iterator[Pool]:
    pool = Pool()
    try:
        yield pool
    finally:
        pool.close()


@contextmanager
def _master(server: Server) -> Iterator[tuple[str, ...]]:
    """The command line of an ssh that shares a connection that is open."""
    socket = str(server.folder / "shared")
    options = ("-c", _CIPHER, "-o", f"ControlPath={socket}")
    subprocess.run(server.ssh(*options, "-fNM", "one"), check=True)
    try:
        yield server.ssh(*options, "one")
    finally:
        command = server.ssh(*options, "-O", "exit", "one")
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def _program(*command: str) -> Cost:
    """As bench.measure.program, with what it prints thrown away."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return ended(process, begun)


def _median_command(connection: Connection) -> Cost:
    costs = [call(lambda: _command(connection)) for _ in range(_COMMANDS)]
    return sorted(costs, key=lambda cost: cost.wall)[_COMMANDS // 2]


def _command(connection: Connection) -> None:
    """`true`, from the asking to its exit status."""

    def start(channel: paramiko.Channel) -> None:
        channel.exec_command("true")

    with connection.channel(start, SMALL, _go_on) as channel:
        if channel.recv_exit_status():
            raise RuntimeError("`true` has failed")


def _read(store: CommandStore, path: str) -> None:
    for _ in store.chunks(path, "plain", 0, _go_on):
        pass


def _connect_all(server: Server) -> None:
    with _pool() as pool, ThreadPoolExecutor(_HOSTS) as threads:
        machines = [pool.machine(server.login(f"host{number}")) for number in range(_HOSTS)]
        for done in [threads.submit(_command, machine.connection) for machine in machines]:
            done.result()


def _ssh_all(server: Server) -> Cost:
    begun = time.perf_counter()
    command = server.ssh("one", "true")
    processes = [subprocess.Popen(command, stdin=subprocess.DEVNULL) for _ in range(_HOSTS)]
    costs = [ended(process, begun) for process in processes]
    return Cost(time.perf_counter() - begun, sum(cost.cpu for cost in costs))


def _go_on() -> bool:
    """A `stopped` that never says so."""
    return False
