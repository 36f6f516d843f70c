"""The files that globs name, and their order: rotated by number (.1, .2.gz) or by date (-20261121.gz)."""

from __future__ import annotations

import errno
import glob
import os
import re
import stat
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from mailtrace_mcp.errors import Code

_PACKED = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".Z")
_DATE = re.compile(r"(?<![0-9])(20[0-9]{2})-?([01][0-9])-?([0-3][0-9])([0-2][0-9])?(?![0-9])")
_NUMBER = re.compile(r"\.([0-9]{1,4})$")


class Trouble(NamedTuple):
    """What one file could not give: a code of TOOLS.md, the path or glob, and a few words."""

    code: Code
    path: str
    words: str


class Listed(NamedTuple):
    """A file that is there: its path, what identifies it, when it was last written (UNIX time)."""

    path: str
    identity: tuple[int, int]
    size: int
    written: float


def listed(patterns: Iterable[str]) -> tuple[list[Listed], list[Trouble]]:
    """The regular files of `patterns`, oldest first by their names, each once (a second name or a link
    of the same file is left out), and what is wrong with the others."""
    found: dict[tuple[int, int], Listed] = {}
    troubles: list[Trouble] = []
    paths: list[str] = []
    for pattern in patterns:
        matches = glob.glob(pattern)
        paths += [path for path in matches if not (glob.has_magic(pattern) and os.path.isdir(path))]
        if not matches:
            troubles.append(_nothing(pattern))
    for path in sorted(dict.fromkeys(paths), key=_age):
        try:
            status = os.stat(path)
        except OSError as error:
            troubles.append(trouble(path, error))
            continue
        if stat.S_ISREG(status.st_mode):
            one = Listed(path, (status.st_dev, status.st_ino), status.st_size, status.st_mtime)
            found.setdefault(one.identity, one)
        else:
            folder = stat.S_ISDIR(status.st_mode)
            words = "is a directory: name its files (/*)" if folder else "is not a regular file"
            troubles.append(Trouble(Code.FILE_DENIED, path, words))
    return list(found.values()), troubles


def oldest_first(found: Iterable[Listed]) -> list[Listed]:
    """In the order in which the files of one log were written, by their names."""
    return sorted(found, key=lambda one: _age(one.path))


def trouble(path: str, error: OSError) -> Trouble:
    """Why a file cannot be opened or read."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE):
        return Trouble(Code.FILE_NOT_FOUND, path, "is not there")
    if error.errno in (errno.EACCES, errno.EPERM):
        return Trouble(Code.FILE_DENIED, path, "may not be read")
    if error.errno == errno.ELOOP:
        return Trouble(Code.FILE_DENIED, path, "is a symbolic link that leads in a circle")
    if error.errno is None:
        return Trouble(Code.FILE_DENIED, path, str(error))
    return Trouble(Code.FILE_CORRUPT, path, f"cannot be read ({os.strerror(error.errno)})")


def stem(path: str) -> str:
    """The path without the suffix that a packer adds."""
    return next((path[: -len(end)] for end in _PACKED if path.endswith(end)), path)


def date_in_name(path: str) -> date | None:
    """The day in a file's name, as logrotate's dateext and daily files have it."""
    match = _DATE.search(os.path.basename(path))
    if match is None:
        return None
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def base(path: str) -> str:
    """The log that a file is a rotation of: files of one base follow each other in time."""
    return _age(path)[0]


def same_turn(one: str, other: str) -> bool:
    """Whether two files are of the same rotation: a log and its packed form."""
    return _age(one)[:-1] == _age(other)[:-1]


def _nothing(pattern: str) -> Trouble:
    """No file matches: or its folder may not be looked into, which is not the same."""
    folder = os.path.dirname(pattern)
    while folder and glob.has_magic(folder):
        folder = os.path.dirname(folder)
    try:
        with os.scandir(folder or "."):
            pass
    except OSError as error:
        return trouble(pattern, error)
    words = "matches no file" if glob.has_magic(pattern) else "is not there"
    return Trouble(Code.FILE_NOT_FOUND, pattern, words)


def _age(path: str) -> tuple[str, int, int, str, str]:
    """Sorts a log's files oldest first: numbered (who dates now numbered before), dated, the current."""
    bare = stem(path)
    number = _NUMBER.search(bare)
    if number:
        return (bare[: number.start()], 0, -int(number[1]), "", path)
    day = _DATE.search(os.path.basename(bare))
    if day:
        base = os.path.dirname(bare) + "/" + _DATE.sub("", os.path.basename(bare), count=1)
        return (base.rstrip("-._"), 1, 0, "".join(part or "" for part in day.groups()), path)
    return (bare, 2, 0, "", path)
