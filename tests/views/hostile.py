"""Answers in which strangers' texts stand where they never should: a view trusts nobody."""

from __future__ import annotations

import warnings
from typing import Any

from mailtrace_mcp.answers.parts import Part

HOSTILE = [
    'a"]; n0-->n9; x["b',
    "x\\",
    'x\\"; evil [label="y',
    "<img src=x onerror=alert(1)>",
    "%%{init: {'theme':'dark'}}%%",
    "#quot;#35;&quot;&lt;",
    "{a|<b>c}",
    "`code` [link](http://evil.test)",
    "end",
    "\\N \\G \\n",
    "]])}} subgraph x",
    "</script><script>window.evil = 1</script>",
    "<!--<script>",
    "{{ answer }}{{ script }}",
    "</svg></title></style><svg onload=alert(1)>",
    "javascript:alert(1)//\u2028\u0000\u202e\ud83d",
    "__proto__",
]


def filled(value: Any, text: str) -> Any:
    """A part of an answer, or a part of its JSON, with a text in the place of every text."""
    if isinstance(value, Part):
        names = type(value).model_fields
        return value.model_copy(update={name: filled(getattr(value, name), text) for name in names})
    if isinstance(value, tuple | list):
        return type(value)(filled(one, text) for one in value)
    if isinstance(value, dict):
        return {name: filled(one, text) for name, one in value.items()}
    return text if isinstance(value, str) else value


def quietly(make: Any, *of: Any) -> Any:
    """What a function gives; pydantic's warning that a word is none of those it may be is known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return make(*of)
