"""A file into a Config: found, read whole, checked whole, once."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from mailtrace_mcp.config.building import build
from mailtrace_mcp.config.document import Data, Document, DocumentError, parse
from mailtrace_mcp.config.document import Path as KeyPath
from mailtrace_mcp.config.model import Config
from mailtrace_mcp.config.problems import Problem, problems, told
from mailtrace_mcp.config.schema import FileSection
from mailtrace_mcp.config.variables import (
    FromOpenFile,
    FromVariable,
    VariableError,
    Variables,
    variables,
)
from mailtrace_mcp.errors import Code, MailtraceError, visible
from mailtrace_mcp.regular_file import open_regular

_LARGEST = 1 << 20
_SECRETS = ("password", "pass", "passphrase")
_EMAIL_PROVIDERS = ("email", "email.smtp")


def load(
    path: str | os.PathLike[str] | None = None, environ: Mapping[str, str] = os.environ
) -> Config:
    """The configuration in `path`, or in the first of $MAILTRACE_CONFIG, ./config.yaml and
    ~/.config/mailtrace/config.yaml. Raises MailtraceError CONFIG_INVALID for whatever is wrong with
    it: the words name the key and its line, and never show a value."""
    file = _at_home(path) if path is not None else _found(environ)
    return _Loader(file, visible(str(file), 200), environ).config()


def packaged_config() -> Path:
    """The config.yaml that comes with the program, over its own sample logs: the demo names it."""
    package = Path(__file__).parent.parent
    installed = package / "_data" / "config.yaml"
    return installed if installed.exists() else package.parent / "config.yaml"


def _found(environ: Mapping[str, str]) -> Path:
    named = environ.get("MAILTRACE_CONFIG")
    if named:
        return _at_home(named)
    places = (Path("config.yaml"), _at_home("~/.config/mailtrace/config.yaml"))
    for place in places:
        if place.exists():
            return place
    raise _invalid(
        "there is no configuration: name a file with --config FILE or MAILTRACE_CONFIG, or write "
        "./config.yaml or ~/.config/mailtrace/config.yaml (all four were looked at)"
    )


def _at_home(path: str | os.PathLike[str]) -> Path:
    """The path with its `~` filled in; as it stands for a user without a home, who has no such file."""
    return Path(os.path.expanduser(path))


def _invalid(words: str) -> MailtraceError:
    return MailtraceError(Code.CONFIG_INVALID, words)


@dataclass(frozen=True)
class _Loader:
    file: Path
    shown: str
    environ: Mapping[str, str]

    def config(self) -> Config:
        text, everyone = self._text()
        try:
            document = parse(text)
        except DocumentError as error:
            raise _invalid(f"{self.shown}, line {error.line}: {error.words}") from None
        data = _without_the_ignored(document.data)
        known, own = self._variables()
        found: list[Problem] = []
        filled = _fill(data, (), known, found)
        found += _open_secrets(filled, everyone)
        try:
            section = FileSection.model_validate(filled)
        except ValidationError as error:
            raise self._told(found + problems(error), document) from None
        config = build(section, self.file, own, found)
        if found:
            raise self._told(found, document)
        return config

    def _told(self, found: list[Problem], document: Document) -> MailtraceError:
        # One problem at a place is enough: a variable that is missing is also no port.
        first: dict[KeyPath, Problem] = {}
        for problem in found:
            first.setdefault(problem.path, problem)
        return _invalid(told(list(first.values()), document, self.shown))

    def _text(self) -> tuple[str, bool]:
        """The text of the file, and whether every user of this machine can read it."""
        try:
            with open_regular(os.fspath(self.file)) as file:
                status = os.fstat(file.fileno())
                raw = b"" if status.st_size > _LARGEST else file.read(_LARGEST + 1) or b""
        except FileNotFoundError:
            raise _invalid(f"{self.shown}: there is no such file") from None
        except PermissionError:
            raise _invalid(f"{self.shown}: it may not be read by this user") from None
        except (OSError, ValueError) as error:
            words = (
                str(error) if isinstance(error, OSError) and not error.errno else "cannot be read"
            )
            raise _invalid(f"{self.shown}: it {words}") from None
        if status.st_size > _LARGEST or len(raw) > _LARGEST:
            raise _invalid(f"{self.shown}: it is larger than 1 MB, and that is no configuration")
        try:
            return raw.decode("utf-8-sig"), bool(status.st_mode & stat.S_IROTH)
        except UnicodeDecodeError:
            raise _invalid(f"{self.shown}: it is not UTF-8 text") from None

    def _variables(self) -> tuple[Variables, dict[str, str]]:
        """What `${NAME}` stands for, and the program's own variables."""
        try:
            known = variables(self.environ, self.file.parent)
            return known, known.own()
        except VariableError as error:
            raise _invalid(f"{self.shown}: {error}") from None


def _without_the_ignored(data: dict[str, Data]) -> dict[str, Data]:
    """Of a provider file: `workflows:` and providers that send no mail or are switched off."""
    kept = {key: value for key, value in data.items() if key != "workflows"}
    providers = kept.get("providers")
    if isinstance(providers, dict):
        kept["providers"] = {name: one for name, one in providers.items() if not _ignored(one)}
        if providers and not kept["providers"]:
            del kept["providers"]
    return kept


def _ignored(provider: Data) -> bool:
    if not isinstance(provider, dict):
        return False
    kind = provider.get("provider")
    return provider.get("enabled") is False or (
        isinstance(kind, str) and kind not in _EMAIL_PROVIDERS
    )


def _fill(value: Data, path: KeyPath, known: Variables, found: list[Problem]) -> Data:
    if isinstance(value, dict):
        return {key: _fill(one, (*path, key), known, found) for key, one in value.items()}
    if isinstance(value, list):
        return [_fill(one, (*path, place), known, found) for place, one in enumerate(value)]
    if not isinstance(value, str):
        return value
    try:
        return known.fill(value)
    except VariableError as error:
        found.append(Problem(path, str(error)))
        return value


def _open_secrets(value: Data, everyone: bool, path: KeyPath = ()) -> list[Problem]:
    """Passwords that every user of the machine can read, in the file or in its .env."""
    if isinstance(value, dict):
        return [
            problem
            for key, one in value.items()
            for problem in _open_secrets(one, everyone, (*path, key))
        ]
    if not path or path[-1] not in _SECRETS or not isinstance(value, str):
        return []
    if isinstance(value, FromOpenFile):
        return [Problem(path, "comes from a .env that every user can read: chmod 600 .env")]
    if everyone and not isinstance(value, FromVariable):
        words = "is a password in a file that every user can read: chmod 600, or use ${NAME}"
        return [Problem(path, words + (" or password_command" if path[0] == "smtp" else ""))]
    return []
