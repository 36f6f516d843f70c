"""pydantic's findings in our words: the key, its line, what is wanted; never the value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args, get_origin

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
        return Problem(path, _unknown(str(path[-1])))
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


def _unknown(key: str) -> str:
    if key in _PLACES:
        return f"is a key that belongs elsewhere: {' or '.join(_PLACES[key])}"
    return "is an unknown key." + did_you_mean(key, _PLACES)


def _keys(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, str]]:
    """Every key there is, with its place (`hosts.NAME.ssh.port`)."""
    for field, info in model.model_fields.items():
        name = info.alias or field
        yield name, f"{path}{name}"
        for inner, named in _models(info.annotation):
            yield from _keys(inner, f"{path}{name}.{'NAME.' * named}")


def _models(annotation: object, named: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:
    """The models in a type, and whether each lies in a mapping under a name of the user's."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, named
    for part in get_args(annotation):
        yield from _models(part, named or get_origin(annotation) is dict)


def _places() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"workflows": ["workflows"]}
    for key, place in _keys(FileSection):
        found.setdefault(key, []).append(place)
    return found


_PLACES = _places()
