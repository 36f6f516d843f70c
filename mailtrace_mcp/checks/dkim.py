"""The key by which a domain's signatures are verified (RFC 6376 3.6.1, 8301, 8463). Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence

from mailtrace_mcp.checks.finding import Finding, Said, bad, good
from mailtrace_mcp.checks.tags import tags
from mailtrace_mcp.errors import visible

_SELECTOR = re.compile(r"(?=.{1,128}\Z)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*",
                       re.ASCII | re.IGNORECASE)  # fmt: skip
_SHORTEST, _SHORT = 1024, 2048  # bits, RFC 8301 3.2
_ED25519 = 32  # bytes
_SEQUENCE, _INTEGER, _BITS = 0x30, 0x02, 0x03


def name(selector: str, domain: str) -> str | None:
    """Where the key stands; None for a selector that cannot be one."""
    return f"{selector}._domainkey.{domain}" if _SELECTOR.fullmatch(selector) else None


def no_selector(selector: str) -> Finding:
    shown = f"dkim_selector '{visible(selector)}' is no selector."
    return bad("dkim", shown, "A selector is a DNS label, such as s1: correct it in the profile.")


def check(selector: str, texts: Sequence[str]) -> Finding:
    """`texts` are the TXT records at the selector's name."""
    if not texts:
        return bad(
            "dkim", f"Selector {selector}: no key, so signatures made with it fail.",
            f"Publish the public key as a TXT record at {selector}._domainkey of the domain, or correct "
            "dkim_selector.",
        )  # fmt: skip
    said = Said(f"record of selector {selector}", " | ".join(texts))
    if len(texts) > 1:
        words = f"Selector {selector}: {len(texts)} records, and which one counts is not defined."
        return bad("dkim", words, "Leave one of them.", None, said)
    found = tags(texts[0])
    if found is None or found.get("v", "DKIM1") != "DKIM1" or "p" not in found:
        words = f"Selector {selector}: the record is no DKIM key."
        return bad("dkim", words, 'It must be like "v=DKIM1; k=rsa; p=…".', None, said)
    return _judged(selector, found, said)


def _judged(selector: str, found: dict[str, str], said: Said) -> Finding:
    if not found["p"]:
        words = f"Selector {selector}: the key is revoked (p is empty)."
        return bad("dkim", words, "Sign with another selector.", None, said)
    hashes = found.get("h", "sha256").lower().replace(" ", "").split(":")
    services = found.get("s", "*").lower().replace(" ", "").split(":")
    if "sha256" not in hashes or not {"*", "email"} & set(services):
        words = f"Selector {selector}: the record does not allow SHA-256 signatures of mail (h, s)."
        return bad("dkim", words, "Leave out h and s.", None, said)
    key = _bytes(found["p"])
    kind = found.get("k", "rsa").lower()
    testing = " It is marked as being tested (t=y)." if "y" in found.get("t", "").split(":") else ""
    if kind == "ed25519" and key is not None and len(key) == _ED25519:
        advice = "Few receivers verify it: sign with an RSA key too."
        return good("dkim", f"Selector {selector}: an Ed25519 key.{testing}", advice, said)
    bits = _rsa_bits(key) if kind == "rsa" and key is not None else None
    if bits is None:
        words = f"Selector {selector}: the key cannot be read."
        return bad("dkim", words, "Publish it again: p is the key in base64 (DER).", None, said)
    told = f"Selector {selector}: an RSA key of {bits} bits"
    if bits < _SHORTEST:
        words = f"{told}: receivers do not count signatures made with it."
        return bad("dkim", words, "Make one of 2048 bits.", None, said)
    longer = "Make one of 2048 bits when it is next changed." if bits < _SHORT else None
    return good("dkim", f"{told}.{testing}", longer, said)


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _rsa_bits(der: bytes) -> int | None:
    """The bits of the modulus, out of a SubjectPublicKeyInfo or a bare RSAPublicKey (RFC 8017 A.1.1)."""
    try:
        (tag, content), *_ = _values(der)
        parts = list(_values(content))
        if tag == _SEQUENCE and parts[0][0] == _SEQUENCE and parts[1][0] == _BITS:
            (_, content), *_ = _values(parts[1][1][1:])  # without the count of unused bits
            parts = list(_values(content))
        if parts[0][0] != _INTEGER:
            return None
        return int.from_bytes(parts[0][1]).bit_length()
    except (ValueError, IndexError):
        return None


def _values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The tag and content of each value that stands in DER bytes. Raises IndexError, ValueError."""
    place = 0
    while place < len(data):
        tag, length = data[place], data[place + 1]
        place += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[place : place + size])
            place += size
        if place + length > len(data):
            raise ValueError("cut off")
        yield tag, data[place : place + length]
        place += length
