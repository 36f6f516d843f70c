"""Provider files of a mail workflow are read as they are: each becomes profiles."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from .conftest import Load, Refuse


@dataclass(frozen=True)
class Example:
    """The lines of one provider, and what becomes of them: host, port, tls, verify, user, from."""

    text: str
    profile: tuple[str, int, str, bool, str | None, str | None]


ADDRESS = "sender@example.com"
EXAMPLES = {
    "basic": Example(
        "provider: email\n    enabled: true\n    config: {platform: smtp, host: smtp.example.com, "
        f"port: 587, user: <your-user>, pass: <your-password>, from: {ADDRESS}}}",
        ("smtp.example.com", 587, "starttls", True, "<your-user>", ADDRESS),
    ),
    "direct provider name": Example(
        "provider: email.smtp\n    config: {host: smtp.example.com, user: u, pass: p}",
        ("smtp.example.com", 587, "starttls", True, "u", None),
    ),
    "gmail": Example(
        "provider: email\n    config: {platform: smtp, host: smtp.gmail.com, port: 587, "
        f"user: {ADDRESS}, pass: app-password, from: 'Notices <{ADDRESS}>'}}",
        ("smtp.gmail.com", 587, "starttls", True, ADDRESS, ADDRESS),
    ),
    "gmail with a placeholder": Example(
        "provider: email\n    config: {platform: smtp, host: smtp.gmail.com, port: 465, "
        "user: <your-email@gmail.com>, pass: <your-app-password>, from: <your-email@gmail.com>}",
        ("smtp.gmail.com", 465, "smtps", True, "<your-email@gmail.com>", "your-email@gmail.com"),
    ),
    "outlook": Example(
        "provider: email\n    config: {platform: smtp, host: smtp-mail.outlook.com, port: 587, "
        f"user: {ADDRESS}, pass: p, from: {ADDRESS}}}",
        ("smtp-mail.outlook.com", 587, "starttls", True, ADDRESS, ADDRESS),
    ),
    "sendgrid": Example(
        "provider: email.smtp\n    config: {host: smtp.sendgrid.net, port: 587, user: apikey, "
        f"pass: '${{API_KEY}}', from: {ADDRESS}}}",
        ("smtp.sendgrid.net", 587, "starttls", True, "apikey", ADDRESS),
    ),
    "self-hosted": Example(
        "provider: email\n    config: {platform: smtp, host: mail.internal.example.com, port: 587, "
        f"user: u, pass: p, from: {ADDRESS}, tls_skip_verify: true}}",
        ("mail.internal.example.com", 587, "starttls", False, "u", ADDRESS),
    ),
    "without login": Example(
        f"provider: email\n    config: {{platform: smtp, host: relay.example.com, port: 25, from: {ADDRESS}}}",
        ("relay.example.com", 25, "starttls", True, None, ADDRESS),
    ),
}
AROUND = """\
version: "1.0"
providers:
  mail:
    name: Mail
    description: what it is for
    {text}
workflows:
  approval:
    do: [{{notify: {{email: {{to: ["${{ .user.email }}"]}}}}}}]
"""


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_becomes_a_profile(name: str, config_of: Load) -> None:
    example = EXAMPLES[name]
    text = AROUND.format(text=example.text)
    config = config_of(text, {"API_KEY": "k"}, mode=0o600)
    profile = config.smtp.profiles["mail"]
    assert example.profile == (
        profile.host,
        profile.port,
        profile.tls,
        profile.verify,
        profile.user,
        profile.sender,
    )
    assert config.smtp.default == "mail"
    assert config.smtp.policy is None  # who may be written to is said under smtp.policy alone


def test_a_password_that_everyone_can_read_is_refused(refusal_of: Refuse) -> None:
    words = refusal_of(AROUND.format(text=EXAMPLES["basic"].text), mode=0o644)
    assert "providers.mail.config.pass" in words
    assert "chmod 600" in words and "${NAME}" in words
    assert "password_command" not in words  # no provider file has one


def test_an_unverified_server_may_be_allowed_to_see_the_password(config_of: Load) -> None:
    text = AROUND.format(
        text=EXAMPLES["self-hosted"].text.replace("true}", "true, allow_insecure: true}")
    )
    assert config_of(text, {}, mode=0o600).smtp.profiles["mail"].allow_insecure
