"""~/.ssh/config, as far as it tells how to reach a host (ssh_config(5)). It runs nothing.

paramiko's own reader runs the commands of `Match exec` and knows no Include, hence this one. Known
are Host, Match (all, host, originalhost), Include, HostName, Port, User, IdentityFile, ProxyJump and
HostKeyAlias; of ProxyCommand only that it is there. For each keyword the first value wins.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_SETTING = re.compile(r"\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*")
_DEEPEST = 16  # Include in Include, as OpenSSH allows
_LARGEST = 1 << 20


@dataclass
class Options:
    """What the file says of the host that is called `name`; None where it is silent. `commanded`: a
    ProxyCommand is named, which is never run."""

    name: str
    hostname: str | None = None
    port: int | None = None
    user: str | None = None
    identity_files: list[str] = field(default_factory=list)
    proxy_jump: str | None = None
    host_key_alias: str | None = None
    commanded: bool = False


def options(path: Path, name: str) -> Options:
    """The options for the host that is called `name`; empty where there is no such file."""
    found = Options(name)
    _read((path,), path.parent, found)
    return found


def _read(chain: tuple[Path, ...], folder: Path, found: Options) -> None:
    """Takes what the last file of a chain says, and those that it includes (relative to `folder`); a
    block ends with the file it stands in."""
    active = True
    for keyword, words in _settings(chain[-1]):
        if keyword == "host":
            active = _host_matches(words, found.name)
        elif keyword == "match":
            active = _match_holds(words, found)
        elif active and keyword == "include" and len(chain) < _DEEPEST:
            for one in _included(words, folder):
                if one not in chain:
                    _read((*chain, one), folder, found)
        elif active and words:
            _take(found, keyword, words[0])


def _take(found: Options, keyword: str, value: str) -> None:
    if keyword == "hostname":
        found.hostname = found.hostname or value.replace("%h", found.name)
    elif keyword == "port" and value.isdecimal() and 0 < int(value) < 65536:
        found.port = found.port or int(value)
    elif keyword == "user":
        found.user = found.user or value
    elif keyword == "identityfile" and value.lower() != "none":
        found.identity_files.append(value)
    elif keyword == "proxyjump":
        found.proxy_jump = found.proxy_jump or value
    elif keyword == "hostkeyalias":
        found.host_key_alias = found.host_key_alias or value
    elif keyword == "proxycommand":
        found.commanded = found.commanded or value.lower() != "none"


def _settings(path: Path) -> Iterator[tuple[str, list[str]]]:
    """(keyword in lower case, words) of a file; broken lines are passed over."""
    for line in _lines(path):
        match = _SETTING.fullmatch(line)
        if match is None:
            continue
        try:
            yield match[1].lower(), shlex.split(match[2], comments=True)
        except ValueError:  # a quote that is not closed
            continue


def _lines(path: Path) -> list[str]:
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as file:
            return file.read(_LARGEST).splitlines()
    except OSError:
        return []


def _included(words: Sequence[str], folder: Path) -> list[Path]:
    patterns = [os.path.join(folder, os.path.expanduser(word)) for word in words]
    found = [one for pattern in patterns for one in sorted(glob.glob(pattern))]
    return [Path(one) for one in found if os.path.isfile(one)]


def _host_matches(patterns: Sequence[str], name: str) -> bool:
    matched = False
    for pattern in patterns:
        if fnmatch.fnmatchcase(name.lower(), pattern.lower().removeprefix("!")):
            if pattern.startswith("!"):
                return False
            matched = True
    return matched


def _match_holds(words: Sequence[str], found: Options) -> bool:
    """Whether a Match block applies. One with a criterion that is not known here, `exec` for one,
    never does."""
    rest = list(words)
    while rest:
        criterion = rest.pop(0).lower()
        if criterion == "all":
            continue
        if criterion not in ("host", "originalhost") or not rest:
            return False
        meant = found.hostname or found.name if criterion == "host" else found.name
        if not _host_matches(rest.pop(0).split(","), meant):
            return False
    return bool(words)
