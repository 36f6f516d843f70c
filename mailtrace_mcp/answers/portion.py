"""How much of what was found goes into an answer, so that it is never longer than it may be.

A cut answer says so: what was left out stands in its hints (SAFETY.md 4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from mailtrace_mcp.answers.parts import Part

Answer = TypeVar("Answer", bound=Part)


@dataclass(frozen=True)
class Portion:
    """What is told. `mails` and `recipients` (of one mail) are how many at most; `left_out` names
    what is not told."""

    mails: int
    drawing: bool = True
    raw_lines: bool = True
    untrusted: bool = True
    steps: bool = True
    attempts: bool = True
    hops: bool = True
    files: bool = True
    recipients: int = 1_000_000
    left_out: tuple[str, ...] = ()

    def without(self, name: str, **changes: Any) -> Portion:
        return replace(self, left_out=(*self.left_out, name), **changes)


def fitted(build: Callable[[Portion], Answer], mails: int, limit: int) -> Answer:
    """The fullest answer of at most `limit` characters of JSON: what matters least goes first.

    If even the smallest is longer (a limit that holds no coverage), that is given.
    """
    answer = build(Portion(mails))
    if _length(answer) <= limit:
        return answer
    for portion in _smaller(Portion(mails)):
        answer = build(portion)
        if _length(answer) <= limit:
            break
    return answer


def _smaller(portion: Portion) -> Iterator[Portion]:
    yield (portion := portion.without("the drawing", drawing=False))
    yield (portion := portion.without("raw lines", raw_lines=False))
    yield (portion := portion.without("untrusted text", untrusted=False))
    yield (portion := portion.without("steps before attempts", steps=False))
    yield (portion := portion.without("names of log files", files=False))
    several = portion
    for mails in _fewer(portion.mails):
        yield (portion := several.without(f"all mails but the first {mails}", mails=mails))
    yield (portion := portion.without("attempts", attempts=False))
    yield (portion := portion.without("hops and links", hops=False))
    whole = portion
    for rows in (500, 200, 100, 50, 20, 10, 5, 2, 1):
        yield whole.without(f"all recipients of a mail but the first {rows}", recipients=rows)


def _fewer(count: int) -> Iterator[int]:
    """Down to 1, by a fifth each time."""
    while count > 1:
        count = min(count - 1, count * 4 // 5)
        yield count


def _length(answer: Part) -> int:
    return len(answer.model_dump_json())
