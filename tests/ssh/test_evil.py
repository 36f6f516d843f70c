"""Peers that hang, die, flood or lie cost no more than their own part, and are told by their code.

The cases of data/bad_inputs.jsonl, area ssh, stand here and in the files beside under their ids.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import paramiko
import pytest

from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.ssh.login import Login
from mailtrace_mcp.logs.ssh.pool import Pool
from mailtrace_mcp.logs.ssh.remote_store import RemoteStore
from mailtrace_mcp.logs.store import StoreError

from . import evil
from .box import keypair, missing

pytestmark = pytest.mark.skipif(bool(missing("ssh-keygen")), reason="no ssh-keygen: openssh-client")

PATH = "/var/log/mail.log"
Meet = Callable[..., RemoteStore]


def go_on() -> bool:
    return False


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return keypair(tmp_path_factory.mktemp("key") / "id")


@pytest.fixture
def meet(key: Path, pool: Pool, tmp_path: Path) -> Meet:
    """The store of a peer, with changes to its login."""

    def store(peer: evil.Peer, **changes: object) -> RemoteStore:
        known = tmp_path / f"known_hosts-{peer.port}"
        known.write_text(peer.known_host())
        login = Login(
            host="mx1",
            address="127.0.0.1",
            port=peer.port,
            user="somebody",
            known_as=("127.0.0.1",),
            known_hosts=str(known),
            keys=(str(key),),
            keys_needed=True,
            connect_timeout=1.0,
            command_timeout=1.0,
        )
        login = replace(login, **changes)  # type: ignore[arg-type]
        return RemoteStore(lambda: pool.machine(login), 8 << 20)

    return store


def told(store: RemoteStore, seconds: float = 3.0) -> StoreError:
    """The error of a search, which must come in time."""
    begun = time.monotonic()
    with pytest.raises(StoreError) as caught:
        list(store.grep(PATH, 0, 1 << 30, [b"AAAA111"], False, go_on))
    assert time.monotonic() - begun < seconds
    assert "somebody" not in str(caught.value)
    return caught.value


def nothing(connection: socket.socket, record: evil.Record) -> None:
    time.sleep(20)


def only_a_banner(connection: socket.socket, record: evil.Record) -> None:
    connection.sendall(b"SSH-2.0-Slow\r\n")
    time.sleep(20)


def words_without_end(connection: socket.socket, record: evil.Record) -> None:
    while True:
        connection.sendall(b"wait, I am coming\r\n")
        time.sleep(0.05)


def drip(connection: socket.socket, record: evil.Record) -> None:
    for byte in b"SSH-2.0-" + b"x" * 10_000:
        connection.sendall(bytes([byte]))
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("case", "serve"),
    [
        ("SH013", nothing),
        ("SH014", only_a_banner),
        ("SH014", words_without_end),
        ("SH014", drip),
    ],
)
def test_who_hangs_before_the_login(case: str, serve: object, meet: Meet) -> None:
    with evil.raw(serve) as peer:  # type: ignore[arg-type]
        begun = time.monotonic()
        error = told(meet(peer))
        assert 0.9 < time.monotonic() - begun < 1.6
        assert error.code == Code.HOST_TIMEOUT
        assert "did not answer as an SSH server within 1 s" in str(error)


def test_sh012_a_host_that_drops_every_packet(meet: Meet) -> None:
    """A full backlog: the kernel drops the SYN, as a firewall does."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        time.sleep(0.1)
        begun = time.monotonic()
        error = told(meet(evil.Peer(port)))
        assert 0.9 <= time.monotonic() - begun <= 1.3
        for one in waiting:
            one.close()
    assert error.code == Code.HOST_TIMEOUT
    assert "did not answer within 1 s" in str(error)


def close_at_once(connection: socket.socket, record: evil.Record) -> None:
    connection.close()


def garbage(connection: socket.socket, record: evil.Record) -> None:
    connection.sendall(b"\x00\xff" * 50_000 + b"\n" * 300)


@pytest.mark.parametrize("serve", [close_at_once, garbage])
def test_sh040_who_closes_before_the_login_is_left_alone(serve: object, meet: Meet) -> None:
    """MaxStartups, PerSourcePenalties: it is no refused login, and no reason to ask again and again."""
    with evil.raw(serve) as peer:  # type: ignore[arg-type]
        store = meet(peer)
        errors = [told(store) for _ in range(5)]
    assert {one.code for one in errors} == {Code.HOST_UNREACHABLE}
    assert "MaxStartups" in str(errors[0])
    assert peer.record.connections == 1


