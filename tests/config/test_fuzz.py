"""No text whatever makes the loader raise anything but CONFIG_INVALID."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailtrace_mcp.config import Config, load
from mailtrace_mcp.config.document import DocumentError, parse
from mailtrace_mcp.errors import MailtraceError

WORDS = [
    "hosts", "a", "logs", "at", "files", "kind", "clusters", "ssh", "smtp", "profiles", "policy", "timezone",
    "limits", "window", "providers", "config", "local", "journald", "7d", "1", "-1", ".inf", "true", "null",
    "", "${X}", "${", "$${", "'", '"', "[]", "{}", "é", "\u202e", "&a", "*a", "!t", "<<", "|", ">", "?", "- ",
]  # fmt: skip
PIECES = st.sampled_from([*WORDS, ": ", ": ", "\n", "\n  ", "\n    ", ", ", "[", "]", "{", "}"])


@given(st.one_of(st.text(), st.lists(PIECES, max_size=60).map("".join)))
def test_any_text_is_a_document_or_a_document_error(text: str) -> None:
    try:
        document = parse(text)
    except DocumentError as error:
        assert 1 <= error.line <= text.count("\n") + text.count("\r") + text.count("\x85") + 99
    else:
        assert all(line >= 1 for line in document.lines.values())


@given(raw=st.one_of(st.binary(), st.lists(PIECES, max_size=60).map(lambda x: "".join(x).encode())))
def test_any_bytes_are_a_config_or_config_invalid(
    raw: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file: Path = tmp_path_factory.getbasetemp() / "fuzzed.yaml"
    file.write_bytes(raw)
    try:
        assert isinstance(load(file, {"X": "1"}), Config)
    except MailtraceError as error:
        assert error.code == "CONFIG_INVALID"
