"""One warm transport a host: reused, shared, given up, made again; what is cancelled ends over there."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import anyio
import pytest

from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs import LogSource, Reading, Term
from mailtrace_mcp.logs.ssh import connection as connections
from mailtrace_mcp.logs.ssh.command_store import CommandStore
from mailtrace_mcp.logs.ssh.in_turns import InTurns
from mailtrace_mcp.logs.ssh.pool import Pool
from mailtrace_mcp.logs.ssh.remote_store import RemoteStore
from mailtrace_mcp.logs.store import StoreError
from mailtrace_mcp.trace.coverage import Window

from . import evil
from .conftest import MOST, USERS, Place, go_on


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def settled(count: int) -> bool:
    """Whether threads come down to so many within two seconds."""
    for _ in range(100):
        if threading.active_count() <= count:
            return True
        time.sleep(0.02)
    return False


def test_twenty_connections_leave_nothing_behind(place: Place, pool: Pool) -> None:
    pool.machine(place.login()).facts(go_on)  # the pool's own thread
    threads, files = threading.active_count(), descriptors()
    for _ in range(2):
        others = Pool()
        logins = [place.login(host=f"mx{number}") for number in range(20)]
        workers = [
            threading.Thread(target=others.machine(one).facts, args=(go_on,)) for one in logins
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        # One thread and one socket for each, and one thread for all.
        assert settled(threads + 21)
        assert descriptors() == files + 20
        for _ in range(3):
            for one in logins:
                RemoteStore(partial(others.machine, one), MOST).spans(
                    "/etc/hostname", [(0, 4)], go_on
                )
        assert descriptors() == files + 20
        others.close()
        assert settled(threads)
        assert descriptors() == files


def test_a_transport_is_used_again(place: Place, pool: Pool) -> None:
    machine = pool.machine(place.login())
    store = RemoteStore(lambda: machine, MOST)
    before = place.server.said().count("Accepted publickey")
    for _ in range(5):
        store.listed(["/var/log/x*"], go_on)
        store.spans("/etc/hostname", [(0, 4)], go_on)
    assert place.server.said().count("Accepted publickey") == before + 1
    assert machine.connection.number == 1


def test_idle_transports_are_closed(
    place: Place, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = pool.machine(place.login())
    machine.facts(go_on)
    assert not machine.connection.close_if_idle()
    monkeypatch.setattr(connections, "IDLE", 0.05)
    time.sleep(0.1)
    assert machine.connection.close_if_idle()
    assert RemoteStore(lambda: machine, MOST).listed(["/var/log/x*"], go_on)
    assert machine.connection.number == 2


class Between:
    """A TCP proxy that can be told to drop everything without a word, or to hang up."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket, threading.Event]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            deaf = threading.Event()
            self._pairs.append((near, far, deaf))
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(one, other, deaf), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket, deaf: threading.Event) -> None:
        try:
            while data := one.recv(65536):
                if not deaf.is_set():
                    other.sendall(data)
            if not deaf.is_set():
                other.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def forget(self) -> None:
        """As a NAT does: what is sent over the connections so far goes nowhere."""
        for _, _, deaf in self._pairs:
            deaf.set()

    def hang_up(self) -> None:
        for pair in self._pairs:
            for one in pair[:2]:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()


@contextmanager
def between(place: Place, tmp_path: Path) -> Iterator[tuple[Between, Path]]:
    proxy = Between(place.server.port)
    known = tmp_path / "known_hosts"
    line = place.server.known_host()
    known.write_text(line.replace(f":{place.server.port} ", f":{proxy.port} "))
    yield proxy, known
    proxy.close()


