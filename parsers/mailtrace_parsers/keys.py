"""A block of log bytes → the keys an index keeps of it: addresses, domains, message-ids, queue IDs.

Where a log speaks of them does not matter: a reply, a warning or another program's line may name an ID.
So every `@` gives a key and every token with the form of a queue ID, in a few passes of C code over the
whole block. What is asked for is turned into a key by the functions below; None means that no index
answers it, and the log itself must be searched. A key may stand for more than what is asked for (case
is lost), never for less.
"""

from __future__ import annotations

import re
from itertools import accumulate

from mailtrace_parsers.postfix.queue_id import QUEUE_ID, is_queue_id

_ALNUM = rb"0-9A-Za-z\x80-\xff"
_DOMAIN = _ALNUM + rb"_.\-"
_LOCAL = _ALNUM + rb"._+%~&#$!^*/?\-"  # RFC 5322 atext but for `=`, which parts `user=bob@x`
_AFTER_AT = re.compile(rb"@([%s]*)" % _DOMAIN)
_BEFORE_AT = re.compile(rb"@([%s]*)" % _LOCAL)  # in the block read backwards

# Numbers stand everywhere (sizes, seconds, fractions of stamps): one in a hundred queue IDs is nothing
# but digits, and is left to a search. Six characters are an ID only where the inode has one digit.
_NO_NUMBER = rb"(?![0-9]+(?![%s]))" % _ALNUM
_SHORTEST = 7
_LONGEST = 38  # the longest ID has 37 characters; one more shows that it ends
_ID = re.compile(rb"\n[^%s]%s(%s)(?![%s])" % (_ALNUM, _NO_NUMBER, QUEUE_ID.encode("ascii"), _ALNUM))
_IN_AN_ID = b"0123456789ABCDEFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
_RUN = b"i" * _SHORTEST


def _letter(byte: int) -> int:
    if byte in _IN_AN_ID:
        return ord("i")
    return ord("x") if byte > 127 or chr(byte).isalnum() else ord(" ")


_SHAPE = bytes(_letter(byte) for byte in range(256))


def keys(block: bytes) -> set[bytes]:
    """The keys of the lines of a block. Linear; never raises."""
    found = set(_queue_ids(block))
    around = _around_every_at(block)
    found.update(around)
    found.update([b"@" + text.partition(b"@")[2] for text in around])
    return found


def address_key(text: bytes) -> bytes | None:
    """The key of an address, whatever its case. Letters beyond ASCII have cases that only a close look
    tells: None."""
    return _around_at(text) if text.isascii() else None


def domain_key(text: bytes) -> bytes | None:
    """The key of a domain, with or without its `@`; None as for an address."""
    if not text.isascii():
        return None
    return _around_at(b"@" + text.removeprefix(b"@"))


def message_id_key(text: bytes) -> bytes | None:
    """The key of a message-id without its `<>`; None for one without `@`."""
    return _around_at(text)


def queue_id_key(text: bytes) -> bytes | None:
    """The key of a queue ID of Postfix; None for another server's, for digits alone, and for the
    shortest."""
    if len(text) < _SHORTEST or text.isdigit() or not is_queue_id(text.decode("latin-1")):
        return None
    return text


def _around_every_at(block: bytes) -> list[bytes]:
    """What stands around each `@` without a break: the local part backwards, `@`, the domain. A regex
    cannot look back further than it is told to, so the local parts are read in the block reversed."""
    domains = _AFTER_AT.findall(block)
    locals_ = _BEFORE_AT.findall(block[::-1])
    locals_.reverse()
    if not domains:
        return []
    texts = b"\n".join(set(map(b"@".join, zip(locals_, domains, strict=True)))).lower()
    if b".." in texts or b".\n" in texts + b"\n":
        return [_shown(text) for text in texts.split(b"\n")]
    return texts.split(b"\n")


def _around_at(text: bytes) -> bytes | None:
    """The same of the first `@` of a text."""
    low = text.lower()
    at = low.find(b"@")
    if at < 0:
        return None
    before, after = _BEFORE_AT.match(low[at::-1]), _AFTER_AT.match(low, at)
    if before is None or after is None:
        return None
    return _shown(before[1] + b"@" + after[1])


def _shown(text: bytes) -> bytes:
    """With the domain without the dot that ends a sentence, or an ellipsis and what follows it."""
    local, at, domain = text.partition(b"@")
    return local + at + domain.partition(b"..")[0].removesuffix(b".")


def _queue_ids(block: bytes) -> list[bytes]:
    """Each token with the form of a queue ID. Runs of characters that an ID can have are found first,
    in a picture of the block that shows only what kind each character is: they are few."""
    lengths = accumulate(map(len, block.translate(_SHAPE).split(_RUN)))
    begins = [length + _SHORTEST * number for number, length in enumerate(lengths)]
    begins.pop()  # what follows the last run
    pieces = [block[begin - 1 : begin + _LONGEST] for begin in begins]
    if begins and begins[0] == 0:
        pieces[0] = b" " + block[:_LONGEST]
    return _ID.findall(b"\n".join([b"", *pieces]))
