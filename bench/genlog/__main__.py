"""`python -m bench.genlog FOLDER`: a log for each host, with one mail over some of them that is known."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from bench.genlog import planted, write
from bench.sizes import size


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.genlog", description=__doc__)
    parser.add_argument("folder", type=Path, help="FOLDER/HOST.log is written")
    parser.add_argument("--size", type=size, default=size("10M"), help="of each log (10M, 1G)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same bytes")
    parser.add_argument("--stamps", choices=("rfc3339", "bsd"), default="rfc3339")
    parser.add_argument(
        "--long-ids", action="store_true", help="queue IDs of enable_long_queue_ids"
    )
    parser.add_argument(
        "--hosts", default="mx1.example.net", help="names, with commas between them"
    )
    parser.add_argument("--way", default="", help="hosts that one known mail takes, in order")
    parser.add_argument("--at", type=float, default=60.0, help="second at which that mail arrives")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    mail = planted(given.way.split(","), given.at) if given.way else None
    for number, host in enumerate(given.hosts.split(",")):
        write(
            given.folder / f"{host}.log",
            given.size,
            given.seed + number,
            host,
            given.stamps,
            given.long_ids,
            mail.lines.get(host, ()) if mail else (),
        )
    if mail:
        known = {"message_id": mail.message_id, "queue_ids": mail.queue_ids}
        sys.stdout.write(json.dumps(known, indent=2) + "\n")


if __name__ == "__main__":
    main()
