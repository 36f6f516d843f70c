"""The page: one self-contained HTML file that draws an answer of trace_mail or query_logs.

One file, two ways in: `page` puts the answer into it, for a browser; `app` leaves it empty, and the
page asks its host for the answer (MCP Apps, SEP-1865). In both the page's own script draws, because an
App is given its data where no Python runs; what Python does is to put the pieces together.

The answer goes in as JSON, in which no `<` is left, and the script makes elements of fixed names and
text nodes only. The page's policy allows this one script and this one style, by their hashes, and
nothing else: no request, no other script, no markup made from text (Trusted Types).
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files

from mailtrace_mcp.answers.parts import as_json
from mailtrace_mcp.answers.query_types import QueryAnswer
from mailtrace_mcp.answers.trace_types import TraceAnswer

# In this order; together they are one script. Each may use what stands before it.
_SCRIPTS = (
    "words", "elements", "reading", "columns", "layout", "graph", "axis", "timeline", "hop", "mail",
    "listing", "coverage", "host", "start",
)  # fmt: skip
# A JSON text in a script element ends at `</script`, and `<!--` changes how it is read (HTML 13.2.5).
_IN_SCRIPT = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_POLICY = (
    "default-src 'none'; script-src {script}; style-src {style}; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


def page(answer: TraceAnswer | QueryAnswer) -> str:
    """The page with an answer in it, exactly as `--json` has it."""
    return _filled(json.dumps(as_json(answer)).translate(_IN_SCRIPT))


def app() -> str:
    """The page without an answer: it asks the host that shows it."""
    return _filled("")


def _filled(answer: str) -> str:
    before, after = _halves()
    return before + answer + after


@cache
def _halves() -> tuple[str, str]:
    """The page before and after its answer."""
    style = _read("style.css")
    script = "(() => {\n" + "".join(_read(f"{name}.js") for name in _SCRIPTS) + "})();\n"
    pieces = {
        "policy": _POLICY.format(script=_hash(script), style=_hash(style)),
        "style": style,
        "script": script,
    }
    before, after = _read("skeleton.html").split("{{ answer }}")
    return _with(before, pieces), _with(after, pieces)


def _with(text: str, pieces: Mapping[str, str]) -> str:
    return re.sub(r"\{\{ (\w+) \}\}", lambda mark: pieces[mark[1]], text)


def _hash(text: str) -> str:
    """The source expression by which a policy allows an inline text (CSP 3, 2.3.1)."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _read(name: str) -> str:
    return files(__name__).joinpath(name).read_text("utf-8")
