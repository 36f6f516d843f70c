"""Which host keys are known: the file known_hosts as sshd(8) describes it. Text in, values out.

Parsing and matching are two steps. Keys are compared as the bytes that the server sent.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

DEFAULT_PORT = 22

Verdict = Literal["known", "unknown", "changed", "revoked"]


class Entry(NamedTuple):
    """One line: `marker` is empty, `@revoked` or `@cert-authority`; `kind` as in `ssh-ed25519`."""

    marker: str
    patterns: tuple[str, ...]
    kind: str
    key: bytes


def entries(text: str) -> Iterator[Entry]:
    """The lines that can be read; comments, broken lines and certificate authorities (no host
    certificate is ever accepted) are left out."""
    for line in text.splitlines():
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        marker = fields.pop(0) if fields[0].startswith("@") else ""
        if len(fields) < 3 or marker not in ("", "@revoked"):
            continue
        try:
            key = base64.b64decode(fields[2], validate=True)
        except (binascii.Error, ValueError):
            continue
        yield Entry(marker, tuple(fields[0].split(",")), fields[1], key)


def known_kinds(known: Iterable[Entry], names: Sequence[str], port: int) -> list[str]:
    """The kinds of key that are known for a host: the server must be asked for one of these."""
    return [entry.kind for entry in _of(known, names, port) if not entry.marker]


def verdict(known: Sequence[Entry], names: Sequence[str], port: int, key: bytes) -> Verdict:
    """What is known of the key that a host showed. `names` are tried in order: the first for which
    there is a line decides, so that an old line under another name cannot vouch for a new key."""
    found = _of(known, names, port)
    if any(entry.marker and entry.key == key for entry in found):
        return "revoked"
    keys = [entry.key for entry in found if not entry.marker]
    if key in keys:
        return "known"
    return "changed" if keys else "unknown"


def fingerprint(key: bytes) -> str:
    """As ssh-keygen -l shows it: `SHA256:…`."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def written(name: str, port: int) -> str:
    """How a host stands in the file: `name`, or `[name]:port` where the port is not 22."""
    return name.lower() if port == DEFAULT_PORT else f"[{name.lower()}]:{port}"


def _of(known: Iterable[Entry], names: Sequence[str], port: int) -> list[Entry]:
    known = list(known)
    for name in names:
        found = [entry for entry in known if _matches(entry.patterns, written(name, port))]
        if any(not entry.marker for entry in found):
            return found
    return [entry for entry in known if entry.marker and _any_of(entry, names, port)]


def _any_of(entry: Entry, names: Sequence[str], port: int) -> bool:
    return any(_matches(entry.patterns, written(name, port)) for name in names)


def _matches(patterns: Iterable[str], name: str) -> bool:
    matched = False
    for pattern in patterns:
        if pattern.startswith("!"):
            if _wildcard(pattern[1:], name):
                return False
        elif pattern.startswith("|1|"):
            matched = matched or _hashed(pattern, name)
        else:
            matched = matched or _wildcard(pattern, name)
    return matched


def _wildcard(pattern: str, name: str) -> bool:
    """`*` and `?` only: a `[` stands for itself, as in `[name]:port`."""
    parts = re.split(r"([*?])", pattern.lower())
    expression = "".join({"*": ".*", "?": "."}.get(part) or re.escape(part) for part in parts)
    return re.fullmatch(expression, name, re.DOTALL) is not None


def _hashed(pattern: str, name: str) -> bool:
    """`|1|salt|hash`: HMAC-SHA1 of the name, so that the file does not tell where one goes."""
    parts = pattern.split("|")
    if len(parts) != 4:
        return False
    try:
        salt, wanted = base64.b64decode(parts[2]), base64.b64decode(parts[3])
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(hmac.new(salt, name.encode(), hashlib.sha1).digest(), wanted)
