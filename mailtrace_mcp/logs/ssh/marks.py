"""How an answer stands in what a command prints: between marks that nobody else can know.

`\\nNONCE begin\\n`, bytes, `\\nNONCE part STATE\\n` after each part, `\\nNONCE end STATUS\\n`. What comes
before (a message of the day, what a .bashrc prints) and after is not the answer. No I/O: bytes go in,
bytes and marks come out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_WORDS = re.compile(rb"(begin|part|end)(?: ([0-9]{1,3}))?\n")
_LONGEST = 16  # bytes of the words and their line break
MOST_NOISE = 256 * 1024  # bytes before the first mark; a shell that says more is no use


class Mark(NamedTuple):
    """`part` with a state, or `end` with the status of the whole."""

    word: str
    number: int


class NoiseError(Exception):
    """There is no answer in it, however long one reads."""


class Marks:
    """Splits one answer. `begun` and `ended` tell how far it has come."""

    def __init__(self, nonce: bytes) -> None:
        self.begun = False
        self.ended = False
        self._before = b"\n" + nonce + b" "
        self._rest = b""
        self._noise = 0

    def feed(self, data: bytes) -> Iterator[bytes | Mark]:
        """What more bytes bring. Raises NoiseError."""
        data = self._rest + data
        at = 0
        while not self.ended:
            found = data.find(self._before, at)
            if found < 0:
                # A mark may have begun: its first bytes are kept.
                keep = _overlap(data, self._before, at)
                yield from self._bytes(data[at : len(data) - keep])
                at = len(data) - keep
                break
            words = _WORDS.match(data, found + len(self._before))
            if words is None:
                if len(data) - found < len(self._before) + _LONGEST:
                    yield from self._bytes(data[at:found])
                    at = found
                    break
                raise NoiseError
            yield from self._bytes(data[at:found])
            yield from self._mark(words)
            at = words.end()
        self._rest = b"" if self.ended else data[at:]

    def _bytes(self, data: bytes) -> Iterator[bytes]:
        if self.begun and data:
            yield data
        elif data:
            self._noise += len(data)
            if self._noise > MOST_NOISE:
                raise NoiseError

    def _mark(self, words: re.Match[bytes]) -> Iterator[Mark]:
        word = words[1].decode()
        if word == "begin" and not self.begun:
            self.begun = True
        elif word == "begin" or not self.begun:
            raise NoiseError
        else:
            self.ended = word == "end"
            yield Mark(word, int(words[2] or 0))


def _overlap(data: bytes, mark: bytes, at: int) -> int:
    """How many of the last bytes of `data` may be the beginning of `mark`."""
    for size in range(min(len(mark) - 1, len(data) - at), 0, -1):
        if data.endswith(mark[:size]):
            return size
    return 0
