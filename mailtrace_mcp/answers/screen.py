"""The way of a log's text into an answer: plain values pass, anything else goes among the untrusted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mailtrace_mcp.answers import trust
from mailtrace_mcp.answers.parts import UntrustedText
from mailtrace_parsers.events import Peer


class Shown(NamedTuple):
    """What a field holds: the value, or None and the name of the untrusted entry that has it."""

    value: str | None
    ref: str | None


NOTHING = Shown(None, None)


class Screen:
    """Checks what goes into one mail's fields, and collects what may not.

    `numbers` gives the refs their numbers, so that they are unique in an answer. `named` are the
    addresses of the question: one that is not plain is shown as it was asked. A screen that does not
    `keep` gives no refs: the answer was too long for untrusted text.
    """

    def __init__(
        self, numbers: Iterator[int], named: Iterable[str] = (), keep: bool = True
    ) -> None:
        self._numbers = numbers
        self._named = {one.casefold(): trust.clean(one) for one in named}
        self._keep = keep
        self._entries: dict[tuple[str, str], UntrustedText] = {}

    @property
    def untrusted(self) -> tuple[UntrustedText, ...]:
        return tuple(self._entries.values())

    def address(self, text: str | None, where: str) -> Shown:
        """An address; the empty one (of bounces) is plain too."""
        if text is None:
            return NOTHING
        if not text or trust.address(text):
            return Shown(text, None)
        if asked := self._named.get(text.casefold()):
            return Shown(asked, None)
        return Shown(None, self.keep("address", where, text))

    def message_id(self, text: str | None, where: str) -> Shown:
        """A message-id; None where there is none or it is empty."""
        if not text:
            return NOTHING
        if trust.message_id(text):
            return Shown(text, None)
        return Shown(None, self.keep("message-id", where, text))

    def host_name(self, text: str | None, where: str) -> Shown:
        """The name of a server or of a delivery agent."""
        if text is None:
            return NOTHING
        if trust.host_name(text):
            return Shown(text, None)
        return Shown(None, self.keep("name of a server", where, text))

    def client(self, peer: Peer, where: str) -> Shown:
        """NAME[ADDRESS] as Postfix writes it; without a name that is not plain."""
        address = peer.address if peer.address is not None and trust.is_ip(peer.address) else None
        name = self.host_name(peer.name, where)
        if address is None:
            return name
        return Shown(f"{name.value or 'unknown'}[{address}]", name.ref)

    def ref_of(self, what: str, text: str) -> str | None:
        """The ref of a text that is among the untrusted already."""
        entry = self._entries.get((what, text))
        return entry.ref if entry is not None else None

    def keep(self, what: str, where: str, text: str) -> str | None:
        """Put a text among the untrusted; the same text of the same kind is kept once. Gives its ref,
        or None for an empty text."""
        if not self._keep or not text:
            return None
        key = (what, text)
        if key not in self._entries:
            self._entries[key] = UntrustedText(
                ref=f"u{next(self._numbers)}", where=f"{what}, {where}", text=trust.clean(text)
            )
        return self._entries[key].ref
