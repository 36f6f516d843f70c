"""Which servers may send in a domain's name (RFC 7208). Pure.

Only the domain's own record is read: what it includes belongs to others, and is not asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailtrace_mcp.checks.finding import Finding, Said, bad, good

_MOST_LOOKUPS = 10  # RFC 7208 4.6.4
_MODIFIER = re.compile(r"([a-z][a-z0-9_.-]*)=(.*)", re.ASCII | re.IGNORECASE)
_MECHANISM = re.compile(
    r"([+?~-]?)(all|include|a|mx|ptr|ip4|ip6|exists)([:/].*)?", re.ASCII | re.IGNORECASE
)
_ASKING = ("include", "a", "mx", "ptr", "exists")
_VALUED = ("include", "exists", "ip4", "ip6")
_ENDS = {
    "-": "mail from any other server is to be refused (-all)",
    "~": "mail from any other server is suspicious (~all)",
    "?": "nothing is said of other servers (?all)",
    "+": "every server of the world may send (+all)",
}


@dataclass(frozen=True)
class _Record:
    """A record read. `odd`: a term that RFC 7208 does not know, with which all of it counts for nothing.
    `lookups`: of the record itself."""

    lookups: int
    end: str | None
    redirected: bool
    odd: int


def check(texts: Sequence[str]) -> Finding:
    """`texts` are the TXT records of the domain."""
    found = [one for one in texts if one.lower() == "v=spf1" or one.lower().startswith("v=spf1 ")]
    if not found:
        return bad(
            "spf", "No SPF record: receivers cannot tell which servers may send in its name.",
            'Publish a TXT record at the domain that names its servers, such as "v=spf1 mx -all".',
        )  # fmt: skip
    said = Said("SPF record", " | ".join(found))
    if len(found) > 1:
        words = f"{len(found)} SPF records: with more than one none counts (permerror)."
        return bad("spf", words, "Make one of them.", None, said)
    return _judged(_read(found[0]), said)


def _judged(record: _Record, said: Said) -> Finding:
    if record.odd:
        words = "It holds what is no term of SPF: then all of it counts for nothing (permerror)."
        return bad("spf", words, "Correct the record (RFC 7208).", None, said)
    if record.lookups > _MOST_LOOKUPS:
        words = (
            f"It needs {record.lookups} further lookups by itself: over 10 all counts for nothing."
        )
        return bad("spf", words, "Name addresses (ip4, ip6) in place of names.", None, said)
    if record.end == "+":
        advice = "End it in -all or ~all."
        return bad("spf", f"One record: {_ENDS['+']}.", advice, None, said)
    asks = f"{record.lookups} of at most 10 lookups before what it includes"
    if record.end is None and record.redirected:
        return good("spf", f"One record, which goes on in another domain's ({asks}).", None, said)
    advice = "End it in ~all or -all once it names all servers that send."
    if record.end is None:
        words = "One record: nothing is said of other servers, for it has no all"
        return good("spf", f"{words} ({asks}).", advice, said)
    told = f"One record: {_ENDS[record.end]}, {asks}."
    return good("spf", told, advice if record.end == "?" else None, said)


def _read(text: str) -> _Record:
    lookups = odd = 0
    end: str | None = None
    redirected = False
    for term in text.split(" ")[1:]:
        if not term:
            continue
        if modifier := _MODIFIER.fullmatch(term):
            redirected = redirected or modifier[1].lower() == "redirect"
            continue
        mechanism = _MECHANISM.fullmatch(term)
        if mechanism is None or not _sound(mechanism):
            odd += 1
            continue
        if end is None:  # what follows `all` is never looked at
            lookups += mechanism[2].lower() in _ASKING
            if mechanism[2].lower() == "all":
                end = mechanism[1] or "+"
    return _Record(lookups + (redirected and end is None), end, redirected, odd)


def _sound(mechanism: re.Match[str]) -> bool:
    name, value = mechanism[2].lower(), mechanism[3] or ""
    if name == "all":
        return not value
    return len(value) > 1 and value[0] == ":" if name in _VALUED else value != ":"
