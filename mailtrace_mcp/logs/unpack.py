"""Plain, gzip, bzip2 and xz files as chunks of bytes, told apart by how they begin.

What stands before a break is given before the break is told: a log that is cut still says something.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Literal, Protocol

CHUNK = 512 * 1024  # bytes a chunk has at most, unpacked
_PACKED_CHUNK = 64 * 1024
_XZ_MEMORY = 128 << 20  # what `xz -9` needs is 65 MB; a file must not ask for more

Packing = Literal["plain", "gzip", "bzip2", "xz", "unknown"]

_LONGEST_MAGIC = 6
_MAGIC: tuple[tuple[bytes, Packing], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "unknown"),  # zstd
    (b"\x04\x22\x4d\x18", "unknown"),  # lz4
    (b"\x1f\x9d", "unknown"),  # compress
    (b"LZIP", "unknown"),
)


class CorruptError(Exception):
    """The file breaks off, or what follows cannot be unpacked; `str` says which."""


def packing(head: bytes) -> Packing:
    """How a file is packed that begins with `head` (6 bytes are enough)."""
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), "plain")


def gzip_time(head: bytes) -> int | None:
    """When the file was last written before gzip packed it, in seconds of UNIX time (RFC 1952, MTIME);
    None where gzip was told not to say."""
    seconds = int.from_bytes(head[4:8], "little") if len(head) >= 8 else 0
    return seconds or None


def unpacked(file: BinaryIO, kind: Packing) -> Iterator[bytes]:
    """The bytes of a file from its start, in chunks. Raises CorruptError after the last good one."""
    file.seek(0)
    if kind == "plain":
        while chunk := file.read(CHUNK):
            yield chunk
        return
    new = _DECODERS.get(kind)
    if new is None:
        raise CorruptError("is packed in a way that this program does not read (use gz, bz2 or xz)")
    try:
        yield from _members(file, new)
    except (zlib.error, lzma.LZMAError, EOFError, ValueError, OSError):
        raise CorruptError("is damaged: what follows cannot be unpacked") from None


class _Decoder(Protocol):
    """One member of a packed file. `hungry`: it needs more packed bytes to go on."""

    @property
    def hungry(self) -> bool: ...
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def step(self, data: bytes) -> bytes: ...


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)
        self._full = False

    @property
    def hungry(self) -> bool:
        return not self._full and not self._inner.unconsumed_tail

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def step(self, data: bytes) -> bytes:
        out = self._inner.decompress(self._inner.unconsumed_tail + data, CHUNK)
        self._full = len(out) == CHUNK  # then there may be more, without more input
        return out


class _Other:
    def __init__(self, inner: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._inner = inner

    @property
    def hungry(self) -> bool:
        return self._inner.needs_input

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def step(self, data: bytes) -> bytes:
        return self._inner.decompress(data, CHUNK)


_DECODERS: dict[Packing, Callable[[], _Decoder]] = {
    "gzip": _Gzip,
    "bzip2": lambda: _Other(bz2.BZ2Decompressor()),
    "xz": lambda: _Other(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)),
}


def _members(file: BinaryIO, new: Callable[[], _Decoder]) -> Iterator[bytes]:
    """Packed files may be strung together; what follows the last and is none is left alone."""
    decoder = new()
    data = b""
    first, begun = True, False
    while True:
        if decoder.hungry and not data:
            data = file.read(_PACKED_CHUNK)
            if not data:
                if begun:
                    raise CorruptError("breaks off: its end is missing")
                return
        if not begun and not first:
            data = data.lstrip(b"\0")
            if len(data) < _LONGEST_MAGIC:
                data += file.read(_PACKED_CHUNK)
            if data and packing(data) == "plain":
                return
        begun = begun or bool(data)
        if chunk := decoder.step(data):
            yield chunk
        data = b""
        if decoder.eof:
            data, decoder = decoder.unused_data, new()
            first, begun = False, False
