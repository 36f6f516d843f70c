"""A configuration is written into a folder of its own and loaded with an environment of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mailtrace_mcp.config import Config, load
from mailtrace_mcp.errors import MailtraceError

Load = Callable[..., Config]
Refuse = Callable[..., str]


@pytest.fixture
def config_of(tmp_path: Path) -> Load:
    """text (and environment) → the Config; the file is readable by its owner only."""

    def of(
        text: str | bytes, environ: Mapping[str, str] | None = None, mode: int = 0o600
    ) -> Config:
        file = tmp_path / "config.yaml"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        file.chmod(mode)
        return load(file, environ or {})

    return of


@pytest.fixture
def refusal_of(config_of: Load) -> Refuse:
    """The same for a text that is refused: the words of CONFIG_INVALID, which name the file."""

    def of(text: str | bytes, environ: Mapping[str, str] | None = None, mode: int = 0o600) -> str:
        with pytest.raises(MailtraceError) as caught:
            config_of(text, environ, mode)
        assert caught.value.code == "CONFIG_INVALID"
        assert "config.yaml" in caught.value.message
        assert "\n" not in str(caught.value)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None
        return caught.value.message

    return of
