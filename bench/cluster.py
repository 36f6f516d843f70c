"""T6: a mail over three of nine hosts, traced over SSH with and without an index, and grepped by hand."""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

import anyio

from bench import genlog
from bench.distance import ROUND_TRIP, far
from bench.genlog import Log, Planted
from bench.measure import Cost, Spread, compare, number, program
from bench.programs import program as found
from bench.report import Row
from bench.setting import NO_LIMIT, Setting, order
from bench.sizes import shown
from bench.sshd import Server, sshd
from mailtrace_mcp.config import Config, load
from mailtrace_mcp.logs.index import INDEXES, build, folder_of
from mailtrace_mcp.logs.open import store_of
from mailtrace_mcp.logs.ssh.pool import POOL
from mailtrace_mcp.questions import MailQuestion, trace_mail

_HOSTS = [f"mx{number}.example.net" for number in range(1, 10)]
_WAY = [_HOSTS[0], _HOSTS[4], _HOSTS[8]]
_AT_ONCE = 5  # questions of which the median counts


def traced(setting: Setting) -> Iterator[Row]:
    """T6."""
    found("ssh")
    with sshd(setting.folder / "t6") as server, far(server.port) as port:
        try:
            yield from _rows(_Cluster.of(setting, server, port), setting)
        finally:
            POOL.close()


@dataclass(frozen=True)
class _Cluster:
    """Nine hosts that are one machine; `near`, `distant` and `bare` are ways to ask them: the last has no
    index."""

    server: Server
    logs: dict[str, Log]
    mail: Planted
    near: Config
    distant: Config
    bare: Config

    @classmethod
    def of(cls, setting: Setting, server: Server, port: int) -> _Cluster:
        second = (setting.log().end - genlog.START).total_seconds() / 2
        mail = genlog.planted(_WAY, second)
        logs = _written(server.folder, setting.size, mail)
        configs = [
            _config(server, logs, name, at, index)
            for name, at, index in (
                ("near", server.port, True),
                ("distant", port, True),
                ("bare", server.port, False),
            )
        ]
        for config in configs[:2]:
            for host in config.hosts.values():
                folder = folder_of(config, host)
                assert folder is not None
                store = store_of(host, config, NO_LIMIT)
                build(INDEXES.of(folder), store, order(logs[host.name].path))
        return cls(server, logs, mail, *configs)

    def trace(self, config: Config) -> Cost:
        """What the median of some traces costs."""
        return anyio.run(self._traces, config)

    async def _traces(self, config: Config) -> Cost:
        costs = [await self._trace(config) for _ in range(1 + _AT_ONCE)]
        return sorted(costs[1:], key=lambda cost: cost.wall)[_AT_ONCE // 2]

    async def _trace(self, config: Config) -> Cost:
        first = self.mail.queue_ids[_WAY[0]]
        at = self.mail.lines[_WAY[0]][0][0]
        asked = MailQuestion(
            queue_id=first, time=(genlog.START + timedelta(seconds=at)).isoformat(), time_range="2m"
        )
        now = max(log.end for log in self.logs.values())
        wall, cpu = time.perf_counter(), time.process_time()
        answer = await trace_mail(config, asked, now)
        cost = Cost(time.perf_counter() - wall, time.process_time() - cpu)
        [trace] = answer.traces
        [end] = trace.recipients
        if [place.host for place in end.path] != _WAY or end.outcome != "sent":
            raise RuntimeError(f"the mail was not followed to its end: {answer.summary}")
        return cost

    def grep(self) -> Cost:
        """What a patient person does, who even knows all the IDs beforehand: one host after the other."""
        patterns = [f"-e {one}" for one in (*self.mail.queue_ids.values(), self.mail.message_id)]
        begun, cpu = time.perf_counter(), 0.0
        for host, log in self.logs.items():
            command = f"LC_ALL=C grep -aF {' '.join(patterns)} {log.path} || true"
            cpu += program(*self.server.ssh(host, command)).cpu
        return Cost(time.perf_counter() - begun, cpu)


def _rows(cluster: _Cluster, setting: Setting) -> Iterator[Row]:
    size = f"{len(_HOSTS)} hosts × {shown(setting.size)}"
    with_index = compare(
        lambda: cluster.trace(cluster.near), lambda: cluster.trace(cluster.distant), setting.pairs
    )
    spent = Spread([cost.wall * 1e3 for cost in with_index.ours])
    pairs = zip(with_index.ours, with_index.theirs, strict=True)
    trips = Spread([(two.wall - one.wall) / ROUND_TRIP for one, two in pairs])
    yield Row(
        "T6",
        "a 3-hop trace over 9 hosts, real sshd, warm: ≤ 4 round trips + 20 ms with the index",
        f"{trips.shown()} round trips + {spent.shown(' ms')}",
        trips.median <= 4.2 and spent.median <= 20,
        f"{size}; trace_mail from the question to its answer, over a way of 0 and of"
        f" {ROUND_TRIP * 1e3:.0f} ms",
    )
    without = compare(lambda: cluster.trace(cluster.bare), cluster.grep, setting.pairs)
    faster, wanted = without.faster("wall"), 12 * setting.part
    scaled = (
        "" if setting.part >= 1 else f" at 1 GB, so ≥ {number(wanted)}× at {shown(setting.size)}"
    )
    spent = Spread([cost.wall * 1e3 for cost in without.ours])
    yield Row(
        "T6",
        f"without an index ≥ 12× faster than host-by-host grep{scaled}",
        faster.shown(),
        faster.median >= wanted,
        f"{size}, a window of ±2 min: {spent.shown(' ms')}; grep by ssh, one host after the other, all IDs"
        " known beforehand",
    )


def _written(folder: Path, size: int, mail: Planted) -> dict[str, Log]:
    """The logs of all hosts, by as many processes as there are cores."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        making = {
            host: pool.submit(
                genlog.write,
                folder / f"{host}.log",
                size,
                seed=number,
                host=host,
                plant=mail.lines.get(host, ()),
            )
            for number, host in enumerate(_HOSTS)
        }
        return {host: one.result() for host, one in making.items()}


def _config(server: Server, logs: dict[str, Log], name: str, port: int, index: bool) -> Config:
    folder = server.folder / name
    folder.mkdir()
    lines = ["timezone: UTC", "hosts:"]
    lines += [
        f"  {host}: {{address: 127.0.0.1, logs: {{at: ssh, files: ['{log.path}']}}}}"
        for host, log in logs.items()
    ]
    lines += [
        f"ssh: {{user: {getpass.getuser()}, port: {port}, key: {server.key},"
        f" known_hosts: {server.known_hosts}}}",
        f"index: {{path: index, enabled: {str(index).lower()}, retention: 3650d}}",
    ]
    file = folder / "config.yaml"
    file.write_text("\n".join(lines) + "\n")
    return load(file, {})
