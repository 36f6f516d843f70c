"""`mailtrace-mcp demo` as a user runs it: a process of its own, whose home and temporary folder are watched."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.server.wire import ENVIRONMENT

DEMO = (sys.executable, "-m", "mailtrace_mcp", "demo")
_ALONE = ("unshare", "--net", "--map-root-user", "sh", "-c", 'ip link set lo up && exec "$@"', "-")


@dataclass(frozen=True)
class Place:
    """Where a demo may leave traces: the user's home, and the folder for temporary files."""

    home: Path
    temporary: Path

    @property
    def left(self) -> list[Path]:
        return [*self.home.iterdir(), *self.temporary.iterdir()]

    @property
    def environment(self) -> Mapping[str, str]:
        """What is in it must not matter to a demo: a configuration, and that nothing may be sent."""
        kept = {name: text for name, text in ENVIRONMENT.items() if not name.startswith("XDG_")}
        return kept | {
            "HOME": str(self.home),
            "TMPDIR": str(self.temporary),
            "MAILTRACE_CONFIG": str(self.home / "nothing.yaml"),
            "MAILTRACE_READ_ONLY": "1",
        }

    def start(self, command: Sequence[str] = DEMO) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip


def place(folder: Path) -> Place:
    """Folders of its own, empty."""
    made = Place(folder / "home", folder / "tmp")
    made.home.mkdir()
    made.temporary.mkdir()
    return made


@dataclass(frozen=True)
class Shown:
    """A demo that has ended."""

    code: int
    out: str
    err: str
    place: Place

    def part(self, begin: str, end: str) -> str:
        """What stands between two of its lines, each of which is there once."""
        assert (self.out.count(begin), self.out.count(end)) == (1, 1), (begin, end, self.out)
        return self.out.partition(begin)[2].partition(end)[0]


@cache
def can_be_alone() -> bool:
    """Whether this machine lets us have a network namespace, where there is nothing but loopback."""
    try:
        tried = subprocess.run([*_ALONE, "true"], capture_output=True, timeout=60, check=False)
    except OSError:
        return False
    return tried.returncode == 0


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """The demo, once, cut off from every network where the machine allows that."""
    where = place(tmp_path_factory.mktemp("demo"))
    with where.start([*(_ALONE if can_be_alone() else ()), *DEMO]) as demo:
        out, err = demo.communicate(timeout=200)
    return Shown(demo.returncode, out, err, where)


def test_it_shows_all_and_succeeds(shown: Shown) -> None:
    assert (shown.code, shown.err) == (0, ""), shown.out + shown.err


def test_the_tree_grows_out_of_progress_notifications(shown: Shown) -> None:
    grown = shown.part("What its progress notifications tell:\n\n", "Its answer:")
    trees = re.split(r"\n\n", grown.strip("\n"))
    assert len(trees) >= 2
    assert all(re.match(r" *[0-9.]+ s  out1 ", tree) for tree in trees)
    last = [line[10:] for line in trees[-1].split("\n")]
    hop = r"[0-9A-Za-z]+  [0-9:]{8}"
    # The way of one, how it ended for each, and the way of the bounce, each below what it follows.
    assert re.fullmatch(rf"out1 {hop}", last[0])
    assert re.fullmatch(rf"└─ mx1 {hop}", last[1])
    below = "\n".join(last[2:])
    assert re.search(r"^   ├─ bob@demo\.example: deferred \(.*mailbox is full\)$", below, re.M)
    assert re.search(r"^   ├─ nobody@demo\.example: bounced \(.*no such mailbox\)$", below, re.M)
    assert re.search(rf"^   [├└]─ box1 {hop}\n   [│ ]  └─ alice@demo\.example: sent$", below, re.M)
    assert re.search(rf"^   [├└]─ mx1 {hop}  \[bounce\]\n   [│ ]  └─ box1 {hop}$", below, re.M)


