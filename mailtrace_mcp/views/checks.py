"""What check_hosts found, as plain text: a block for each host, profile and domain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailtrace_mcp.answers.check_types import Check, CheckAnswer, Examination
from mailtrace_mcp.views.text import untrusted_lines

_WORDS = {True: "ok", False: "FAILED", None: "-"}
_WIDTH = max(map(len, _WORDS.values()))


def check_text(answer: CheckAnswer) -> str:
    """The answer of check_hosts, enough by itself."""
    blocks = [answer.summary]
    for kind, found in (
        ("Host", answer.hosts),
        ("Profile", answer.profiles),
        ("Domain", answer.domains),
    ):
        blocks += _blocks(kind, found)
    if answer.hints:
        blocks.append("\n".join(f"Hint: {hint}" for hint in answer.hints))
    blocks += untrusted_lines(answer.untrusted)
    return "\n\n".join(blocks)


def _blocks(kind: str, found: Sequence[Examination]) -> Iterator[str]:
    names = (check.check for one in found for check in one.checks)
    width = max(map(len, names), default=0)
    for one in found:
        said = {True: "ok", False: "FAILED", None: "not certain"}[one.ok]
        lines = [line for check in one.checks for line in _lines(check, width)]
        yield "\n".join([f"{kind} {one.name}: {said}", *lines])


def _lines(check: Check, width: int) -> Iterator[str]:
    ref = f" ({check.found_ref})" if check.found_ref else ""
    code = f"{check.code}: " if check.code else ""
    head = f"  {check.check.ljust(width)}  {_WORDS[check.ok].ljust(_WIDTH)}  "
    yield f"{head}{code}{check.found}{ref}"
    if check.advice:
        yield f"{' ' * len(head)}Do: {check.advice}"
