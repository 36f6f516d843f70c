"""Mail addresses to send to and from: one address out of one text, and which are the same mailbox.

Pure. An address that passes here can stand in an SMTP command and in a header as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mailtrace_mcp.errors import Code, MailtraceError, did_you_mean, visible

LONGEST = 254  # RFC 5321 4.5.3.1.3, without its angle brackets
LONGEST_LOCAL_PART = 64  # octets, RFC 5321 4.5.3.1.1
GROUP = "group:"

# RFC 5322 3.2.3 without `%` and `!`: with them a relay can be made to pass a mail on elsewhere.
_ATEXT = frozenset("#$&'*+-/=?^_`{|}~")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox: the local part as it was written, the domain in lower case and A-labels (RFC 5890)."""

    local: str
    domain: str

    @property
    def spec(self) -> str:
        """`local@domain`, as it stands in the envelope and in the header."""
        return f"{self.local}@{self.domain}"

    @property
    def plain(self) -> bool:
        """Whether it can be sent without SMTPUTF8: the domain always can."""
        return self.local.isascii()

    @property
    def key(self) -> tuple[str, str]:
        """Equal for the same mailbox. Only A–Z are folded: other foldings make two mailboxes one."""
        return self.local.translate(_LOWER), self.domain


def address(text: str, where: str) -> Address:
    """The one address that `text` is; `where` names the argument. Raises MailtraceError.

    INVALID_ARGUMENT for what is none or more than one; NOT_ALLOWED for an address literal (`a@[…]`),
    which no allow-list can name.
    """
    if len(text) > LONGEST:
        raise _invalid(text, where, f"is longer than {LONGEST} characters")
    if any(unicodedata.category(char)[0] in "CZ" for char in text):
        raise _invalid(text, where, "holds a blank, a line break or an invisible character")
    if any(char in text for char in ",;"):
        raise _invalid(text, where, "is more than one address: give one per list element")
    if text.startswith("@") or ":" in text.partition("@")[0]:
        raise _invalid(text, where, "has a source route: give only the mailbox, name@domain")
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain:
        raise _invalid(text, where, "is no mail address: name@domain")
    if domain.startswith("["):
        words = f"{where}: '{visible(text)}' names a machine by its address: give a domain."
        raise MailtraceError(Code.NOT_ALLOWED, words)
    return Address(_local(local, text, where), _domain(domain, text, where))


def same_domain(text: str) -> str | None:
    """A domain in lower case and A-labels, or None for what is none. Two names are the same domain if
    these are equal; nothing else is compared, so `evil-lab.example` is never `lab.example`."""
    if len(text) > 253:  # also before IDNA, whose time grows with the square of the length
        return None
    try:
        ascii_text = text if text.isascii() else text.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    lowered = ascii_text.translate(_LOWER)
    whole = len(lowered) <= 253 and all(_LABEL.fullmatch(one) for one in lowered.split("."))
    return lowered if whole else None


def distinct(addresses: Iterable[Address]) -> tuple[Address, ...]:
    """Each mailbox once, as it was first written."""
    found: dict[tuple[str, str], Address] = {}
    for one in addresses:
        found.setdefault(one.key, one)
    return tuple(found.values())


def expanded(
    listed: Sequence[str], groups: Mapping[str, Sequence[str]], where: str
) -> tuple[str, ...]:
    """The texts with each `group:NAME` replaced by the members of that group of the configuration.

    Raises INVALID_ARGUMENT for a group that there is not; `where` names the argument.
    """
    found: list[str] = []
    for text in listed:
        if not text.startswith(GROUP):
            found.append(text)
            continue
        name = text.removeprefix(GROUP)
        if name not in groups:
            known = ", ".join(groups) or "none are configured"
            words = f"{where}: there is no group '{visible(name)}' (groups: {known})."
            raise MailtraceError(Code.INVALID_ARGUMENT, words + did_you_mean(name, groups))
        found.extend(groups[name])
    return tuple(found)


def _local(local: str, text: str, where: str) -> str:
    if "@" in local or '"' in local or "\\" in local or any(char in local for char in "<>()[]"):
        raise _invalid(text, where, "is not one plain address: name@domain, without < > or quotes")
    if "%" in local or "!" in local:
        raise _invalid(text, where, "would be passed on elsewhere (% or ! in it)")
    if local[0] in "-|/":  # programs behind a mail server take it for an option, a command, a file
        raise _invalid(text, where, f"begins with {local[0]!r}")
    if len(local.encode()) > LONGEST_LOCAL_PART:
        raise _invalid(text, where, f"has more than {LONGEST_LOCAL_PART} octets before the @")
    if local.startswith(".") or local.endswith(".") or ".." in local:
        raise _invalid(text, where, "has a dot where none may be")
    if not all(_is_word(char) or char in _ATEXT or char == "." for char in local):
        raise _invalid(text, where, "holds a character that no plain address has")
    return local


def _is_word(char: str) -> bool:
    """Letters and digits; of any script with SMTPUTF8 (RFC 6531 3.3)."""
    return unicodedata.category(char)[0] in "LNM"


def _domain(domain: str, text: str, where: str) -> str:
    known = same_domain(domain)
    if known is None:
        raise _invalid(text, where, "has no valid domain after the @")
    return known


def _invalid(text: str, where: str, why: str) -> MailtraceError:
    return MailtraceError(Code.INVALID_ARGUMENT, f"{where}: '{visible(text)}' {why}.")