def test_nobody_listens(meet: Meet) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        error = told(meet(evil.Peer(free.getsockname()[1])))
    assert error.code == Code.HOST_UNREACHABLE
    assert "Connection refused" in str(error)
    error = told(meet(evil.Peer(22), address="no.such.host.invalid", connect_timeout=5.0), 9)
    assert error.code in (Code.HOST_UNREACHABLE, Code.HOST_TIMEOUT)


@pytest.mark.parametrize(
    ("packet", "named"),
    [
        (evil.kex_init(hosts="ssh-rsa"), "ssh-rsa with SHA-1 is refused"),
        (evil.kex_init(hosts="ssh-dss"), "host key algorithm"),
        (evil.kex_init(kex="diffie-hellman-group1-sha1"), "group1 and SHA-1 are refused"),
    ],
)
def test_sh046_algorithms_of_yesterday(packet: bytes, named: str, meet: Meet) -> None:
    def serve(connection: socket.socket, record: evil.Record) -> None:
        connection.sendall(b"SSH-2.0-Old\r\n" + packet)
        time.sleep(5)

    with evil.raw(serve) as peer:
        error = told(meet(peer))
    assert error.code == Code.HOST_UNREACHABLE
    assert named in str(error)


def hang(channel: paramiko.Channel, line: str, nonce: bytes) -> None:
    time.sleep(20)


def cut_with(status: int | None, body: bytes) -> evil.Act:
    def act(channel: paramiko.Channel, line: str, nonce: bytes) -> None:
        channel.sendall(body.replace(b"NONCE", nonce))
        evil.finish(channel, status)

    return act


WHOLE = b"\nNONCE begin\n10:AAAA111\n20:AAAA111\n\nNONCE end 0\n"
BROKEN = [
    # case, what the command does, the code, words
    ("SH016", hang, Code.HOST_TIMEOUT, "did not come in time"),
    ("SH019", cut_with(None, WHOLE), Code.REMOTE_COMMAND_FAILED, "cut off"),
    ("SH020", cut_with(0, WHOLE[:-15]), Code.REMOTE_COMMAND_FAILED, "end is missing"),
    ("wrong status", cut_with(1, WHOLE), Code.REMOTE_COMMAND_FAILED, "cut off"),
    ("status only", cut_with(0, b""), Code.REMOTE_COMMAND_FAILED, "does not run the commands"),
    ("killed there", cut_with(137, WHOLE[:30]), Code.HOST_TIMEOUT, "ended there"),
    ("SH036", cut_with(1, b"sudo: sorry, you must have a tty\n"), Code.REMOTE_COMMAND_FAILED, "does not run"),
    ("begins twice", cut_with(0, WHOLE[:35] + WHOLE), Code.REMOTE_COMMAND_FAILED, "not one of"),
    ("no number", cut_with(0, WHOLE.replace(b"20:", b"xx:")), Code.REMOTE_COMMAND_FAILED, "not used"),
    ("not in order", cut_with(0, WHOLE.replace(b"20:", b"9:")), Code.REMOTE_COMMAND_FAILED, "not used"),
    ("not in the range", cut_with(0, WHOLE.replace(b"20:", b"9999999999:")), Code.REMOTE_COMMAND_FAILED, "not used"),
    ("an odd mark", cut_with(0, WHOLE.replace(b"end 0", b"and so on and so forth")), Code.REMOTE_COMMAND_FAILED, "not one of"),
]  # fmt: skip


@pytest.mark.parametrize(("case", "act", "code", "words"), BROKEN, ids=[one[0] for one in BROKEN])
def test_a_broken_answer_is_no_answer(
    case: str, act: evil.Act, code: Code, words: str, meet: Meet
) -> None:
    with evil.ssh(evil.polite(act)) as peer:
        error = told(meet(peer), 8)
    assert error.code == code
    assert words in str(error)


def test_what_came_before_the_break_is_given(meet: Meet) -> None:
    with evil.ssh(evil.polite(cut_with(0, WHOLE[:-15]))) as peer:
        found = meet(peer).grep(PATH, 0, 1 << 30, [b"AAAA111"], False, go_on)
        assert next(found).offset == 10
        with pytest.raises(StoreError):
            list(found)


