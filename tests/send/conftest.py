"""Configurations, routes and mails for the tests of sending; the servers are in peers/."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mailtrace_mcp.config import Config, load
from mailtrace_mcp.config.values import Secret
from mailtrace_mcp.send.addresses import address
from mailtrace_mcp.send.compose import Mail, MailPlan, compose
from mailtrace_mcp.send.credentials import Credentials
from mailtrace_mcp.send.policy import State
from mailtrace_mcp.send.routes import Mechanism, Route, Timeouts

from .peers.certificates import Authority
from .peers.sink import PASSWORD, USER

AT = datetime(2026, 11, 21, 15, 4, 5, tzinfo=UTC)
UNIQUE = "0123456789abcdef"
QUICK = Timeouts(connect=1.0, read=1.0)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State.at(tmp_path / "state")


def mail(*to: str, **more: Any) -> Mail:
    """A mail of the lab to these recipients."""
    return compose(plan(*to, **more), AT, UNIQUE)


def plan(*to: str, **more: Any) -> MailPlan:
    recipients = to or ("a@lab.example",)
    return MailPlan(
        address(more.pop("sender", "me@lab.example"), "sender"),
        tuple(address(one, "to") for one in recipients),
        **more,
    )


def route(port: int, tls: str = "none", **more: Any) -> Route:
    more = {"verify": True} | more
    return Route("lab", "127.0.0.1", port, tls, **more)  # type: ignore[arg-type]


def login(mechanism: Mechanism = "auto", secret: str = PASSWORD) -> Credentials:
    return Credentials(USER, Secret(secret), mechanism)


Configured = Callable[..., Config]


@pytest.fixture
def configured(tmp_path: Path) -> Configured:
    """port (and more of the profile, of the policy, of the file) → a Config with the profile lab."""

    def of(
        port: int = 1,
        profile: str = "",
        policy: str = "recipient_domains: [lab.example], per_minute: 100",
        more: str = "",
        rest: str = "",
    ) -> Config:
        said = f"host: 127.0.0.1, port: {port}, from: me@lab.example"
        said += f", {profile}" if profile else ", tls: none"
        file = tmp_path / "config.yaml"
        file.write_text(
            f"smtp:\n  policy: {{{policy}}}\n  default: lab\n  profiles:\n"
            f"    lab: {{{said}}}\n{more}\n{rest}"
        )
        file.chmod(0o600)
        return load(file, {})

    return of
