"""The fixed grammar of what is run on a host: words that the configuration and arithmetic make.

Nothing that a stranger wrote stands in a command line: patterns go on standard input. The grammar is
that of the sh script `mailtrace-read` beside this file, installed there or sent along.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from mailtrace_mcp.logs.unpack import Packing

PROGRAMS = ("grep", "head", "tail", "stat", "gzip", "bzip2", "xz", "journalctl")
Form = Literal["installed", "inline"]

_SCRIPT = Path(__file__).with_name("mailtrace-read")
_CORE = "# ---- core\n"
_PATH = re.compile(r"(?:\./|/)[A-Za-z0-9_./@%+=:,~-]*")
_GLOB = re.compile(r"(?:\./|/)[A-Za-z0-9_./*?\[\]@%+=:,~-]*")
_MOST_PATTERNS = 4_000_000  # bytes
_SECONDS = 120  # what a request may last on the host, whatever becomes of this program
_LONG = (
    "grep",
    "sift",
    "journal",
)  # the others are over at once, and starting `timeout` takes longer


class Request(NamedTuple):
    """A verb with its words, and what goes on standard input after its first line."""

    words: tuple[str, ...]
    data: bytes = b""


def hello() -> Request:
    return Request(("hello",))


def listing(globs: Sequence[str]) -> Request:
    return Request(("list", *(_checked(_GLOB, remote(one)) for one in globs)))


def reading(path: str, spans: Sequence[tuple[int, int]]) -> Request:
    numbers = [str(_natural(number)) for span in spans for number in span]
    return Request(("read", _checked(_PATH, remote(path)), *numbers))


def grepping(path: str, start: int, length: int, keys: Sequence[bytes], fold: bool) -> Request:
    """The lines of [start, start + length) that hold one of the keys."""
    numbers = (str(_natural(start)), str(_natural(length)))
    words = ("grep", _checked(_PATH, remote(path)), *numbers, _case(fold))
    return Request(words, patterns(keys))


def sifting(path: str, packing: Packing, keys: Sequence[bytes], fold: bool) -> Request:
    """The same of a packed file, from its start to its end."""
    if packing not in ("gzip", "bzip2", "xz"):
        raise ValueError("is not packed in a way that can be read")
    words = ("sift", _checked(_PATH, remote(path)), packing, _case(fold))
    return Request(words, patterns(keys))


def journal(since: int, until: int) -> Request:
    """The mail lines of the journal between two UNIX times."""
    return Request(("journal", str(_natural(since)), str(_natural(until))))


def line(form: Form, request: Request) -> str:
    """The command line of a request. `installed`: for the forced command, which takes no quotes."""
    if form == "installed":
        return " ".join(("mailtrace-read", "1", *request.words))
    words = " ".join(shlex.quote(word) for word in request.words)
    limit = f"timeout -k 2 {_SECONDS} " if request.words[0] in _LONG else ""
    return f"{limit}sh -c '{core()}' mailtrace-read {words}"


@cache
def core() -> str:
    """The script from its mark on, in one line: for a host where it is not installed."""
    text = _SCRIPT.read_text(encoding="ascii").partition(_CORE)[2]
    lines = (one.strip() for one in text.splitlines())
    kept = [one for one in lines if one and not one.startswith("#")]
    return "may() { : ; } ; " + " ".join(kept)


def patterns(keys: Sequence[bytes]) -> bytes:
    """One key a line. Raises ValueError for one that would match every line, or be two."""
    if not keys or any(not key or b"\n" in key or b"\0" in key for key in keys):
        raise ValueError("a key is empty, or holds a line break or a NUL byte")
    data = b"\n".join(keys) + b"\n"
    if len(data) > _MOST_PATTERNS:
        raise ValueError("are more keys than can be searched for at once")
    return data


def remote(path: str) -> str:
    """`~/x` as `./x`: a session begins in the user's home, and no shell is to expand it."""
    return "./" + path.removeprefix("~/") if path.startswith("~/") else path


def known_path(path: str) -> bool:
    """Whether a path may stand in a request. One that a server has told must pass this, too."""
    return _PATH.fullmatch(remote(path)) is not None


def _checked(pattern: re.Pattern[str], word: str) -> str:
    if not pattern.fullmatch(word):
        raise ValueError("is no path that can be asked for")
    return word


def _natural(number: int) -> int:
    if not 0 <= number < 10**15:
        raise ValueError("is no offset, length or time")
    return number


def _case(fold: bool) -> str:
    return "fold" if fold else "exact"
