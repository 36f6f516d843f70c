"""What a domain asks receivers to do with mail that only claims to be its own (RFC 7489). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mailtrace_mcp.checks.finding import Finding, Said, bad, good
from mailtrace_mcp.checks.tags import tags

_MEANS = {
    "none": "take it all the same (p=none)",
    "quarantine": "put it aside as suspicious (p=quarantine)",
    "reject": "refuse it (p=reject)",
}


def places(domain: str) -> list[str]:
    """The domains whose record may hold for it: its own, then those above it that have two labels at
    least (which of them is the organizational one is not known here)."""
    labels = domain.split(".")
    return [".".join(labels[first:]) for first in range(max(1, len(labels) - 1))]


def is_record(text: str) -> bool:
    """Whether a TXT record is meant as one: `v=DMARC1` comes first."""
    head, _, _ = text.partition(";")
    return "".join(head.split()) == "v=DMARC1"


def missing() -> Finding:
    return bad(
        "dmarc", "No DMARC record: receivers are told nothing about forged mail, and large ones refuse "
        "mail of many recipients without it.",
        'Publish a TXT record at _dmarc of the domain, to begin with "v=DMARC1; p=none; '
        'rua=mailto:ADDRESS".',
    )  # fmt: skip


def check(place: str, domain: str, records: Sequence[str]) -> Finding:
    """`records` (one or more, see is_record) stand at _dmarc of `place`, the domain or one above it."""
    said = Said("DMARC record", " | ".join(records))
    above = "" if place == domain else f" of {place} (it holds below it, too)"
    if len(records) > 1:
        words = f"{len(records)} DMARC records{above}: with more than one none counts."
        return bad("dmarc", words, "Leave one of them.", None, said)
    found = tags(records[0])
    policy = (found or {}).get("p", "").lower()
    if found is not None and place != domain:
        policy = found.get("sp", policy).lower()
    if found is None or policy not in _MEANS:
        words = f"The record{above} has no policy that counts (p=none, quarantine or reject)."
        return bad("dmarc", words, 'It must begin with "v=DMARC1; p=".', None, said)
    told = f"The record{above} asks: forged mail, {_MEANS[policy]}."
    if policy == "none":
        return good("dmarc", told, "Go on to quarantine or reject once the reports show no mail of yours "
                    "that fails.", said)  # fmt: skip
    share = found.get("pct", "100")
    part = f" For {int(share)} % of it." if share.isdecimal() and 0 <= int(share) < 100 else ""
    return good("dmarc", told + part, None, said)
