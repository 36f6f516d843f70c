"""What the policy and a profile say about a mail, as decisions with their reasons. Pure.

Everything is denied that no line of the configuration allows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mailtrace_mcp.config.smtp import Policy, Profile, Smtp
from mailtrace_mcp.errors import Code, MailtraceError, did_you_mean, visible
from mailtrace_mcp.send.addresses import Address, address, same_domain
from mailtrace_mcp.send.counting import counted
from mailtrace_mcp.send.effort import MOST_PARALLEL
from mailtrace_mcp.send.extras import Extras
from mailtrace_mcp.send.request import OperatorWords, SendRequest
from mailtrace_mcp.send.routes import Route
from mailtrace_mcp.send.schedule import Load

MOST_ADDRESSES = 1000  # before anything is looked at; no policy means that many


@dataclass(frozen=True)
class Decision:
    """One question that was put to the policy: `about` what, whether it is allowed, and why (not)."""

    about: str
    allowed: bool
    why: str
    code: Code = Code.NOT_ALLOWED


def policy_of(smtp: Smtp) -> Policy:
    """The policy. Raises NOT_ALLOWED: without one nothing may be sent."""
    if smtp.policy is None:
        words = "sending is off: the configuration has no smtp.policy that says to whom."
        raise MailtraceError(Code.NOT_ALLOWED, words)
    return smtp.policy


def profile_of(smtp: Smtp, name: str | None) -> tuple[str, Profile]:
    """The profile of that name, or the default one. Raises UNKNOWN_PROFILE, naming those there are."""
    known = ", ".join(smtp.profiles) or "none are configured"
    wanted = name if name is not None else smtp.default
    if wanted is None:
        words = f"no profile was named and none is smtp.default (profiles: {known})."
        raise MailtraceError(Code.UNKNOWN_PROFILE, words)
    if wanted not in smtp.profiles:
        words = f"there is no profile '{visible(wanted)}' (profiles: {known})."
        raise MailtraceError(Code.UNKNOWN_PROFILE, words + did_you_mean(wanted, smtp.profiles))
    return wanted, smtp.profiles[wanted]


def recipients(policy: Policy, asked: Sequence[Address]) -> Iterator[Decision]:
    """Each recipient, and how many they are."""
    many = len(asked)
    yield Decision(
        counted(many, "recipient"), 0 < many <= policy.max_recipients,
        f"smtp.policy.max_recipients is {policy.max_recipients}",
    )  # fmt: skip
    exact = {address(one, "smtp.policy.recipients").key for one in policy.recipients or ()}
    domains = {same_domain(one) for one in policy.recipient_domains or ()}
    for one in asked:
        about = f"recipient {visible(one.spec, 254)}"
        if one.key in exact:
            yield Decision(about, True, "it is among smtp.policy.recipients")
        elif one.domain in domains:
            yield Decision(about, True, f"{one.domain} is among smtp.policy.recipient_domains")
        else:
            yield Decision(about, False, _allowed_instead(policy))


def senders(profile: Profile) -> tuple[Address, ...]:
    """As whom a profile may send, the usual one first: its `from`, its `senders`, else its user."""
    named = [*([profile.sender] if profile.sender else []), *(profile.senders or ())]
    if not named and profile.user is not None and "@" in profile.user:
        named = [profile.user]
    return tuple(address(one, "the profile's sender") for one in named)


def sender(profile: str, allowed: Sequence[Address], asked: Address) -> Decision:
    """The envelope sender, and the one in the header."""
    about = f"sender {visible(asked.spec, 254)}"
    if any(one.key == asked.key for one in allowed):
        return Decision(about, True, f"it is a sender of the profile {profile}")
    names = ", ".join(one.spec for one in allowed[:10]) or "none"
    return Decision(about, False, f"the senders of the profile {profile} are: {names}")


def security(profile: Route, asked: Route, by_operator: bool) -> Decision:
    """TLS mode and verification: kept or raised; lowered only where the profile or the operator says so."""
    about = f"ssl_mode {asked.tls}, verify {'on' if asked.verify else 'off'}"
    lowered = (asked.tls == "none" != profile.tls) or (profile.verify and not asked.verify)
    if not lowered:
        return Decision(about, True, "as safe as the profile, or safer")
    if by_operator:
        return Decision(about, True, "the operator's own words")
    if profile.allow_insecure:
        return Decision(about, True, "the profile says allow_insecure")
    why = f"the profile {profile.name} is safer, and does not say allow_insecure: true"
    return Decision(about, False, why)


def login(route: Route) -> Decision:
    """Whether the password may be shown to this connection."""
    if route.login is None:
        return Decision("login", True, "none")
    about = f"login as {visible(route.login.user)}"
    if route.secure:
        return Decision(about, True, "the connection is encrypted and verified")
    if route.allow_insecure:
        return Decision(about, True, "the profile says allow_insecure")
    how = "unencrypted" if route.tls == "none" else "unverified"
    why = (
        f"the connection is {how}: encrypt and verify, switch auth off, or say allow_insecure: true "
        "in the profile"
    )
    return Decision(about, False, why)


def content(policy: Policy, request: SendRequest, extras: Extras) -> Decision:
    """A text of one's own, or the fixed one."""
    own = request.body is not None or request.html is not None or extras.content
    if not own:
        return Decision("content", True, "the program's own text")
    why = f"smtp.policy.content is {policy.content}"
    hint = "" if policy.content == "text" else ": leave out body and html"
    return Decision("content of one's own", policy.content == "text", why + hint)


def connections(words: OperatorWords) -> None:
    """Raise INVALID_ARGUMENT for more connections than there may be, or none."""
    for name, many in (("parallel", words.parallel), ("per host", words.per_host)):
        if not 1 <= many <= MOST_PARALLEL:
            said = f"{name} {many} must be 1 to {MOST_PARALLEL} connections."
            raise MailtraceError(Code.INVALID_ARGUMENT, said)


def duration(load: Load, seconds: float | None) -> Decision:
    """Whether the run can end before the call has to."""
    about = f"{counted(load.count, 'mail')} in {load.duration:g} s"
    if seconds is None:
        return Decision(about, True, "there is no deadline")
    # One mail is due at once, however long the second is that it stands for.
    fits = load.count == 1 or load.duration <= seconds
    why = f"one call lasts {seconds:g} s at most" + (
        "" if fits else "; the command line has no limit"
    )
    return Decision(about, fits, why, Code.RATE_LIMITED)


def enforce(decisions: Sequence[Decision]) -> None:
    """Raise MailtraceError for the first that is denied."""
    for one in decisions:
        if not one.allowed:
            raise MailtraceError(one.code, f"{one.about}: not allowed, {one.why}.")


def _allowed_instead(policy: Policy) -> str:
    domains = ", ".join((policy.recipient_domains or ())[:10])
    exact = len(policy.recipients or ())
    named = f"domains: {domains}" if domains else "no whole domain"
    return f"it is not on the allow-list of smtp.policy ({named}; single addresses: {exact})"
