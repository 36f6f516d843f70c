"""How test mails may be sent: the policy, the profiles, and provider files read as profiles."""

from __future__ import annotations

import shlex
from email.utils import parseaddr
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from mailtrace_mcp.config.presets import PresetName, Tls, filled, login_of
from mailtrace_mcp.config.values import (
    Count,
    Flag,
    HostWord,
    HostWords,
    Line,
    MailAddress,
    MailAddresses,
    Port,
    Secret,
    Section,
    Words,
)

Password: TypeAlias = Annotated[Secret, Field(min_length=1)]
_PORTS: dict[Tls, int] = {"none": 25, "starttls": 587, "smtps": 465}


def _command(value: Any) -> Any:
    """A command in one text is split as a shell would split it; no shell ever runs it."""
    if not isinstance(value, str):
        return value
    try:
        return shlex.split(value)
    except ValueError:
        raise ValueError("must be a command: its quotes are not closed") from None


def _lower(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value.removeprefix("@").rstrip(".").lower() for value in values))


Domains: TypeAlias = Annotated[HostWords, AfterValidator(_lower)]


class Policy(Section):
    """Who may be sent what, how often. The unit is recipients; 0 a minute or a day means none."""

    recipients: MailAddresses | None = None
    recipient_domains: Domains | None = None
    max_recipients: Count = 10
    per_minute: Count = 6
    per_day: Count = 200
    content: Literal["template", "text"] = "template"

    @model_validator(mode="after")
    def _names_someone(self) -> Self:
        if self.recipients is None and self.recipient_domains is None:
            raise ValueError("must name someone: recipients or recipient_domains")
        return self


class Profile(Section):
    """One server to send through, and as whom. Sending with it obeys `Policy` all the same.

    `host`, `port` and `tls` are always set after loading: a preset, or the port usual for the TLS
    mode, fills them. With `allow_insecure` a password may go over an unencrypted or unverified
    connection.
    """

    host: HostWord = ""
    port: Port = 0
    tls: Tls = "starttls"
    verify: Flag = True
    min_tls: Literal["1.2", "1.3"] = "1.2"
    ca_file: Line | None = None
    cert: Line | None = None
    key: Line | None = None
    user: Line | None = None
    password: Password | None = None
    password_command: Annotated[Words, BeforeValidator(_command)] | None = None
    auth: Literal["auto", "plain", "login", "cram-md5", "xoauth2"] = "auto"
    sender: MailAddress | None = Field(default=None, alias="from")
    senders: MailAddresses | None = None
    to: MailAddresses | None = None
    preset: PresetName | None = None
    fallback: Line | None = None
    allow_insecure: Flag = False
    dkim_selector: Line | None = None

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        data = filled(dict(data))
        tls = data.get("tls", "starttls")
        if isinstance(tls, str) and tls in _PORTS:
            data.setdefault("port", _PORTS[tls])
        return data

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if not self.host:
            raise ValueError(f"must have a host (or a preset){login_of(self.preset)}")
        if self.password is not None and self.password_command is not None:
            raise ValueError("has both password and password_command: keep one")
        secret = self.password is not None or self.password_command is not None
        if secret and self.user is None:
            raise ValueError(f"has a password but no user{login_of(self.preset)}")
        if secret and self.tls == "none" and not self.allow_insecure:
            raise ValueError(
                "would send its password unencrypted (tls: none): use starttls or smtps, "
                "or say allow_insecure: true"
            )
        return self


class Smtp(Section):
    """The `smtp:` section. Without a policy nothing may be sent."""

    policy: Policy | None = None
    default: Line | None = None
    profiles: Annotated[dict[str, Profile], Field(min_length=1)] = Field(default_factory=dict)


def _bare(value: Any) -> Any:
    """The address of `Name <address>`, as mail programs write senders."""
    return parseaddr(value)[1] or value if isinstance(value, str) else value


class ProviderConfig(Section):
    """`config:` of one e-mail provider of a provider file. `allow_insecure` is ours: without it a
    password is not shown to a server whose certificate is not verified."""

    platform: Literal["smtp"] = "smtp"
    host: HostWord
    port: Port = 587
    user: Line | None = None
    password: Password | None = Field(default=None, alias="pass")
    sender: Annotated[MailAddress | None, BeforeValidator(_bare)] = Field(
        default=None, alias="from"
    )
    tls_skip_verify: Flag = False
    allow_insecure: Flag = False


class Provider(Section):
    """One entry of a provider file's `providers:`."""

    name: Line | None = None
    description: str | None = None
    provider: Literal["email", "email.smtp"]
    enabled: Flag = True
    config: ProviderConfig

    def profile(self) -> Profile:
        """The same as a profile: port 465 is smtps, any other starttls."""
        said = self.config
        return Profile.model_validate(
            {
                "host": said.host,
                "port": said.port,
                "tls": "smtps" if said.port == 465 else "starttls",
                "verify": not said.tls_skip_verify,
                "user": said.user,
                "password": said.password,
                "from": said.sender,
                "allow_insecure": said.allow_insecure,
            }
        )
