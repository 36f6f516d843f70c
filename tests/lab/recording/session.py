"""One recording from beginning to end."""

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

from maillab import requirements, rsyslog
from maillab.cluster import Lab
from maillab.errors import LabError

from . import acts, background, load, logs, stories
from .evidence import everything, read
from .mail import Sent, hand_in
from .oracle import Entry, UnexplainedError, tell

REPOSITORY = Path(__file__).resolve().parents[3]
INSIDE = "MAILTRACE_LAB_INSIDE"
# csmail2 gives up after 60 s, at the next retry, at the next queue run; then the notice travels.
PATIENCE = 180.0


def main(argv: Sequence[str]) -> int:
    """Record into the folder named (fixtures/cluster), 0 if every mail could be explained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", type=Path, default=REPOSITORY / "fixtures" / "cluster")
    parser.add_argument("--background", type=int, default=150, help="number of ordinary mails")
    parser.add_argument(
        "--seconds", type=float, default=90.0, help="time over which they are spread"
    )
    parser.add_argument("--load", type=int, default=0, help="number of smtp-source's mails")
    parser.add_argument("--keep", action="store_true", help="leave the lab up")
    arguments = parser.parse_args(argv)
    try:
        requirements.check()
        lab = Lab(os.environ.get("MAILTRACE_LAB", "mailtrace-recording"))
        if INSIDE not in os.environ:
            _enter(lab)
        try:
            return _record(lab, arguments)
        finally:
            if not arguments.keep:
                lab.down()
    except LabError as error:
        print(f"record: {error}", file=sys.stderr)
        return 1


def _enter(lab: Lab) -> NoReturn:
    """Start from a fresh lab, and run this program again in its network, where clients live."""
    lab.down()
    lab.up()
    environment = os.environ | {INSIDE: "1", "MAILTRACE_LAB": lab.state.name}
    enter = ["nsenter", "-t", str(lab.switch.pid), "-n", sys.executable, *sys.argv]
    os.execvpe("nsenter", enter, environment)


def _record(lab: Lab, arguments: argparse.Namespace) -> int:
    with ThreadPoolExecutor() as pool:
        ordinary = pool.submit(background.play, arguments.background, arguments.seconds)
        loaded = pool.submit(load.play, arguments.load, arguments.seconds)
        sent = _tell_stories(lab)
        time.sleep(max(0.0, arguments.seconds / 3))
        rsyslog.rotate(lab.machine("csbox1"))
        sent += ordinary.result()
        taken = loaded.result()
    told = _settle(lab, sent)
    for host in arguments.target.glob("cs*"):
        shutil.rmtree(host)
    files = logs.collect(lab, arguments.target)
    # One mail a line: small, and a new recording can be compared with the old one.
    lines = (json.dumps(each, ensure_ascii=False) for each in told)
    (arguments.target / "ORACLE.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
    size = sum(each.stat().st_size for each in files)
    print(f"{len(told)} mails and {taken} of the load, {size} bytes of logs in {arguments.target}")
    return 0


def _tell_stories(lab: Lab) -> list[Sent]:
    done = [sent for mail in stories.FIRST for sent in hand_in([mail])]
    by_hand = acts.early(lab)
    acts.late(lab, by_hand)
    for mail in stories.NEXT:
        done += hand_in([mail])
        time.sleep(0.4)
    return done + by_hand


def _settle(lab: Lab, sent: list[Sent]) -> list[Entry]:
    """Wait until every recipient of every mail has an end that can be shown."""
    until = time.monotonic() + PATIENCE
    while True:
        found = list(everything(lab))
        try:
            told = tell(sent, [proof for each in found for proof in read(each)])
            pending = [
                story
                for each, entry in zip(sent, told, strict=True)
                for story in _open_ends(each, entry)
            ]
            if not pending:
                return told
        except UnexplainedError as error:
            pending = [str(error)]
        if time.monotonic() > until:
            raise LabError(f"not explained after {PATIENCE:.0f} s: {pending}")
        time.sleep(2)


def _open_ends(sent: Sent, entry: Entry) -> list[str]:
    """What may still change: queued mail, and deferred mail that is not meant to stay so."""
    open_ends = {"queued"} if sent.mail.stays_deferred else {"queued", "deferred"}
    rows = [*entry["recipients"], *entry.get("notices", [])]
    return [sent.mail.story for row in rows if row["outcome"] in open_ends]
