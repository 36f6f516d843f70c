"""The tag lists of DKIM and DMARC: `v=DKIM1; k=rsa; p=…` (RFC 6376 3.2). Pure."""

from __future__ import annotations


def tags(text: str) -> dict[str, str] | None:
    """The tags, names in lower case; None for what is no tag list, or has a tag twice."""
    found: dict[str, str] = {}
    for part in text.split(";"):
        if not part.strip():
            continue
        name, equals, value = part.partition("=")
        name = name.strip().lower()
        if not equals or not name or name in found:
            return None
        found[name] = value.strip()
    return found
