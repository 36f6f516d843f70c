"""The well-known providers by name: host, port, TLS, and who logs in."""

from __future__ import annotations

from typing import get_args

import pytest

from mailtrace_mcp.config.presets import PRESETS, PresetName

from .conftest import Load, Refuse


def _profile(text: str) -> str:
    return f"smtp: {{profiles: {{a: {{{text}}}}}}}\n"


def test_every_name_that_is_taken_has_a_preset() -> None:
    assert set(get_args(PresetName)) == set(PRESETS)


@pytest.mark.parametrize(
    ("name", "host", "port", "tls"),
    [
        ("gmail", "smtp.gmail.com", 587, "starttls"),
        ("yahoo", "smtp.mail.yahoo.com", 465, "smtps"),
        ("outlook", "smtp-mail.outlook.com", 587, "starttls"),
        ("office365", "smtp.office365.com", 587, "starttls"),
        ("sendgrid", "smtp.sendgrid.net", 587, "starttls"),
        ("mailgun", "smtp.mailgun.org", 587, "starttls"),
    ],
)
def test_a_preset_fills_what_the_profile_leaves_open(
    name: str, host: str, port: int, tls: str, config_of: Load
) -> None:
    profile = config_of(_profile(f"preset: {name}")).smtp.profiles["a"]
    assert (profile.host, profile.port, profile.tls) == (host, port, tls)
    own = config_of(_profile(f"preset: {name}, host: h.example, tls: smtps, port: 2465"))
    profile = own.smtp.profiles["a"]
    assert (profile.host, profile.port, profile.tls) == ("h.example", 2465, "smtps")


def test_sendgrid_has_one_user_name_for_all(config_of: Load) -> None:
    assert config_of(_profile("preset: sendgrid, password: p")).smtp.profiles["a"].user == "apikey"
    assert config_of(_profile("preset: sendgrid")).smtp.profiles["a"].user is None


def test_ses_has_a_host_for_each_region(config_of: Load, refusal_of: Refuse) -> None:
    assert "email-smtp.REGION.amazonaws.com" in refusal_of(_profile("preset: ses"))
    host = "email-smtp.eu-west-1.amazonaws.com"
    assert config_of(_profile(f"preset: ses, host: {host}")).smtp.profiles["a"].port == 587


def test_a_missing_user_is_told_in_the_provider_s_terms(refusal_of: Refuse) -> None:
    assert "app password" in refusal_of(_profile("preset: gmail, password: p"))
    assert "postmaster@DOMAIN" in refusal_of(_profile("preset: mailgun, password: p"))


def test_an_unknown_preset_is_refused_with_the_known_ones(refusal_of: Refuse) -> None:
    assert "sendgrid" in refusal_of(_profile("preset: sendgird"))
