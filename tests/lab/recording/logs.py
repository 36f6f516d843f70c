"""Bringing the logs home, in the files that logrotate would have left."""

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from maillab.cluster import Lab
from maillab.hosts import HOSTS, Host


def collect(lab: Lab, target: Path) -> list[Path]:
    """Copy each Postfix host's logs to target/HOST/; nothing is changed but the files' names."""
    written = []
    for host in HOSTS:
        for file in (
            sorted((lab.machine(host.name).root / "var/log").glob("mail.log*"))
            if host.parts
            else []
        ):
            text = file.read_bytes()
            copy = target / host.name / _name(host, file.name, text)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(text)
            written.append(copy)
    return written


def _name(host: Host, name: str, text: bytes) -> str:
    """The file's name at home.

    BSD stamps have no year and a clone has no mtime, so that name gets the date of the last line,
    as logrotate's `dateext` gives it.
    """
    if host.log_format != "bsd" or name != "mail.log":
        return name
    last = text.splitlines()[-1].decode("ascii", "replace")
    match = re.match(r"(\w{3}) +(\d+) ", last)
    if not match:
        raise ValueError(f"no BSD stamp: {last!r}")
    year = datetime.now(ZoneInfo(host.zone)).year
    day = datetime.strptime(f"{match[1]} {match[2]} {year} +0000", "%b %d %Y %z")
    return f"mail.log-{day:%Y%m%d}"
