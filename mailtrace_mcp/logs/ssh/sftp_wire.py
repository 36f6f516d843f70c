"""The packets of SFTP version 3 as bytes (draft-ietf-secsh-filexfer-02). No I/O."""

from __future__ import annotations

import errno
import struct
from typing import NamedTuple

INIT, VERSION = 1, 2
OPEN, CLOSE, READ = 3, 4, 5
OPENDIR, READDIR, STAT = 11, 12, 17
STATUS, HANDLE, DATA, NAME, ATTRS = 101, 102, 103, 104, 105
FOR_READING = 1  # SSH_FXF_READ

_EOF, _NO_SUCH_FILE, _PERMISSION_DENIED = 1, 2, 3
_HAS_SIZE, _HAS_OWNER, _HAS_MODE, _HAS_TIMES, _HAS_MORE = 1, 2, 4, 8, 1 << 31

Answer = tuple[int, bytes]  # its kind, and what follows the number of the request


class Attributes(NamedTuple):
    """What STAT tells of a file; `mode` 0 where the server does not say."""

    mode: int
    size: int
    written: int


class ProtocolError(Exception):
    """The server does not keep to the protocol, or has closed the channel."""


def expect(answer: Answer, kind: int) -> bytes:
    """The body of an answer of this kind. Raises OSError for a status that says no."""
    if answer[0] == kind:
        return answer[1]
    if answer[0] == STATUS and len(answer[1]) >= 4:
        (code,) = struct.unpack_from(">I", answer[1])
        known = {_NO_SUCH_FILE: errno.ENOENT, _PERMISSION_DENIED: errno.EACCES}
        raise OSError(known.get(code, errno.EIO), "the server says no")
    raise ProtocolError


def is_end(answer: Answer) -> bool:
    return answer[0] == STATUS and answer[1][:4] == struct.pack(">I", _EOF)


def string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def take_string(data: bytes, at: int) -> tuple[bytes, int]:
    """A string and where it ends. Raises ProtocolError where it is cut."""
    if len(data) < at + 4:
        raise ProtocolError
    (length,) = struct.unpack_from(">I", data, at)
    end = at + 4 + length
    if len(data) < end:
        raise ProtocolError
    return data[at + 4 : end], end


def names(data: bytes) -> list[str]:
    """The names of an answer; one that is no ASCII could not be asked for anyway, and comes as ''."""
    if len(data) < 4:
        raise ProtocolError
    (count,) = struct.unpack_from(">I", data)
    found: list[str] = []
    at = 4
    for _ in range(count):
        name, at = take_string(data, at)
        _, at = take_string(data, at)
        _, at = attributes(data, at)
        found.append(name.decode("ascii") if name.isascii() else "")
    return found


def attributes(data: bytes, at: int) -> tuple[Attributes, int]:
    """Attributes and where they end (section 5 of the draft)."""
    try:
        (flags,) = struct.unpack_from(">I", data, at)
        at += 4
        size = mode = written = 0
        if flags & _HAS_SIZE:
            (size,) = struct.unpack_from(">Q", data, at)
            at += 8
        if flags & _HAS_OWNER:
            at += 8
        if flags & _HAS_MODE:
            (mode,) = struct.unpack_from(">I", data, at)
            at += 4
        if flags & _HAS_TIMES:
            _, written = struct.unpack_from(">II", data, at)
            at += 8
        if flags & _HAS_MORE:
            (count,) = struct.unpack_from(">I", data, at)
            at += 4
            for _ in range(2 * count):
                _, at = take_string(data, at)
    except struct.error:
        raise ProtocolError from None
    return Attributes(mode, size, written), at
