"""What a host says, checked against what was asked: its files in order, and what is told if not."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from fnmatch import fnmatchcase

from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.rotation import Listed, Trouble, oldest_first
from mailtrace_mcp.logs.ssh.commands import known_path
from mailtrace_mcp.logs.store import StoreError

MOST_FILES = 2000  # of one host; more are no rotation of a log
_LONGEST = 1024  # of a path
_HIGHEST = 1 << 53  # of a size


def matches(pattern: str, path: str) -> bool:
    """Whether a path that a host told is one that the glob means: part by part, as a shell has it."""
    wanted, parts = pattern.split("/"), path.split("/")
    return len(wanted) == len(parts) and all(
        fnmatchcase(part, want) and part not in (".", "..") and (part[:1] != "." or want[:1] == ".")
        if part != want
        else True
        for want, part in zip(wanted, parts, strict=True)
    )


def sound(pattern: str, path: str, size: int, written: float) -> bool:
    """Whether a name and its numbers can be taken from a host that may lie."""
    return (
        len(path) <= _LONGEST
        and known_path(path)
        and matches(pattern, path)
        and 0 <= size < _HIGHEST
        and 0 <= written < _HIGHEST
    )


def chosen(
    found: Iterable[tuple[Listed, int]], troubles: list[Trouble]
) -> tuple[list[Listed], list[Trouble]]:
    """The regular files among (file, mode), oldest first, each once; of two with the same identity (a
    link, a copy in the making) the longer one. What is none is told."""
    kept: dict[tuple[int, int], Listed] = {}
    modes = dict(found)
    for one in oldest_first(modes):
        if not stat.S_ISREG(modes[one]):
            troubles.append(Trouble(Code.FILE_DENIED, one.path, "is not a regular file"))
        elif one.identity not in kept or kept[one.identity].size < one.size:
            kept[one.identity] = one
    return oldest_first(kept.values()), troubles


def nothing(pattern: str, state: int) -> Trouble:
    """Why there is no file: 77 (it may not be looked for) or anything else (there is none)."""
    if state == 77:
        return Trouble(Code.FILE_DENIED, pattern, "may not be read, or not be looked for")
    words = "matches no file" if any(char in pattern for char in "*?[") else "is not there"
    return Trouble(Code.FILE_NOT_FOUND, pattern, words)


def too_many() -> StoreError:
    words = f"Its log files are more than {MOST_FILES}: name fewer of them."
    return StoreError(Code.RANGE_TOO_WIDE, words)


def too_much(most: int) -> StoreError:
    words = (
        f"More than {most >> 20} MB would have to be fetched from it (limits.bytes_per_host): ask for "
        "a shorter time or more keywords."
    )
    return StoreError(Code.RANGE_TOO_WIDE, words)


def lie() -> StoreError:
    """A host that says what cannot be is not believed in the rest either."""
    words = "It answered with something else than was asked for: its answer is not used."
    return StoreError(Code.REMOTE_COMMAND_FAILED, words)
