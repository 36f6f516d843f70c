"""A log that is rotated while it is read: no line is missed, none comes twice, whichever way it is read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from mailtrace_mcp.logs import Term
from mailtrace_mcp.logs.index import Shape
from mailtrace_mcp.logs.plan import Measures
from mailtrace_mcp.logs.rotation import Listed, Trouble
from mailtrace_mcp.logs.store import Stopped
from mailtrace_mcp.logs.unpack import Packing
from mailtrace_mcp.trace.coverage import Window
from tests.soak import rounds

from .conftest import AGES, Far, Machine, ask
from .racing import race
from .test_following import Host, whole

LARGE = Measures(small=0, at_once=0, grain=4096)


@pytest.mark.soak
def test_a_rotation_loses_and_doubles_nothing(tmp_path: Path) -> None:
    machine = Machine(tmp_path, shape=Shape(4096, 1 << 14, 1 << 10))
    planned = machine.planned
    race(
        machine,
        {
            "near": planned,
            "near, large": lambda: planned(measures=LARGE),
            "near, index": lambda: planned(index=True),
            "far": lambda: planned(Far(), measures=Measures(at_once=0)),
            "far, large": lambda: planned(Far(), measures=LARGE),
            "far, index": lambda: planned(Far(), True, Measures(at_once=0)),
            "far, index, large": lambda: planned(Far(), True, LARGE),
        },
    )


class Turning(Far):
    """A machine on which something happens just before the call of this number."""

    def __init__(self, number: int, act: Callable[[], None]) -> None:
        super().__init__()
        self._left = number
        self._act = act
        self.happened = False

    def listed(
        self, patterns: Sequence[str], stopped: Stopped
    ) -> tuple[list[Listed], list[Trouble]]:
        self._turn()
        return super().listed(patterns, stopped)

    def spans(self, path: str, spans: Sequence[tuple[int, int]], stopped: Stopped) -> list[bytes]:
        self._turn()
        return super().spans(path, spans, stopped)

    def chunks(self, path: str, packing: Packing, start: int, stopped: Stopped) -> Iterator[bytes]:
        self._turn()
        return super().chunks(path, packing, start, stopped)

    def _turn(self) -> None:
        self._left -= 1
        if not self._left:
            self._act()
            self.happened = True


def mark(host: Host, number: int) -> None:
    """A line whose queue ID stands nowhere else: no other block of it shows that the index is wrong."""
    host.finish()
    stamp = host.lines.stamp().encode()
    host.machine.append(
        "mail.log",
        b"%s mx1 postfix/qmgr[1]: ABCDEF000%d: removed\n" % (stamp, number),
        host.lines.now,
    )


def marked(host: Host) -> list[int]:
    """How many lines are found of each mark."""
    window = Window(AGES, host.lines.now + timedelta(days=1))
    return [
        len(
            ask(
                host.machine.planned(Far(), True),
                [Term("queue_id", f"ABCDEF000{number}", window)],
                window,
            ).lines
        )
        for number in range(4)
    ]


def shift(host: Host) -> None:
    """Renames all and packs none."""
    host.finish()
    for number in range(8, 0, -1):
        if host.path(f"mail.log.{number}").exists():
            host.path(f"mail.log.{number}").rename(host.path(f"mail.log.{number + 1}"))
    host.path("mail.log").rename(host.path("mail.log.1"))
    host.path("mail.log").touch()
    host.write()


ACTS: dict[str, Callable[[Host], None]] = {
    "shift": shift,
    "rename": Host.rename,
    "copy and truncate": Host.copy_and_truncate,
}


def a_host(folder: Path, seed: int) -> Host:
    """Each file is longer than the one before, so that it could be taken for it."""
    host = Host(folder, seed)
    for number in range(4):
        host.write()
        mark(host, number)
        for _ in range(2 * number + 1):
            host.write()
        if number < seed:
            shift(host)
    return host


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("number", range(1, 13))
@pytest.mark.parametrize("seed", range(3, 3 + rounds(1, 4)))
def test_whenever_it_is_rotated_while_it_is_indexed(
    tmp_path: Path, act: str, number: int, seed: int
) -> None:
    host = a_host(tmp_path, seed)
    store = Turning(number, partial(ACTS[act], host))
    host.machine.build(store=store)
    assert act != "shift" or marked(host) == [1, 1, 1, 1]
    for _ in range(3):
        host.check()
    whole(host.machine)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("number", range(1, 13))
@pytest.mark.parametrize("seed", range(3, 3 + rounds(1, 4)))
def test_whenever_it_is_rotated_while_a_question_is_answered(
    tmp_path: Path, act: str, number: int, seed: int
) -> None:
    host = a_host(tmp_path, seed)
    host.build()
    host.write()
    window = Window(AGES, host.lines.now + timedelta(days=1))
    terms = [Term("everything", "", window)]
    before = Counter(line.raw for line in ask(host.machine.reference(), terms, window).lines)
    store = Turning(number, partial(ACTS[act], host))
    found = ask(host.machine.planned(store, True, Measures(at_once=0)), terms, window)
    after = Counter(line.raw for line in ask(host.machine.reference(), terms, window).lines)
    lines = Counter(line.raw for line in found.lines)
    assert lines <= before | after
    # The oldest file goes with the rotation. What is there before and after it is found.
    assert found.coverage[0].code is not None or before & after <= lines
    assert act != "shift" or marked(host) == [1, 1, 1, 1]
    for _ in range(3):
        host.check()
    whole(host.machine)
