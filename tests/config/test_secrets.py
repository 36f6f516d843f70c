"""CF048: no way of looking at a loaded configuration shows a secret."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import traceback

import pytest

from mailtrace_mcp.config import Config

from .conftest import Load, Refuse

PASSWORDS = ("S3CRET-literal", "S3CRET-variable", "S3CRET-provider")
TEXT = """
smtp:
  policy: {recipients: [a@one.example]}
  default: lab
  profiles:
    lab: {host: h, user: u, password: S3CRET-literal}
    env: {host: h, user: u, password: "${PW}"}
providers:
  old: {provider: email.smtp, config: {platform: smtp, host: h, user: u, pass: S3CRET-provider}}
"""


@pytest.fixture
def config(config_of: Load) -> Config:
    return config_of(TEXT, {"PW": "S3CRET-variable"})


def test_the_secrets_are_there_for_who_asks(config: Config) -> None:
    held = [profile.password for profile in config.smtp.profiles.values()]
    assert tuple(one.get_secret_value() for one in held if one) == PASSWORDS


def test_repr_str_asdict_dump_and_copy_show_stars(config: Config) -> None:
    shown = [
        repr(config),
        str(config),
        repr(dataclasses.asdict(config)),
        repr(config.smtp.model_dump()),
        repr(config.smtp.model_dump(mode="json")),
        config.smtp.model_dump_json(),
        repr(copy.deepcopy(config)),
        f"{config.smtp.profiles['lab'].password}",
    ]
    for text in shown:
        assert "****" in text
        assert "S3CRET" not in text


def test_it_cannot_be_pickled(config: Config) -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(config)


def test_a_traceback_does_not_show_them(config: Config) -> None:
    with pytest.raises(KeyError) as caught:
        config.hosts["nobody"]
    shown = "".join(
        traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    )
    assert "S3CRET" not in shown


@pytest.mark.parametrize(
    "line",
    [
        "password: [S3CRET]",
        "password: {S3CRET: 1}",
        "port: S3CRET",
        "tls: S3CRET",
        "verify: S3CRET",
        "from: S3CRET",
        'password: a, password_command: "S3CRET \'"',
        'password: a, password_command: "S3CRET"',
        "auth: S3CRET",
        "host: S3CRET S3CRET",
    ],
)
def test_a_refusal_does_not_quote_a_value(line: str, refusal_of: Refuse) -> None:
    base = "" if line.startswith("host:") else "host: h, "
    words = refusal_of("smtp: {profiles: {lab: {" + base + "user: u, " + line + "}}}\n")
    assert "smtp.profiles.lab" in words
    assert "S3CRET" not in words.replace("password.S3CRET", "")
