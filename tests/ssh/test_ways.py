"""Whichever way another machine is read, the lines are those that stand in its logs; also while these
are rotated."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailtrace_mcp.logs.index import Shape
from mailtrace_mcp.logs.plan import Measures
from tests.index.conftest import TINY, Machine, ask, same
from tests.index.racing import race
from tests.index.test_ways import a_machine, a_question, fill
from tests.soak import rounds

from .conftest import Place, Stores

GREP = Measures(at_once=0)
WAYS = {
    "grep": (False, GREP),
    "bisect and grep": (False, TINY),
    "index": (True, GREP),
    "index, large": (True, TINY),
    "index, much": (True, Measures(small=0, at_once=0, grain=256, fetched=600)),
    "index, behind": (True, Measures(at_once=0, behind=0)),
}
STORES = {"both": "/var/log", "inline": "/var/log", "sftp": "/var/log", "chroot": "/log"}
_ONE_PLACE = settings(
    max_examples=rounds(4, 60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.mark.soak
@pytest.mark.parametrize("store", STORES)
@_ONE_PLACE
@given(st.integers(0, 2**32))
def test_all_ways_give_the_same_lines(place: Place, stores: Stores, store: str, seed: int) -> None:
    folder = place.box.log / "ways"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    machine, lines = a_machine(seed, folder)
    machine.there = f"{STORES[store]}/ways/logs"
    fill(machine, lines)
    far = stores(store)
    machine.build(store=far)
    if lines.random.random() < 0.5:
        machine.append("mail.log", lines.some(lines.random.randrange(1, 20)), lines.now)
    for name, (index, measures) in WAYS.items():
        terms, window = a_question(lines)
        expected = ask(machine.reference(), terms, window)
        found = ask(machine.planned(far, index, measures), terms, window)
        same(found, expected, stamped_only=measures is not GREP and name != "index, behind")
    machine.index.close()


@pytest.mark.soak
def test_a_rotation_loses_and_doubles_nothing(place: Place, stores: Stores) -> None:
    folder = place.box.log / "rotated"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shape = Shape(4096, 1 << 14, 1 << 10)
    machine = Machine(folder, shape=shape, there="/var/log/rotated/logs")
    both, sftp = stores("both"), stores("sftp")
    ways = {
        "without an index": lambda: machine.planned(both),
        "with an index": lambda: machine.planned(both, True),
        "by SFTP": lambda: machine.planned(sftp),
    }
    race(machine, ways, both)
    machine.index.close()
