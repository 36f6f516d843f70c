"""`${NAME}` in a text of the configuration: from the environment, or a `.env` beside it."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mailtrace_mcp.regular_file import open_regular

_LARGEST = 1 << 20
_REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{")
_OWN, _SECRET = "MAILTRACE_", "_PASSWORD"
_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")


class VariableError(Exception):
    """A reference that cannot be filled in; `str` says why and never shows a value."""


class FromVariable(str):
    """A text that came, whole or in part, from a variable: `587` in it may stand for a number."""

    __slots__ = ()


class FromOpenFile(FromVariable):
    """The same, from a `.env` that every user of this machine can read: no place for a secret."""

    __slots__ = ()


@dataclass(frozen=True, repr=False)
class Variables:
    """What `${NAME}` stands for; the environment wins over `.env`. Its repr shows no value."""

    environ: Mapping[str, str]
    dotenv: Mapping[str, str]
    dotenv_open: bool = False

    def __repr__(self) -> str:
        return "Variables(****)"

    def fill(self, text: str) -> str:
        """`text` with each `${NAME}` replaced once (a value is not looked through again); `$${`
        stands for `${` itself. Raises VariableError."""
        if "${" not in text:
            return text
        from_file = False

        def value(match: re.Match[str]) -> str:
            nonlocal from_file
            name = match[1]
            if match[0] == "$${":
                return "${"
            if name is None:
                raise VariableError("holds a '${' that is not closed, as in ${NAME}")
            if name in self.environ:
                return self.environ[name]
            if name in self.dotenv:
                from_file = True
                return self.dotenv[name]
            raise VariableError(
                f"needs the variable {name}, which is set neither in the environment nor in .env"
            )

        filled = _REFERENCE.sub(value, text)
        return FromOpenFile(filled) if from_file and self.dotenv_open else FromVariable(filled)

    def own(self) -> dict[str, str]:
        """The program's own variables, MAILTRACE_…. Raises VariableError for a password that every user
        of this machine can read."""
        own = {
            name: text
            for name, text in {**self.dotenv, **self.environ}.items()
            if name.startswith(_OWN)
        }
        secret = next(
            (name for name in self.dotenv if name in own and name.endswith(_SECRET)), None
        )
        if self.dotenv_open and secret is not None and secret not in self.environ:
            raise VariableError(f".env holds {secret}, and every user can read it: chmod 600 .env")
        return own


def variables(environ: Mapping[str, str], folder: Path) -> Variables:
    """The environment and `folder`/.env, where there is one. Raises VariableError."""
    try:
        with open_regular(os.fspath(folder / ".env")) as file:
            everyone = bool(os.fstat(file.fileno()).st_mode & stat.S_IROTH)
            text = (file.read(_LARGEST) or b"").decode()
    except FileNotFoundError:
        return Variables(environ, {})
    except (OSError, UnicodeDecodeError):
        raise VariableError(".env beside the file cannot be read as UTF-8 text") from None
    return Variables(environ, dict(_assignments(text)), everyone)


def _assignments(text: str) -> list[tuple[str, str]]:
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        match = _ASSIGNMENT.fullmatch(bare)
        if match is None:
            raise VariableError(f".env, line {number}: this is not NAME=value")
        found.append((match[1], _unquoted(match[2])))
    return found


def _unquoted(value: str) -> str:
    """A value in one pair of quotes loses them; a bare one ends before ` #`. No escapes."""
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value.split(" #", 1)[0].rstrip()
