"""YAML text → plain data with the line of every key: the only room that knows yaml.

A small YAML on purpose: mappings, lists and scalars of the YAML 1.2 core schema (`no` and `on` are
text, 022 is 22). Anchors, tags and many documents are refused: they are where a YAML file can do
what its reader does not see. The text itself is never quoted, it may hold a password. `${NAME}` may
stand unquoted inside `{ }` too, where YAML alone would take its brace for one of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from mailtrace_mcp.errors import visible

Scalar: TypeAlias = str | int | float | bool | None
Data: TypeAlias = "dict[str, Data] | list[Data] | Scalar"
Path: TypeAlias = tuple[str | int, ...]

_DEEPEST = 20
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_OPEN, _CLOSE = "\ue000", "\ue001"  # stand for ${ and } while yaml reads
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, Scalar] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


class DocumentError(Exception):
    """The text is no document of ours: what is wrong, and the line (from 1)."""

    def __init__(self, line: int, words: str) -> None:
        super().__init__(f"line {line}: {words}")
        self.line = line
        self.words = words


@dataclass(frozen=True)
class Document:
    """The data, and for the path of every key and list element the line where it stands."""

    data: dict[str, Data]
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """The line of the thing at `path`, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def parse(text: str) -> Document:
    """Raises DocumentError, and nothing else, whatever the text."""
    if _OPEN in text or _CLOSE in text:
        raise DocumentError(1, "it holds a private-use character (U+E000 or U+E001)")
    masked = _REFERENCE.sub(rf"{_OPEN}\1{_CLOSE}", text)
    try:
        return _Builder(iter(yaml.parse(masked, Loader=yaml.SafeLoader))).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        raise DocumentError(
            line, f"this is not valid YAML (column {column}){_problem(error)}"
        ) from None
    except yaml.YAMLError:
        raise DocumentError(1, "this is not valid YAML: it holds a control character") from None


def _problem(error: yaml.MarkedYAMLError) -> str:
    """yaml's own words, where they hold none of the text (they quote it in '')."""
    problem = error.problem or ""
    return f": {problem}" if problem and "'" not in problem and '"' not in problem else ""


@dataclass
class _Builder:
    """Events to data, without recursion beyond _DEEPEST and without yaml's constructors."""

    events: Iterator[yaml.Event]
    lines: dict[Path, int] = field(default_factory=dict)

    def document(self) -> Document:
        data: Data = None
        found = False
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if found:
                    raise DocumentError(_line(event), "a second document (---) begins here")
                found = True
                self.lines[()] = _line(event)
                data = self._value(next(self.events), ())
        if data is None:
            raise DocumentError(1, "it is empty")
        if not isinstance(data, dict):
            raise DocumentError(self.lines[()], "it must be a mapping: `key: value` lines")
        return Document(data, self.lines)

    def _value(self, event: yaml.Event, path: Path) -> Data:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise DocumentError(_line(event), "anchors (&, *) are not used here: write it out")
        if getattr(event, "tag", None):
            raise DocumentError(_line(event), "tags (!) are not used here")
        if len(path) > _DEEPEST:
            raise DocumentError(_line(event), "nested too deeply")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        if not isinstance(event, yaml.ScalarEvent):
            raise DocumentError(_line(event), "a value is missing")
        value = _unmasked(event.value)
        return _scalar(value) if event.implicit[0] else value

    def _mapping(self, path: Path) -> Data:
        found: dict[str, Data] = {}
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                return found
            if not isinstance(event, yaml.ScalarEvent) or event.tag or event.anchor:
                raise DocumentError(_line(event), "a key must be plain text")
            key = _unmasked(event.value)
            here = (*path, key)
            if key in found:
                raise DocumentError(
                    _line(event),
                    f"the key '{visible(key)}' stands here a second time "
                    f"(first on line {self.lines[here]})",
                )
            self.lines[here] = _line(event)
            found[key] = self._value(next(self.events), here)
        return found

    def _sequence(self, path: Path) -> Data:
        found: list[Data] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            here = (*path, len(found))
            self.lines[here] = _line(event)
            found.append(self._value(event, here))
        return found


def _unmasked(text: str) -> str:
    return text.replace(_OPEN, "${").replace(_CLOSE, "}")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 1


def _scalar(text: str) -> Scalar:
    """A plain (unquoted) scalar, as YAML 1.2's core schema reads it, less octal and hex numbers."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text) or text.lower().lstrip("+-") in (".inf", ".nan"):
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))
    return text
