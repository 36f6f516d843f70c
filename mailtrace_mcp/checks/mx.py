"""Where a sending domain takes mail, and so the notices about what it sent (RFC 5321 5.1, 7505). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mailtrace_mcp.answers import trust
from mailtrace_mcp.checks.finding import Finding, Said, bad, good

_MOST_TOLD = 5
_TAKE_MAIL = "Publish MX records, or send from a domain that takes mail."


def check(exchangers: Sequence[tuple[int, str]], has_address: bool) -> Finding:
    """`exchangers` as Lookups gives them; `has_address` counts only where there are none."""
    if any(not name for _, name in exchangers):
        return bad(
            "mx", "The domain takes no mail (null MX): bounces of what is sent in its name are lost, and "
            "many servers refuse such mail.", _TAKE_MAIL,
        )  # fmt: skip
    if exchangers:
        return _listed(exchangers)
    if has_address:
        return good(
            "mx", "No MX record: mail for it goes to the address of the domain itself.",
            "Publish an MX record that says so.",
        )  # fmt: skip
    return bad(
        "mx", "It has neither an MX record nor an address: bounces of what is sent in its name are lost, "
        "and many servers refuse such mail.", _TAKE_MAIL,
    )  # fmt: skip


def missing() -> Finding:
    """There is no such domain."""
    return bad(
        "mx", "There is no such domain in the DNS: servers refuse mail from senders in it.",
        "Check from and senders of the profiles. Names under test, example, invalid and localhost never "
        "exist (RFC 6761): with those only servers of your own take mail.",
    )  # fmt: skip


def _listed(exchangers: Sequence[tuple[int, str]]) -> Finding:
    plain = [f"{name} ({rank})" for rank, name in exchangers if trust.host_name(name)]
    odd = [f"{rank} {name}" for rank, name in exchangers if not trust.host_name(name)]
    told = ", ".join(plain[:_MOST_TOLD])
    more = len(plain) - _MOST_TOLD
    told += f" and {more} more" if more > 0 else ""
    if not odd:
        return good("mx", f"Mail for it goes to {told}.")
    said = Said("MX records that name no host", ", ".join(odd))
    found = f"Mail for it goes to {told or 'nobody'}; {len(odd)} of its MX records name no host."
    return bad("mx", found, "Correct those records: an MX record holds a host name.", None, said)