def test_sh023_lines_and_then_an_error_of_the_file(meet: Meet) -> None:
    partial = WHOLE.replace(b"end 0", b"end 74")
    with evil.ssh(evil.polite(cut_with(74, partial))) as peer:
        found = meet(peer).grep(PATH, 0, 1 << 30, [b"AAAA111"], False, go_on)
        assert [next(found).offset, next(found).offset] == [10, 20]
        with pytest.raises(OSError, match="cannot be read to its end"):
            next(found)


def test_dies_in_the_middle_of_an_answer(meet: Meet) -> None:
    def die(channel: paramiko.Channel, line: str, nonce: bytes) -> None:
        channel.sendall(b"\n%b begin\n10:AAAA111\n" % nonce)
        time.sleep(0.1)
        channel.get_transport().sock.close()

    with evil.ssh(evil.polite(die)) as peer:
        error = told(meet(peer))
    assert error.code == Code.HOST_UNREACHABLE
    assert "middle of its answer" in str(error)


@pytest.mark.parametrize("case", ["SH027", "SH030"])
def test_noise_around_an_answer(case: str, meet: Meet) -> None:
    """A message of the day, what a .bashrc prints, a locale that is not there, after it a logout."""

    def noisy(channel: paramiko.Channel, line: str, nonce: bytes) -> None:
        channel.sendall(b"Welcome!\n99:AAAA111\n" * 100)
        channel.sendall_stderr(b"setlocale: LC_ALL: cannot change locale\n" * 100)
        channel.sendall(WHOLE.replace(b"NONCE", nonce) + b"Good bye\n30:AAAA111\n")
        evil.finish(channel, 0)

    with evil.ssh(evil.polite(noisy)) as peer:
        found = list(meet(peer).grep(PATH, 0, 1 << 30, [b"AAAA111"], False, go_on))
    assert [one.offset for one in found] == [10, 20]


def test_sh031_a_flood_on_the_error_stream_does_not_block(meet: Meet) -> None:
    def flood(channel: paramiko.Channel, line: str, nonce: bytes) -> None:
        for _ in range(12):
            channel.sendall_stderr(b"e" * (1 << 20))
        channel.sendall(WHOLE.replace(b"NONCE", nonce))
        evil.finish(channel, 0)

    with evil.ssh(evil.polite(flood)) as peer:
        store = meet(peer, command_timeout=10.0)
        found = list(store.grep(PATH, 0, 1 << 30, [b"AAAA111"], False, go_on))
    assert len(found) == 2


def floods(before: bytes, chunk: bytes) -> evil.Act:
    def act(channel: paramiko.Channel, line: str, nonce: bytes) -> None:
        channel.sendall(before.replace(b"NONCE", nonce))
        for _ in range(10_000):
            channel.sendall(chunk)

    return act


@pytest.mark.parametrize(
    ("case", "act", "code"),
    [
        ("SH032", floods(b"\nNONCE begin\n", b"1:" + b"x" * (1 << 20)), Code.RANGE_TOO_WIDE),
        ("SH033", floods(b"\nNONCE begin\n1:", b"x" * (1 << 20)), Code.RANGE_TOO_WIDE),
        ("before the mark", floods(b"", b"x" * (1 << 20)), Code.REMOTE_COMMAND_FAILED),
    ],
)
def test_a_flood_is_cut(case: str, act: evil.Act, code: Code, meet: Meet) -> None:
    with evil.ssh(evil.polite(act)) as peer:
        before = _resident()
        error = told(meet(peer, command_timeout=10.0), 11)
        assert error.code == code
        assert _resident() - before < 100 << 20


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")


def test_sh034_bytes_are_given_as_they_are(meet: Meet) -> None:
    """They are made visible where they are shown (answers/screen.py)."""
    odd = b"\x1b[31m\x1b]8;;http://x\x07 \0 AAAA111"

    def act(channel: paramiko.Channel, line: str, nonce: bytes) -> None:
        channel.sendall(evil.answer(nonce, b"5:" + odd + b"\n"))
        evil.finish(channel, 0)

    with evil.ssh(evil.polite(act)) as peer:
        (found,) = meet(peer).grep(PATH, 0, 1 << 30, [b"AAAA111"], False, go_on)
    assert found.line == odd


