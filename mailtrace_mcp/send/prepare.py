"""A request made ready: checked against the policy, and composed. Nothing is connected, nothing counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mailtrace_mcp.config import Config
from mailtrace_mcp.config.smtp import Policy, Profile
from mailtrace_mcp.errors import Code, MailtraceError, visible
from mailtrace_mcp.send.addresses import Address, address, distinct, expanded
from mailtrace_mcp.send.channel import Way
from mailtrace_mcp.send.compose import MailPlan, Pattern
from mailtrace_mcp.send.drafts import notices
from mailtrace_mcp.send.extras import saved_mail, saved_senders
from mailtrace_mcp.send.policy import rules
from mailtrace_mcp.send.policy.rules import Decision
from mailtrace_mcp.send.request import OperatorWords, SendRequest
from mailtrace_mcp.send.routes import Route, route_of, with_server, with_tls
from mailtrace_mcp.send.schedule import Load, load


@dataclass(frozen=True)
class Prepared:
    """A request with all its choices made: `ways` are the server and what to fall back to. `decisions`
    are the policy's; `enforce` raises for what it denies."""

    profile: str
    policy: Policy
    ways: tuple[Way, ...]
    load: Load
    decisions: tuple[Decision, ...]
    warnings: tuple[str, ...]

    @property
    def all_warnings(self) -> tuple[str, ...]:
        """Also those of the ways, whichever will be gone."""
        first, *fallbacks = self.ways
        others = [
            f"The fallback {visible(way.route.name)}: {one}"
            for way in fallbacks
            for one in _warnings(way.route)
        ]
        return (*first.warnings, *others, *self.warnings)

    @property
    def recipients(self) -> tuple[Address, ...]:
        return self.ways[0].pattern.recipients

    @property
    def wanted(self) -> list[tuple[int, int]]:
        """What the quota has to count: (seconds from now, recipients)."""
        each = len(self.recipients)
        return [(second, mails * each) for second, mails in self.load.per_second()]

    def enforce(self) -> None:
        """Raise MailtraceError (NOT_ALLOWED, RATE_LIMITED) for the first thing that is denied."""
        rules.enforce(self.decisions)


def prepare(
    config: Config,
    request: SendRequest,
    operator: OperatorWords | None = None,
    seconds: float | None = None,
) -> Prepared:
    """Check and compose. `operator` None: an agent asks. `seconds` is how long the call may last.

    Raises MailtraceError: NOT_ALLOWED without a policy, UNKNOWN_PROFILE, INVALID_ARGUMENT for what is
    no address or cannot stand in a mail. What the policy denies is in `decisions`.
    """
    policy = rules.policy_of(config.smtp)
    name, profile = rules.profile_of(config.smtp, request.profile)
    plan = _plan(config, profile, name, request, policy)
    asked = load(request.rate, request.duration)
    words = operator or OperatorWords()
    rules.connections(words)
    allowed = rules.senders(profile)
    first = _route(name, profile, config.path.parent, request)
    route = with_server(_with_asked_tls(first, request), words.server)
    decisions = (
        rules.content(policy, request, words.extras),
        *rules.recipients(policy, plan.recipients),
        rules.sender(name, allowed, plan.sender),
        *_saved_senders(words, name, allowed),
        rules.security(first, route, operator is not None),
        rules.login(route),
        rules.duration(asked, seconds),
    )
    ways = [Way(route, Pattern(plan, words.extras), tuple(_warnings(route)))]
    warnings = [*_other_from(words, plan), *_fewer(words)]
    if words.server.host is None and words.server.port is None:
        for way, left_out in _fallbacks(config, profile, plan, request, words):
            ways += [way] if way else []
            warnings += [left_out] if left_out else []
    return Prepared(name, policy, tuple(ways), asked, decisions, tuple(warnings))