def test_the_answer_has_an_outcome_for_each_recipient(shown: Shown) -> None:
    answer = shown.part("Its answer:", "The same mail once more")
    assert "1 mail to 3 recipients: 1 sent, 1 deferred, 1 bounced, 3 hops." in answer
    assert re.search(r"bob@demo\.example: deferred .* [2-9] attempts", answer)
    assert re.search(r"bounce to mailtrace@demo\.example: sent  \(mx1 \w+ → box1 \w+\)", answer)
    assert "Coverage: 3 of 3 hosts read" in answer
    assert "not understood" not in answer


def test_both_faces_give_one_object(shown: Shown) -> None:
    same = shown.part("The same mail once more", "Meanwhile the command line")
    assert "$ mailtrace-mcp trace --message-id " in same
    paths = re.findall(r"^    path: (.*)$", same, re.M)
    assert {path.count("→") for path in paths} == {1, 2}
    assert "coverage: 3 of 3 hosts read" in same
    assert "--json and structuredContent are the same object: yes\n" in same


def test_a_throttling_server_is_tried_again(shown: Shown) -> None:
    told = shown.part("$ mailtrace-mcp send --profile bulk", "All of it is gone again.")
    tries = re.findall(r"mail (\d), attempt (\d): (\w+) (\d+)", told)
    assert {mail for mail, _, how, _ in tries if how == "accepted"} == {"1", "2", "3", "4"}
    later = {mail for mail, _, how, code in tries if how == "refused" and code in ("421", "451")}
    assert later
    for mail in later:
        attempts = [(int(number), how) for one, number, how, _ in tries if one == mail]
        assert [number for number, _ in attempts] == list(range(1, len(attempts) + 1))
        assert attempts[-1][1] == "accepted"
    assert "4 of 4 mails handled." in told
    assert re.search(r"The server refused for now \d+ times: 451(, 421)?", told)


def test_nothing_is_left_and_a_command_for_real_logs_is_named(shown: Shown) -> None:
    assert shown.place.left == []
    command = shown.out.rstrip("\n").rpartition("\n$ mailtrace-mcp ")[2].split(" ")
    told = subprocess.run(
        [*DEMO[:3], *command], env=ENVIRONMENT, capture_output=True, text=True, timeout=100
    )
    assert "1 mail to 3 recipients: 1 sent, 1 deferred, 1 bounced" in told.stdout, told.stderr


def test_it_needs_no_network_but_loopback(shown: Shown) -> None:
    if not can_be_alone():
        pytest.skip("this machine gives no network namespace (unshare, ip, user namespaces)")
    assert shown.code == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_ended_in_the_middle_it_leaves_nothing(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    where = place(tmp_path)
    with where.start() as demo:
        assert demo.stdout is not None
        while (line := demo.stdout.readline()) and "out1 4" not in line:
            pass
        assert where.left != []
        demo.send_signal(number)
        _, err = demo.communicate(timeout=100)
    assert (demo.returncode, err) == (code, "")
    assert where.left == []
    _wait_until_nobody_speaks_of(str(where.temporary))


def _wait_until_nobody_speaks_of(text: str) -> None:
    """No process of the demo's lives on; what is ending may take a moment."""
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("processes cannot be looked at without /proc")
    for _ in range(100):
        if not any(text.encode() in command for command in _commands()):
            return
        time.sleep(0.1)
    raise AssertionError(f"a process still speaks of {text}")


def _commands() -> list[bytes]:
    found = []
    for one in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(one.read_bytes())
        except OSError:  # it has ended
            continue
    return found


def test_when_nobody_reads_any_more_it_ends_and_leaves_nothing(tmp_path: Path) -> None:
    where = place(tmp_path)
    with where.start() as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        demo.stdout.readline()
        demo.stdout.close()
        err = demo.stderr.read()
        demo.wait(timeout=100)
    assert (demo.returncode, err) == (0, "")
    assert where.left == []


def test_a_configuration_is_refused(tmp_path: Path) -> None:
    where = place(tmp_path)
    with where.start([*DEMO, "--config", os.devnull]) as demo:
        out, err = demo.communicate(timeout=100)
    assert (demo.returncode, out) == (2, "")
    assert "demo has hosts and a configuration of its own: leave --config out." in err
