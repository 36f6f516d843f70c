"""pydantic's findings in our words: the key, its line, what is wanted; never the value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mailtrace_mcp.config.document import Document, Path
from mailtrace_mcp.config.schema import FileSection
from mailtrace_mcp.errors import did_you_mean, visible

_MOST_SHOWN = 5
_WORDS = {
    "missing": "is missing",
    "string_type": "must be text (put it in quotes)",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "too_long": "is too long",
    "string_too_long": "is too long",
}


@dataclass(frozen=True)
class Problem:
    """What is wrong at a path of the file."""

    path: Path
    words: str


def problems(error: ValidationError) -> list[Problem]:
    """Each finding of a validation."""
    return [_problem(one) for one in error.errors(include_url=False, include_input=False)]


def told(found: list[Problem], document: Document, name: str) -> str:
    """The problems in the order of the file: `config.yaml: ssh.port (line 3) must be …; …`."""
    ordered = sorted(found, key=lambda problem: document.line(problem.path))
    shown = [
        f"{_dotted(problem.path)} (line {document.line(problem.path)}) {problem.words}"
        for problem in ordered[:_MOST_SHOWN]
    ]
    more = len(found) - len(shown)
    return f"{name}: " + "; ".join(shown) + (f"; and {more} more" if more > 0 else "")


def _problem(one: ErrorDetails) -> Problem:
    path = tuple(part for part in one["loc"] if part != "[key]")
    kind = one["type"]
    if kind == "extra_forbidden":
        return Problem(path, "is an unknown key." + did_you_mean(str(path[-1]), _KNOWN_KEYS))
    if one["loc"][-1:] == ("[key]",):
        return Problem(path, "is no name: use letters, digits, '.', '_' and '-'")
    if kind == "value_error":
        return Problem(path, str(one["msg"]).removeprefix("Value error, "))
    words = _WORDS.get(kind)
    if words is None:
        words = str(one["msg"]).replace("Input should be", "must be").replace("Input", "it")
    return Problem(path, words)


def _dotted(path: Path) -> str:
    shown = "".join(
        f"[{part + 1}]" if isinstance(part, int) else f".{visible(part)}" for part in path
    )
    return shown.removeprefix(".") or "the file"


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, info in model.model_fields.items():
        yield info.alias or name
        for inner in _models(info.annotation):
            yield from _keys(inner)


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


_KNOWN_KEYS = sorted(set(_keys(FileSection)) | {"workflows"})
