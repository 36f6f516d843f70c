"""Well-known mail providers: where mail is handed in, and who logs in there (the providers' own manuals)."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, TypeAlias

Tls: TypeAlias = Literal["none", "starttls", "smtps"]
PresetName: TypeAlias = Literal[
    "gmail", "yahoo", "outlook", "office365", "sendgrid", "mailgun", "ses"
]


class Preset(NamedTuple):
    """`host` is empty where each customer has another one; `user` is set where all have the same."""

    host: str
    port: int
    tls: Tls
    login: str  # what the user name and the password are, as the end of a sentence
    user: str | None = None


PRESETS: dict[str, Preset] = {
    "gmail": Preset(
        "smtp.gmail.com",
        587,
        "starttls",
        "the user is the whole address, the password an app password (or auth: xoauth2)",
    ),
    "yahoo": Preset(
        "smtp.mail.yahoo.com",
        465,
        "smtps",
        "the user is the whole address, the password an app password",
    ),
    "outlook": Preset(
        "smtp-mail.outlook.com",
        587,
        "starttls",
        "the user is the whole address; passwords are no longer taken: auth: xoauth2",
    ),
    "office365": Preset(
        "smtp.office365.com",
        587,
        "starttls",
        "the user is the whole address; where passwords are switched off: auth: xoauth2",
    ),
    "sendgrid": Preset(
        "smtp.sendgrid.net",
        587,
        "starttls",
        "the user is the word apikey, the password an API key with the right to send",
        user="apikey",
    ),
    "mailgun": Preset(
        "smtp.mailgun.org",
        587,
        "starttls",
        "the user is an SMTP login of the domain (postmaster@DOMAIN); a domain in the EU has "
        "host: smtp.eu.mailgun.org",
    ),
    "ses": Preset(
        "",
        587,
        "starttls",
        "host: email-smtp.REGION.amazonaws.com, the user and password are SMTP credentials of "
        "that region (no access key)",
    ),
}


def filled(data: dict[str, Any]) -> dict[str, Any]:
    """What a profile says, with what its preset says where it is silent."""
    name = data.get("preset")
    preset = PRESETS.get(name) if isinstance(name, str) else None
    if preset is None:
        return data
    known: dict[str, Any] = {"port": preset.port, "tls": preset.tls}
    if preset.host:
        known["host"] = preset.host
    if preset.user and ("password" in data or "password_command" in data):
        known["user"] = preset.user
    return known | data


def login_of(name: str | None) -> str:
    """Who logs in there, to be put behind an error's words; empty without a preset."""
    return f" (preset {name}: {PRESETS[name].login})" if name else ""