def test_no_reply_to_a_request_at_all(meet: Meet) -> None:
    """paramiko itself waits for it without end."""

    class Deaf(evil.Interface):
        def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
            time.sleep(15)
            return False

    def serve(connection: socket.socket, record: evil.Record) -> None:
        transport = paramiko.Transport(connection)
        transport.add_server_key(evil.HOST_KEY)
        transport.start_server(server=Deaf(record, hang, "publickey", False, None))

    with evil.raw(serve) as peer:
        assert told(meet(peer), 4).code == Code.HOST_TIMEOUT


def test_sh016_the_others_are_not_held_up(meet: Meet) -> None:
    """Several calls to a host that hangs do not keep a call to another one waiting."""
    with evil.ssh(evil.polite(hang)) as bad, evil.ssh(evil.polite(cut_with(0, WHOLE))) as good:
        slow, quick = meet(bad), meet(good)
        threads = [threading.Thread(target=told, args=(slow, 9)) for _ in range(6)]
        for thread in threads:
            thread.start()
        begun = time.monotonic()
        for _ in range(5):
            assert len(list(quick.grep(PATH, 0, 1 << 30, [b"AAAA111"], False, go_on))) == 2
        assert time.monotonic() - begun < 1.0
        for thread in threads:
            thread.join()


def test_sh039_the_clock_of_the_host(meet: Meet, pool: Pool) -> None:
    def act(channel: paramiko.Channel, line: str, first: bytes) -> None:
        channel.sendall(evil.hello(first.split()[0], ahead=3 * 3600))
        evil.finish(channel, 0)

    with evil.ssh(act) as peer:
        facts = meet(peer)._machine.facts(go_on)
    assert facts is not None and facts.ahead is not None
    assert abs(facts.ahead - 3 * 3600) < facts.within + 0.1
    assert facts.zone == "Asia/Taipei"
    assert facts.programs == ("grep", "tail")


def test_a_listing_that_lies(meet: Meet) -> None:
    """Names with separators, other places, sizes that no file has: left out, whatever they are."""
    lines = [
        b"81a4 1 2 100 1700000000 /var/log/mail.log",
        b"81a4 1 3 100 1700000000 /var/log/mail.log.1/../../../etc/shadow",
        b"81a4 1 4 100 1700000000 /etc/shadow",
        b"81a4 1 5 9223372036854775807 1700000000 /var/log/mail.log.2",
        b"81a4 1 6 100 -5 /var/log/mail.log.3",
        b"81a4 1 7 100 1700000000 /var/log/mail.log.$(id)",
        b"81a4 1 8 100 1700000000 /var/log/mail.log.\xff",
        b"zz 1 9 100 1700000000 /var/log/mail.log.4",
        b"41ed 1 10 100 1700000000 /var/log/mail.log.5",
        b"nonsense",
    ]

    def act(channel: paramiko.Channel, line: str, nonce: bytes) -> None:
        channel.sendall(evil.answer(nonce, b"", parts=(b"\n".join(lines) + b"\n",)))
        evil.finish(channel, 0)

    with evil.ssh(evil.polite(act)) as peer:
        found, troubles = meet(peer).listed(["/var/log/mail.log*"], go_on)
    assert [one.path for one in found] == ["/var/log/mail.log"]
    assert [one.path for one in troubles] == ["/var/log/mail.log.5"]


@pytest.mark.parametrize("count", [3000, 300_000])
def test_a_listing_without_end(count: int, meet: Meet) -> None:
    entry = b"81a4 1 2 100 1700000000 /var/log/mail.log.%06d\n"

    def act(channel: paramiko.Channel, line: str, nonce: bytes) -> None:
        body = b"".join(entry % number for number in range(count))
        channel.sendall(evil.answer(nonce, b"", parts=(body,)))
        evil.finish(channel, 0)

    with evil.ssh(evil.polite(act)) as peer, pytest.raises(StoreError, match="more than 2000"):
        meet(peer, command_timeout=10.0).listed(["/var/log/mail.log*"], go_on)


def test_more_bytes_than_were_asked_for(meet: Meet) -> None:
    def act(channel: paramiko.Channel, line: str, nonce: bytes) -> None:
        channel.sendall(evil.answer(nonce, b"", parts=(b"x" * 50, b"")))
        evil.finish(channel, 0)

    with evil.ssh(evil.polite(act)) as peer:
        store = meet(peer)
        for spans in ([(0, 10), (50, 10)], [(0, 10), (50, 100)]):
            with pytest.raises(StoreError, match="not used"):
                store.spans(PATH, spans, go_on)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The servers here are paramiko's, and end in many ways."""
    paramiko.util.get_logger("paramiko").setLevel(100)
    yield