def _plan(
    config: Config, profile: Profile, name: str, request: SendRequest, policy: Policy
) -> MailPlan:
    to = request.to if request.to is not None else profile.to
    if not to:
        words = f"to: name a recipient; the profile {name} has no `to` of its own."
        if request.to is not None and profile.to:
            words = (
                f"to is empty: name a recipient, or leave it out for those of the profile {name}."
            )
        raise MailtraceError(Code.INVALID_ARGUMENT, words)
    texts = {"to": to, "cc": request.cc, "bcc": request.bcc}
    lists = {key: expanded(some, config.groups, key) for key, some in texts.items()}
    many = sum(map(len, lists.values()))
    if many > rules.MOST_ADDRESSES:
        words = f"{many} recipients: smtp.policy.max_recipients is {policy.max_recipients}."
        raise MailtraceError(Code.NOT_ALLOWED, words)
    parsed = {key: distinct(address(one, key) for one in some) for key, some in lists.items()}
    return MailPlan(
        sender=_sender(profile, name, request),
        **parsed,
        subject=request.subject,
        body=request.body,
        html=request.html,
        dsn=notices(request.dsn),
    )


def _sender(profile: Profile, name: str, request: SendRequest) -> Address:
    if request.sender is not None:
        if request.sender.strip() in ("", "<>"):  # RFC 5321 4.5.5: only for bounces
            words = f"sender: the empty sender is no sender of the profile {name}."
            raise MailtraceError(Code.NOT_ALLOWED, words)
        return address(request.sender, "sender")
    known = rules.senders(profile)
    if not known:
        words = f"sender: the profile {name} has no `from`; name one there."
        raise MailtraceError(Code.INVALID_ARGUMENT, words)
    return known[0]


def _route(name: str, profile: Profile, folder: Path, request: SendRequest) -> Route:
    route = route_of(name, profile, folder)
    return route if request.auth else replace(route, login=None)


def _with_asked_tls(route: Route, request: SendRequest) -> Route:
    return with_tls(route, request.ssl_mode, request.verify)


def _saved_senders(
    words: OperatorWords, profile: str, allowed: Sequence[Address]
) -> Iterator[Decision]:
    """A saved mail speaks as somebody too: in its own From."""
    if words.extras.saved is None:
        return
    header, _ = saved_mail(words.extras.saved)
    named = saved_senders(header)
    if not named:
        raise MailtraceError(Code.INVALID_ARGUMENT, "the saved mail has no From.")
    for one in named:
        yield rules.sender(profile, allowed, address(one, "the saved mail's From"))


def _fallbacks(
    config: Config, profile: Profile, plan: MailPlan, request: SendRequest, words: OperatorWords
) -> Iterator[tuple[Way | None, str | None]]:
    """The profiles to fall back to, one after the other; or why one is left out.

    Each stays as safe as it is, and as what was asked for: nothing is lowered on the way.
    """
    while profile.fallback is not None:
        name = profile.fallback
        profile = config.smtp.profiles[name]
        route = _route(name, profile, config.path.parent, request)
        raised = replace(request, ssl_mode=None, verify=True if request.verify else None)
        if request.ssl_mode not in (None, "none") and route.tls == "none":
            raised = replace(raised, ssl_mode=request.ssl_mode)
        route = _with_asked_tls(route, raised)
        known = rules.senders(profile)
        sender = plan.sender if request.sender is not None else (known or (plan.sender,))[0]
        fit = [rules.sender(name, known, sender), rules.login(route)]
        fit += _saved_senders(words, name, known)
        denied = next((one for one in fit if not one.allowed), None)
        if denied is not None:
            yield None, f"The fallback {visible(name)} is left out: {denied.about}: {denied.why}."
            continue
        yield Way(route, Pattern(replace(plan, sender=sender), words.extras)), None


def _warnings(route: Route) -> Iterator[str]:
    if route.tls == "none":
        yield "The connection is not encrypted (ssl_mode none)."
    elif not route.verify:
        yield "The server's certificate is not verified (verify off)."


def _fewer(words: OperatorWords) -> Iterator[str]:
    if words.parallel > words.per_host:
        yield f"Of {words.parallel} connections one host gets {words.per_host} at most (per host)."


def _other_from(words: OperatorWords, plan: MailPlan) -> Iterator[str]:
    if words.extras.saved is None:
        return
    named = {address(one, "From").key for one in saved_senders(saved_mail(words.extras.saved)[0])}
    if plan.sender.key not in named:
        yield f"The saved mail's From is not the envelope sender {plan.sender.spec}."