@pytest.mark.parametrize("how", ["forgets", "hangs up"])
@pytest.mark.parametrize("user", ["reader", "files"])
def test_sh043_a_dead_transport_is_replaced_without_a_word(
    how: str, user: str, place: Place, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_DOUBTED", 0.5)
    with between(place, tmp_path) as (proxy, known):
        machine = pool.machine(place.login(user, port=proxy.port, known_hosts=str(known)))
        store = RemoteStore(lambda: machine, MOST)
        patterns = ["/log/mail.log*"] if user == "files" else ["/var/log/mail.log*"]
        place.write("mail.log.again", b"x\n")
        before = store.listed(patterns, go_on)
        if how == "forgets":
            proxy.forget()
            machine.connection.doubt()  # as after ten seconds without use
        else:
            proxy.hang_up()
        begun = time.monotonic()
        after, _ = store.listed(patterns, go_on)
        assert time.monotonic() - begun < 2
        assert [one.path for one in after] == [one.path for one in before[0]]
        assert machine.connection.number == 2


def test_sh041_one_session_at_a_time(place: Place, pool: Pool) -> None:
    """MaxSessions 1: commands and SFTP take turns on the one channel there is."""
    place.write("mail.log.turns", b"AAAA111\n" * 100)
    machine = pool.machine(place.login("one"))
    store = RemoteStore(lambda: machine, MOST)
    path = "/var/log/mail.log.turns"
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in range(3):
                assert store.spans(path, [(0, 7)], go_on) == [b"AAAA111"]
                assert len(list(store.grep(path, 0, 800, [b"AAAA111"], False, go_on))) == 100
        except BaseException as error:  # noqa: BLE001  it is shown below
            failed.append(error)

    workers = [threading.Thread(target=ask) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failed
    assert machine.connection.number == 1


def test_sh040_a_server_that_takes_no_more_connections(
    place: Place, pool: Pool, tmp_path: Path
) -> None:
    server = place.box.sshd("MaxStartups 1:100:1\n")
    known = tmp_path / "known_hosts"
    known.write_text(server.known_host())
    with socket.create_connection(("127.0.0.1", server.port)):
        time.sleep(0.2)
        asked = place.login(port=server.port, known_hosts=str(known))
        with pytest.raises(StoreError, match="MaxStartups") as caught:
            pool.machine(asked).facts(go_on)
    assert caught.value.code == Code.HOST_UNREACHABLE


@pytest.mark.parametrize("user", ["bash", "rbash", "tcsh", "fish"])
def test_sh037_any_login_shell_will_do(user: str, place: Place, pool: Pool) -> None:
    if not os.path.exists(USERS[user][0]):
        pytest.skip(f"no {user} here")
    path = place.write("mail.log.shell", b"one\nAAAA111 two\n")
    machine = pool.machine(place.login(user))
    assert machine.facts(go_on) is not None
    store = CommandStore(machine.connection, "inline", MOST)
    assert [one.path for one in store.listed(["/var/log/mail.log.shell*"], go_on)[0]] == [path]
    assert store.spans(path, [(0, 3)], go_on) == [b"one"]
    (found,) = store.grep(path, 0, 100, [b"AAAA111"], False, go_on)
    assert found.offset == 4


def searching() -> list[int]:
    """The processes of a search: grep, and the shell that was given the script."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if b"-abF" in entry.read_bytes():
                found.append(int(entry.parent.name))
    return found


def started() -> bool:
    return _within(3.0, lambda: bool(searching()))


def gone(seconds: float = 2.0) -> bool:
    """Whether nothing of it is left so soon."""
    return _within(seconds, lambda: not searching())


def _within(seconds: float, true: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def endless(place: Place) -> str:
    """A file that takes minutes to search: a hole of 200 GB, in which no line ends."""
    place.box.run(
        "truncate -s 200G /var/log/mail.log.endless; chmod 0644 /var/log/mail.log.endless"
    )
    return "/var/log/mail.log.endless"


@pytest.mark.parametrize("user", ["reader", "installed"])
def test_sh048_what_is_cancelled_ends_on_the_host(
    user: str, place: Place, pool: Pool, endless: str
) -> None:
    machine = pool.machine(place.login(user, command_timeout=60.0))
    store = RemoteStore(lambda: machine, MOST)
    store.listed([endless], go_on)
    for _ in range(3):
        stop = threading.Event()
        failed: list[StoreError] = []

        def ask(stop: threading.Event = stop, failed: list[StoreError] = failed) -> None:
            try:
                list(store.grep(endless, 0, 200 << 30, [b"AAAA111"], False, stop.is_set))
            except StoreError as error:
                failed.append(error)

        worker = threading.Thread(target=ask)
        worker.start()
        assert started()
        time.sleep(0.1)
        stop.set()
        worker.join(1.0)
        assert not worker.is_alive() and failed
        assert gone()
    assert machine.connection.number == 1


def test_a_request_that_takes_too_long_ends_on_the_host(
    place: Place, pool: Pool, endless: str
) -> None:
    machine = pool.machine(place.login(command_timeout=0.5))
    with pytest.raises(StoreError) as caught:
        store = RemoteStore(lambda: machine, MOST)
        list(store.grep(endless, 0, 200 << 30, [b"AAAA111"], False, go_on))
    assert caught.value.code == Code.HOST_TIMEOUT
    assert gone()


def test_who_stops_listening_ends_it_there(place: Place, pool: Pool) -> None:
    """An iteration that is left alone before its end: so much is found that the host must wait."""
    place.write("mail.log.much", b"AAAA111 and so on\n" * 3_000_000)
    store = RemoteStore(lambda: pool.machine(place.login()), 1 << 30)
    found = store.grep("/var/log/mail.log.much", 0, 1 << 40, [b"AAAA111"], False, go_on)
    next(found)
    assert started()
    del found
    assert gone()
    (place.box.log / "mail.log.much").unlink()


def test_when_the_connection_breaks_it_ends_there(
    place: Place, pool: Pool, endless: str, tmp_path: Path
) -> None:
    with between(place, tmp_path) as (proxy, known):
        machine = pool.machine(place.login(port=proxy.port, known_hosts=str(known)))
        store = RemoteStore(lambda: machine, MOST)
        store.listed([endless], go_on)
        failed: list[StoreError] = []

        def ask() -> None:
            try:
                list(store.grep(endless, 0, 200 << 30, [b"AAAA111"], False, go_on))
            except StoreError as error:
                failed.append(error)

        worker = threading.Thread(target=ask)
        worker.start()
        assert started()
        proxy.hang_up()
        worker.join(3)
    assert failed and failed[0].code == Code.HOST_UNREACHABLE
    assert gone()


class Slow(LogSource):
    """A source whose reading takes until it is let go."""

    def __init__(self) -> None:
        self.running = 0
        self.let_go = anyio.Event()

    @property
    def hosts(self) -> tuple[str, ...]:
        return ("mx1",)

    async def read(self, terms: object, window: object) -> Reading:
        self.running += 1
        await self.let_go.wait()
        return Reading((), ())


def test_few_readings_of_one_machine_at_once() -> None:
    async def run() -> tuple[int, int]:
        slow, other = Slow(), Slow()
        async with anyio.create_task_group() as group:
            window = Window(*[datetime(2026, 1, 1, tzinfo=UTC)] * 2)
            terms: list[Term] = []
            for _ in range(20):
                group.start_soon(InTurns(slow, "mx1").read, terms, window)
            group.start_soon(InTurns(other, "mx2").read, terms, window)
            await anyio.sleep(0.05)
            counts = slow.running, other.running
            slow.let_go.set()
            other.let_go.set()
        return counts

    assert anyio.run(run) == (4, 1)


def test_a_host_that_failed_is_left_alone_for_a_while(
    place: Place, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mailtrace_mcp.logs.ssh import link

    monkeypatch.setattr(link, "_FIRST_PAUSE", 0.2)
    with evil.raw(lambda connection, record: connection.close()) as peer:
        known = tmp_path / "known_hosts"
        known.write_text(peer.known_host())
        machine = pool.machine(place.login(port=peer.port, known_hosts=str(known)))
        asked_at = []
        begun = time.monotonic()
        while time.monotonic() - begun < 1.0:
            before = peer.record.connections
            with pytest.raises(StoreError):
                machine.facts(go_on)
            if peer.record.connections > before:
                asked_at.append(time.monotonic() - begun)
            time.sleep(0.01)
    # After 0.2 s, then 0.4 s, then 0.8 s.
    assert len(asked_at) == 3
    assert asked_at[2] - asked_at[1] > 1.5 * (asked_at[1] - asked_at[0])
