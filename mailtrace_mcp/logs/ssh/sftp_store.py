"""The files of a host that allows SFTP: listed and read there, searched here (also in a chroot, with -R)."""

from __future__ import annotations

import errno
import stat
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import partial
from hashlib import blake2b
from typing import BinaryIO, cast

from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.blocks import LONGEST_LINE, blocks
from mailtrace_mcp.logs.local import holding
from mailtrace_mcp.logs.rotation import Listed, Trouble, base, trouble
from mailtrace_mcp.logs.ssh import commands, listing
from mailtrace_mcp.logs.ssh.sftp import CrowdError, Sftp
from mailtrace_mcp.logs.ssh.sftp_sessions import Session, SftpSessions
from mailtrace_mcp.logs.ssh.sftp_wire import Attributes
from mailtrace_mcp.logs.ssh.stream import Stream, from_offset
from mailtrace_mcp.logs.store import Found, Stopped, StoreError
from mailtrace_mcp.logs.unpack import Packing, unpacked

_PIECE = 4 << 20  # bytes read in one turn
_HEAD = 512  # bytes by which a file is known again: SFTP tells no inode
_MOST_NAMES = 20_000  # of all folders that one glob leads through
_MAGIC = "*?["


class SftpStore:
    """See Store. `most`: the bytes that one search, or one file read from end to end, may bring."""

    def __init__(self, sessions: SftpSessions, most: int) -> None:
        self._sessions = sessions
        self._most = most

    def listed(
        self, patterns: Sequence[str], stopped: Stopped
    ) -> tuple[list[Listed], list[Trouble]]:
        self._sessions.renew()
        try:
            return self._sessions.do(partial(_listed, patterns), stopped)
        except CrowdError:
            words = f"A folder of its logs has more than {_MOST_NAMES} names: name the files."
            raise StoreError(Code.RANGE_TOO_WIDE, words) from None

    def spans(self, path: str, spans: Sequence[tuple[int, int]], stopped: Stopped) -> list[bytes]:
        return self._sessions.do(
            lambda session: session.read(commands.remote(path), spans), stopped
        )

    def chunks(self, path: str, packing: Packing, start: int, stopped: Stopped) -> Iterator[bytes]:
        if packing == "plain":
            return self._raw(path, start, None, stopped)
        raw = cast(BinaryIO, Stream(self._raw(path, 0, None, stopped)))
        return from_offset(unpacked(raw, packing), start)

    def grep(
        self, path: str, start: int, end: int, keys: Sequence[bytes], fold: bool, stopped: Stopped
    ) -> Iterator[Found]:
        commands.patterns(keys)  # the same are refused as where grep is run
        wanted = [key.lower() for key in keys] if fold else keys
        for block in blocks(self._raw(path, start, end, stopped), start):
            for begin, stop in holding(block.data.lower() if fold else block.data, wanted):
                yield Found(block.offset + begin, block.data[begin:stop][:LONGEST_LINE])

    def _raw(self, path: str, start: int, end: int | None, stopped: Stopped) -> Iterator[bytes]:
        given = 0
        while not stopped():
            wanted = _PIECE if end is None else min(_PIECE, end - start)
            if wanted <= 0:
                return
            if given >= self._most:
                raise listing.too_much(self._most)
            (data,) = self.spans(path, [(start, wanted)], stopped)
            if data:
                yield data
            start, given = start + len(data), given + len(data)
            if len(data) < wanted:
                return


def _listed(patterns: Sequence[str], session: Session) -> tuple[list[Listed], list[Trouble]]:
    found: list[tuple[Listed, int]] = []
    troubles: list[Trouble] = []
    for pattern in dict.fromkeys(patterns):
        wanted = commands.remote(pattern)
        try:
            paths = _expanded(session.sftp, wanted)
        except OSError as error:
            troubles.append(_why(pattern, error))
            continue
        here = [path for path in paths if listing.sound(wanted, path, 0, 0)]
        if len(here) > listing.MOST_FILES:
            raise CrowdError
        entries = list(_described(session.sftp, here, pattern, troubles))
        if not entries and not here:
            troubles.append(listing.nothing(pattern, 0))
        found += entries
    return listing.chosen(found, troubles)


def _described(
    sftp: Sftp, paths: Sequence[str], pattern: str, troubles: list[Trouble]
) -> Iterator[tuple[Listed, int]]:
    """The files at these paths with their modes; what cannot be looked at stands in `troubles`."""
    found: list[tuple[str, Attributes]] = []
    for path, status in zip(paths, sftp.stats(paths), strict=True):
        if isinstance(status, OSError):
            troubles.append(trouble(_shown(path, pattern), status))
        elif listing.sound(commands.remote(pattern), path, status.size, status.written):
            found.append((path, status))
    # Only what is a file is opened: a FIFO would hold up the server.
    regular = [path for path, status in found if stat.S_ISREG(status.mode)]
    heads = dict(zip(regular, sftp.heads(regular, _HEAD), strict=True))
    for path, status in found:
        head = heads.get(path, b"")
        shown = _shown(path, pattern)
        identity = (0, _mark(shown, b"" if isinstance(head, OSError) else head))
        yield Listed(shown, identity, status.size, float(status.written)), status.mode


def _shown(path: str, pattern: str) -> str:
    return "~/" + path.removeprefix("./") if pattern.startswith("~/") else path


def _mark(path: str, head: bytes) -> int:
    """What stays the same when a log is renamed, and no other file of that log has: its first line."""
    line, newline, _ = head.partition(b"\n")
    known = line if newline or len(head) == _HEAD else path.encode()
    return int.from_bytes(blake2b(base(path).encode() + b"\0" + known, digest_size=7).digest())


def _expanded(sftp: Sftp, pattern: str) -> list[str]:
    """The paths that a glob names, part by part. Raises OSError for a folder that may not be looked
    into (unless a glob led there, among others), CrowdError."""
    first, *parts = pattern.split("/")
    paths = [first]
    left = _MOST_NAMES
    for number, part in enumerate(parts):
        if not any(char in part for char in _MAGIC):
            paths = [f"{path}/{part}" for path in paths]
            continue
        led_there = any(char in "".join(parts[:number]) for char in _MAGIC)
        longer: list[str] = []
        for path in paths:
            names = _names(sftp, path or "/", left, led_there)
            left -= len(names)
            longer += [f"{path}/{name}" for name in names if fnmatchcase(name, part)]
        paths = longer
    return paths


def _names(sftp: Sftp, folder: str, most: int, led_there: bool) -> list[str]:
    try:
        return list(sftp.names(folder, most))
    except OSError as error:
        if led_there:
            return []
        raise error


def _why(pattern: str, error: OSError) -> Trouble:
    state = 77 if error.errno in (errno.EACCES, errno.EPERM) else 66
    return listing.nothing(pattern, state)
