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
_DOMAIN = rb"0-9a-z_\x80-\xff.\-"
_LOCAL = rb"0-9a-z\x80-\xff._+%~&#$!^*/?\-"  # RFC 5322 atext but for `=`, which parts `user=bob@x`
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
    low = block.lower()
    domains = _AFTER_AT.findall(low)
    locals_ = _BEFORE_AT.findall(low[::-1])
    locals_.reverse()
    pairs = set(zip(locals_, domains, strict=True))
    odd = {domain for domain in set(domains) if domain[-1:] == b"." or b".." in domain}
    if odd:
        pairs = {(local, _shown(domain) if domain in odd else domain) for local, domain in pairs}
    found.update(map(b"@".join, pairs))
    found.update([b"@" + domain for _, domain in pairs])
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


def _around_at(text: bytes) -> bytes | None:
    """What stands around the first `@` without a break: the local part backwards, `@`, the domain."""
    low = text.lower()
    at = low.find(b"@")
    if at < 0:
        return None
    before, after = _BEFORE_AT.match(low[at::-1]), _AFTER_AT.match(low, at)
    if before is None or after is None:
        return None
    return before[1] + b"@" + _shown(after[1])


def _shown(domain: bytes) -> bytes:
    """Without the dot that ends a sentence, or the dots of an ellipsis and what follows."""
    return domain.partition(b"..")[0].removesuffix(b".")


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
