"""What was found of hosts, profiles and domains, as the answer of check_hosts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from mailtrace_mcp.answers import trust
from mailtrace_mcp.answers.check_types import Check, CheckAnswer, Examination
from mailtrace_mcp.answers.screen import Screen
from mailtrace_mcp.answers.words import listed
from mailtrace_mcp.checks.finding import Examined, Finding
from mailtrace_mcp.checks.running import Report

_LONGEST = 1000  # characters of a sentence: fingerprints and paths stand in them
_OK = {"good": True, "bad": False, "unknown": None, "aside": None}
_REACHING = ("reachable", "host_key", "login")


@dataclass(frozen=True)
class _Portion:
    """How much is told. `checks`: all, those that are not ok or have advice (odd), the failed ones, none;
    `most`: hosts, profiles and domains of each kind."""

    texts: bool = True
    checks: str = "all"
    most: int = 1_000_000


_SMALLER = (
    _Portion(False), _Portion(False, "odd"), _Portion(False, "failed"), _Portion(False, "none"),
    *(_Portion(False, "none", most) for most in (300, 100, 30, 10, 1)),
)  # fmt: skip


def check_answer(report: Report, sends: bool, limit: int) -> CheckAnswer:
    """The answer of check_hosts, of at most `limit` characters of JSON. `sends`: there is a policy."""
    answer = _Telling(report, sends, _Portion()).answer()
    smaller = iter(_SMALLER)
    while len(answer.model_dump_json()) > limit and (portion := next(smaller, None)) is not None:
        answer = _Telling(report, sends, portion).answer()
    return answer


class _Telling:
    """A report on its way into an answer."""

    def __init__(self, report: Report, sends: bool, portion: _Portion) -> None:
        self._report = report
        self._sends = sends
        self._portion = portion
        self._screen = Screen(count(1), keep=portion.texts)

    def answer(self) -> CheckAnswer:
        report = self._report
        return CheckAnswer(
            summary=_summary(report),
            hosts=self._some("host", report.hosts),
            profiles=self._some("profile", report.profiles),
            domains=self._some("domain", report.domains),
            hints=tuple(self._hints()),
            untrusted=self._screen.untrusted,
        )

    def _some(self, kind: str, found: Sequence[Examined]) -> tuple[Examination, ...]:
        # What fails goes first where not all can be told.
        if len(found) > self._portion.most:
            found = sorted(found, key=lambda one: one.ok is not False)[: self._portion.most]
        return tuple(self._one(kind, one) for one in found)

    def _one(self, kind: str, one: Examined) -> Examination:
        name = trust.clean(one.name)
        checks = tuple(
            self._check(f"of {kind} {name}", finding)
            for finding in one.findings
            if self._is_told(finding)
        )
        return Examination(name=name, ok=one.ok, checks=checks)

    def _is_told(self, finding: Finding) -> bool:
        match self._portion.checks:
            case "all":
                return True
            case "odd":
                return finding.state != "good" or finding.advice is not None
            case "failed":
                return finding.state == "bad"
            case _:
                return False

    def _check(self, whose: str, finding: Finding) -> Check:
        said = finding.said
        return Check(
            check=finding.check,
            ok=_OK[finding.state],
            found=trust.clean(finding.found, _LONGEST),
            code=finding.code,
            advice=trust.clean(finding.advice, _LONGEST) if finding.advice else None,
            found_ref=self._screen.keep(said.what, whose, said.text) if said else None,
        )

    def _hints(self) -> Iterator[str]:
        report = self._report
        if self._portion != _Portion():
            yield "The answer was longer than it may be and was cut: ask for one host or cluster."
        if any(
            finding.state == "bad" and finding.check in _REACHING
            for host in report.hosts
            for finding in host.findings
        ):
            yield (
                "A host that could not be reached or logged in to is left alone for 5 s to a minute: after "
                "a change ask again then."
            )
        if report.profiles and not self._sends:
            yield "Sending is off: the configuration has no smtp.policy."
        if not (report.hosts or report.profiles or report.domains):
            yield "Name hosts and smtp.profiles in the configuration."


def _summary(report: Report) -> str:
    kinds = (
        ("Hosts", report.hosts),
        ("Profiles", report.profiles),
        ("Domains", report.domains),
    )
    said = [_counted(kind, found) for kind, found in kinds if found]
    return " ".join(said) or "There was nothing to look at."


def _counted(kind: str, found: Sequence[Examined]) -> str:
    """`Hosts: 3 of 5 ok; not ok: mx2 (files); not certain: mx3 (lines).`"""
    told = f"{kind}: {sum(one.ok is True for one in found)} of {len(found)} ok"
    for words, ok, state in (("not ok", False, "bad"), ("not certain", None, "unknown")):
        names = [
            f"{trust.clean(one.name, 80)} ({', '.join(_checks(one, state))})"
            for one in found
            if one.ok is ok
        ]
        told += f"; {words}: {listed(names)}" if names else ""
    return f"{told}."


def _checks(one: Examined, state: str) -> Iterator[str]:
    return iter(dict.fromkeys(finding.check for finding in one.findings if finding.state == state))
