"""Folders for fixtures/journeys out of a recording: `journeys.py RECORDING STORY… [--to FOLDER]`.

Of each host's log only the lines of that mail, and what the same processes said just then without a
queue ID; expected.yaml is made from ORACLE.json alone. What no oracle knows (a `story` sentence, other
questions) is then written by hand.
"""

import argparse
import gzip
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from maillab.hosts import CLUSTER_NAMES, HOSTS, Host

REPOSITORY = Path(__file__).resolve().parents[3]
# How many lines before and after a line of the mail may explain it.
NEAR = 8
TAG = re.compile(r" ([\w./-]+\[\d+\]): ")
QUEUE_ID = re.compile(r"\]: (\w+): ")

Entry = dict[str, Any]


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording", type=Path, help="the --target of record.py")
    parser.add_argument("stories", nargs="+")
    parser.add_argument("--to", type=Path, default=REPOSITORY / "fixtures" / "journeys")
    arguments = parser.parse_args(argv)
    oracle = json.loads((arguments.recording / "ORACLE.json").read_text())
    for mail in oracle:
        if mail["story"] in arguments.stories:
            write(mail, arguments.recording, arguments.to / f"cluster-{mail['story']}")
    return 0


def write(mail: Entry, recording: Path, folder: Path) -> None:
    """One story's folder: HOST/mail.log-DATE for each host with a line of it, and expected.yaml."""
    ids = {queue_id for row in _rows(mail) for _, queue_id in row["path"] if queue_id}
    marks = ids | {mail["message_id"]} - {"", "<>"}
    hosts = []
    for host in HOSTS:
        lines = [
            line for file in _files(recording / host.name) for line in _read(file).splitlines()
        ]
        kept = list(_kept(lines, marks))
        if kept:
            hosts.append(host)
            # A BSD stamp has no year: the name tells it, as logrotate's `dateext` would.
            day = datetime.fromisoformat(mail["sent_at"]).astimezone(ZoneInfo(host.zone))
            (folder / host.name).mkdir(parents=True, exist_ok=True)
            text = "\n".join(kept) + "\n"
            (folder / host.name / f"mail.log-{day:%Y%m%d}").write_text(text)
    expected = yaml.safe_dump(
        _expected(mail, hosts), sort_keys=False, allow_unicode=True, width=110
    )
    (folder / "expected.yaml").write_text(expected)


def _rows(mail: Entry) -> list[Entry]:
    return [*mail["recipients"], *mail.get("notices", [])]


def _files(folder: Path) -> list[Path]:
    """Oldest first: mail.log.2.gz, mail.log.1.gz, mail.log."""
    return sorted(folder.glob("mail.log*"), reverse=True)


def _read(file: Path) -> str:
    raw = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    return raw.decode("utf-8", "surrogateescape")


def _kept(lines: list[str], marks: set[str]) -> Iterator[str]:
    """The lines with a mark in them, and those near them that their processes wrote without an ID."""
    own = [any(mark in line for mark in marks) for line in lines]
    for number, line in enumerate(lines):
        if own[number]:
            yield line
            continue
        tag, queue_id = TAG.search(line), QUEUE_ID.search(line)
        if tag is None or (
            queue_id and re.fullmatch(r"[0-9A-F]{6,}|[0-9A-Za-z]{12,}", queue_id[1])
        ):
            continue
        near = range(max(0, number - NEAR), min(len(lines), number + NEAR + 1))
        if any(own[one] and tag[0] in lines[one] for one in near):
            yield line


def _expected(mail: Entry, hosts: Iterable[Host]) -> Entry:
    names = [host.name for host in hosts]
    at = datetime.fromisoformat(mail["sent_at"])
    asks: list[Entry] = [{"message_id": mail["message_id"]}] if len(mail["message_id"]) > 2 else []
    places = {(host, queue_id) for row in _rows(mail) for host, queue_id in row["path"] if queue_id}
    asks += [{"queue_id": queue_id, "host": host} for host, queue_id in sorted(places)]
    wanted: Entry = {
        "story": mail["notes"] or mail["subject"],
        "source": "a real Postfix 3.7.11, tests/lab; what happened is from its oracle",
        "hosts": {host.name: _host(host) for host in hosts},
    }
    clusters = {
        role: {"hosts": [one for one in members if one in names], "aliases": [name]}
        for name, members in CLUSTER_NAMES.items()
        if set(members) & set(names)
        for role in {host.role for host in HOSTS if host.name in members}
    }
    if clusters:
        wanted["clusters"] = clusters
    times = {
        "time": at.isoformat(),
        "time_range": "5m",
        "now": (at + timedelta(hours=1)).isoformat(),
    }
    return wanted | times | {"asks": asks, "traces": [_trace(mail)], "complete": True}


def _host(host: Host) -> Entry:
    first = host.addresses[0]
    aliases = [first.name, *([first.ip6] if first.ip6 else [])]
    return {"address": first.ip4, "aliases": aliases, "timezone": host.zone}


def _trace(mail: Entry) -> Entry:
    outcomes = {row["outcome"] for row in mail["recipients"]}
    trace: Entry = {
        "outcome": outcomes.pop() if len(outcomes) == 1 else "mixed",
        "sender": mail["sender"],
    }
    keys = ("recipient", "outcome", "end", "path", "original_recipient", "added_by")
    trace["recipients"] = [_row(row, keys) for row in mail["recipients"]]
    if "notices" in mail:
        trace["notices"] = [_row(row, ("kind", "to", "outcome", "path")) for row in mail["notices"]]
    return trace


def _row(row: Entry, keys: Iterable[str]) -> Entry:
    told = {key: row[key] for key in keys if row.get(key) is not None}
    return told | {"path": [f"{host}/{queue_id or '-'}" for host, queue_id in row["path"]]}
