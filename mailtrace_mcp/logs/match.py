"""Which lines of a block of log bytes a term matches: the same for every source.

Linear in the block. A literal part of each term is looked for first, in the whole block; only lines
that hold it are looked at closely. Many IDs (a long trace asks for thousands) are found by looking up
each token of the block in a set, so that the cost does not grow with their number.

What a whole token is: a queue ID is not preceded or followed by an ASCII letter or digit or a byte over
0x7F (`-` may stand beside it: `1abcDE-0001-2b` of Exim is one ID, and Postfix's own stand in message-ids);
a message-id, address, domain or tag also not by those characters that could make it longer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from mailtrace_mcp.logs import Term

MANY = 16  # from here on a pass over all tokens is cheaper than a search for each ID

_NEWLINE = b"\n"
_ALNUM = b"0-9A-Za-z\\x80-\\xff"
_LOCAL = _ALNUM + rb"._+%~&#$!^*/?\-"  # no `=` and no quotes: `user=bob@x`, `'bob@x'`
_WORDS = bytes(byte if bytes([byte]).isalnum() and byte < 128 else 32 for byte in range(256))
_ASCII_RUN = re.compile(rb"[\x21-\x7e]+")

_Check = Callable[[bytes], object]


class Hit(NamedTuple):
    """One line of the block, block[start:end] without its newline, and the terms that match it."""

    start: int
    end: int
    terms: tuple[Term, ...]


class _Needle(NamedTuple):
    """`key` is a part of whatever matches (lower case if `folded`); `check` looks at the line."""

    term: Term
    key: bytes
    folded: bool
    check: _Check


class Matcher:
    """Finds the lines of blocks that any of `terms` matches, whatever hosts and windows they name.

    A term without text (other than `everything`) or with a line break in it matches nothing.
    """

    def __init__(self, terms: Iterable[Term]) -> None:
        self._everything: list[Term] = []
        self._plain: list[_Needle] = []
        ids: list[_Needle] = []
        for term in dict.fromkeys(terms):
            if term.kind == "everything":
                self._everything.append(term)
            elif term.text and "\n" not in term.text:
                needles = list(_needles(term))
                (ids if term.kind in _EXACT else self._plain).extend(needles)
        self._tokens: dict[bytes, list[_Needle]] = {}
        for needle in ids:
            word = _word(needle)
            if len(ids) < MANY or not word:
                self._plain.append(needle)
            else:
                self._tokens.setdefault(word, []).append(needle)
        self._folds = any(needle.folded for needle in self._plain)

    def hits(self, block: bytes) -> list[Hit]:
        """The lines of a block (lines ended by 0x0A, the last one perhaps not), in order."""
        found: dict[int, tuple[int, list[Term]]] = {}
        folded = block.lower() if self._folds else b""
        for needle in self._plain:
            _find(needle, block, folded if needle.folded else block, found)
        if self._tokens and not self._tokens.keys().isdisjoint(_split(block)):
            self._by_tokens(block, found)
        if self._everything:
            for start, end in lines(block):
                found.setdefault(start, (end, []))[1].extend(self._everything)
        return [Hit(start, found[start][0], tuple(found[start][1])) for start in sorted(found)]

    def _by_tokens(self, block: bytes, found: dict[int, tuple[int, list[Term]]]) -> None:
        tokens = self._tokens
        for start, end in lines(block):
            line = block[start:end]
            for word in tokens.keys() & _split(line):
                for needle in tokens[word]:
                    if needle.check(line):
                        found.setdefault(start, (end, []))[1].append(needle.term)


_EXACT = ("queue_id", "message_id", "process")


def lines(block: bytes) -> Iterable[tuple[int, int]]:
    """(start, end) of each line of a block, without its 0x0A."""
    start = 0
    while start < len(block):
        end = block.find(_NEWLINE, start)
        if end < 0:
            end = len(block)
        yield start, end
        start = end + 1


def _find(
    needle: _Needle, block: bytes, hay: bytes, found: dict[int, tuple[int, list[Term]]]
) -> None:
    """Each line is looked at once, however often the key stands in it; all of them without a key."""
    if not needle.key:
        for start, end in lines(block):
            if needle.check(block[start:end]):
                found.setdefault(start, (end, []))[1].append(needle.term)
        return
    at = hay.find(needle.key)
    while at >= 0:
        start = block.rfind(_NEWLINE, 0, at) + 1
        end = block.find(_NEWLINE, at)
        if end < 0:
            end = len(block)
        if needle.check(block[start:end]):
            found.setdefault(start, (end, []))[1].append(needle.term)
        at = hay.find(needle.key, end)


def _split(text: bytes) -> Sequence[bytes]:
    return text.translate(_WORDS).split()


def _word(needle: _Needle) -> bytes:
    """The token of the line by which an exact term is known: of a tag its pid, else the longest."""
    words = _split(needle.key)
    if needle.term.kind == "process":
        words = [word for word in words if word.isdigit()] or words
    return max(words, key=len, default=b"")


def _needles(term: Term) -> Iterable[_Needle]:
    text = term.text.encode("utf-8", "surrogateescape")
    if term.kind == "address":
        yield _folded(term, text, _LOCAL)
    elif term.kind == "domain":
        yield _folded(term, b"@" + text.removeprefix(b"@"), _NEWLINE)  # the `@` is its beginning
    elif term.kind == "queue_id":
        yield _Needle(term, text, False, _alone(text))
    elif term.kind == "message_id":
        yield _exact(term, text, _longer(_LOCAL + b"@`{|}", text, _LOCAL + b"@=`{|}"))
    elif term.kind == "process":
        yield from _tags(term, text)
    else:
        yield _Needle(term, text, False, lambda line: text in line)


def _alone(text: bytes) -> _Check:
    """Whether a line holds `text` as a whole token. No regex: a long trace asks for thousands of IDs,
    and compiling one takes longer than searching a block."""

    def check(line: bytes) -> bool:
        at = line.find(text)
        while at >= 0:
            end = at + len(text)
            if not (_in_token(line[at - 1 : at]) or _in_token(line[end : end + 1])):
                return True
            at = line.find(text, at + 1)
        return False

    return check


def _in_token(byte: bytes) -> bool:
    return byte.isalnum() or byte > b"\x7f"


def _exact(term: Term, text: bytes, pattern: bytes) -> _Needle:
    return _Needle(term, text, False, re.compile(pattern).search)


def _longer(before: bytes, text: bytes, after: bytes) -> bytes:
    """`text` where neither side makes it longer; a dot that ends a sentence does not."""
    inner = after.replace(b".", b"")
    return b"(?<![%s])%s(?!\\.?[%s])" % (before, re.escape(text), inner)


def _tags(term: Term, text: bytes) -> Iterable[_Needle]:
    """`postfix/smtp[1234]:` as BSD, RFC 3339 and journald write it, `postfix/smtp 1234 ` of RFC 5424."""
    before = _ALNUM + rb"/._\-"
    yield _exact(term, text, b"(?<![%s])%s(?![%s])" % (before, re.escape(text), _ALNUM))
    name, bracket, pid = text.partition(b"[")
    if bracket and pid.endswith(b"]"):
        spaced = name + b" " + pid[:-1] + b" "
        yield _exact(term, spaced, b"(?<![%s])%s" % (before, re.escape(spaced)))


def _folded(term: Term, text: bytes, before: bytes) -> _Needle:
    """An address or a domain, whatever its case. Letters beyond ASCII are compared case-folded, as
    they were logged (no other normal form is tried)."""
    low = text.lower()
    after = _ALNUM + rb"._@\-"
    if low.isascii():
        pattern = re.compile(_longer(before, low, after))
        return _Needle(term, low, True, lambda line: pattern.search(line.lower()))
    wide = re.compile(_longer(before, _casefolded(text), after))
    key = max(_ASCII_RUN.findall(low), key=len, default=b"")
    return _Needle(term, key, True, lambda line: wide.search(_casefolded(line)))


def _casefolded(text: bytes) -> bytes:
    return text.decode("utf-8", "surrogateescape").casefold().encode("utf-8", "surrogateescape")
