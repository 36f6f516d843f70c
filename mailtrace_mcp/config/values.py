"""The kinds of value a configuration is made of: how each is written, and what it becomes.

Messages say what is wanted and never repeat what was written: it may be a secret on the wrong line.
"""

from __future__ import annotations

import ipaddress
import math
import re
from datetime import timedelta
from typing import Annotated, Any, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
)

from mailtrace_mcp.config.variables import FromVariable

_DURATION = re.compile(r"([1-9][0-9]{0,3})([smhd])")
_SIZE = re.compile(r"([1-9][0-9]{0,8})(|B|KB|MB|GB)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_BYTES = {"": 1, "B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\.?")
_GLOB = re.compile(r"[A-Za-z0-9_./*?\[\]@%+=:,~-]{1,1000}")
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\\x00-\x1f]{1,64}@[^\s@<>,;:\"()\[\]\\\x00-\x1f]{1,250}")
_LONGEST_WAIT = 3600.0


class Section(BaseModel):
    """A mapping of the file with known keys: anything else is refused, and it does not change."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Secret(SecretStr):
    """A password. It shows as **** in repr, str, asdict and dumps, and cannot be pickled."""

    def _display(self) -> str:
        return "****"

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> str:
        raise TypeError("a secret is not pickled")


def _number(value: Any) -> Any:
    """Digits that came from a variable stand for a number; quoted digits of the file do not."""
    if isinstance(value, FromVariable) and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", value):
        return float(value) if "." in value else int(value)
    return value


def _flag(value: Any) -> Any:
    if isinstance(value, FromVariable):
        return {"true": True, "false": False}.get(value.lower(), value)
    return value


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError("must be a number of seconds")
    return value


def _duration(value: Any) -> Any:
    if isinstance(value, str) and (match := _DURATION.fullmatch(value)):
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    raise ValueError("must be a span such as 30m, 12h or 7d")


def _size(value: Any) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    if isinstance(value, str) and (match := _SIZE.fullmatch(value)):
        return int(match[1]) * _BYTES[match[2]]
    raise ValueError("must be a size such as 500KB, 64MB or 1GB")


def zone(name: str) -> ZoneInfo:
    """A time zone by its name. Raises ValueError: the name is none, or the machine has no data."""
    if re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", name):
        try:
            return ZoneInfo(name)
        except (OSError, ValueError, KeyError):  # a folder, a broken file, not there
            pass
    raise ValueError("is no time zone known here: use a name such as Europe/Berlin or UTC")


def _zone(value: Any) -> Any:
    if isinstance(value, str):
        return zone(value)
    raise ValueError("must be a time zone's name such as Europe/Berlin or UTC")


def is_domain(text: str) -> bool:
    """Whether DNS could know it: labels of letters, digits, - and _ with dots between them, no address."""
    labels = text.rstrip(".").split(".")
    named = len(labels) > 1 and all(labels) and not labels[-1].isdigit()
    return named and _NAME.fullmatch(text) is not None


def is_host_word(text: str) -> bool:
    """Whether it is a host name or an IP address, without brackets or a port."""
    if _NAME.fullmatch(text):
        return True
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _host_word(value: str) -> str:
    """A host name or an IP address, for hosts, aliases and servers."""
    if not is_host_word(value):
        raise ValueError("must be a host name or an IP address")
    return value


def _glob(value: str) -> str:
    """No blank and no shell character: on another machine it goes through a shell."""
    if not _GLOB.fullmatch(value):
        raise ValueError("must be a path or glob of letters, digits and ./*?[]_-@%+=:,~")
    return value


def _mail_address(value: str) -> str:
    if not _ADDRESS.fullmatch(value):
        raise ValueError("must be one mail address: name@domain")
    return value


def _no_control(value: str) -> str:
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        raise ValueError("must not hold control characters")
    return value


Text: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Line: TypeAlias = Annotated[Text, AfterValidator(_no_control)]
Count: TypeAlias = Annotated[int, BeforeValidator(_number), Field(ge=0, le=1_000_000)]
Port: TypeAlias = Annotated[int, BeforeValidator(_number), Field(ge=1, le=65535)]
Flag: TypeAlias = Annotated[bool, BeforeValidator(_flag)]
Seconds: TypeAlias = Annotated[
    float, BeforeValidator(_number), AfterValidator(_finite), Field(gt=0, le=_LONGEST_WAIT)
]
Duration: TypeAlias = Annotated[timedelta, BeforeValidator(_duration)]
Size: TypeAlias = Annotated[int, BeforeValidator(_size)]
Zone: TypeAlias = Annotated[ZoneInfo, BeforeValidator(_zone)]
HostWord: TypeAlias = Annotated[Line, AfterValidator(_host_word)]
Glob: TypeAlias = Annotated[Text, AfterValidator(_glob)]
MailAddress: TypeAlias = Annotated[Line, AfterValidator(_mail_address)]
HostWords: TypeAlias = Annotated[
    tuple[HostWord, ...],
    BeforeValidator(_one_or_many),
    Field(min_length=1, max_length=100, strict=False),
]
Globs: TypeAlias = Annotated[
    tuple[Glob, ...],
    BeforeValidator(_one_or_many),
    Field(min_length=1, max_length=100, strict=False),
]
MailAddresses: TypeAlias = Annotated[
    tuple[MailAddress, ...],
    BeforeValidator(_one_or_many),
    Field(min_length=1, max_length=1000, strict=False),
]
Words: TypeAlias = Annotated[tuple[Line, ...], Field(min_length=1, max_length=100, strict=False)]
