"""Configurations for the tests of check_hosts, and the question asked of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailtrace_mcp.answers import CheckAnswer
from mailtrace_mcp.answers.check_types import Check, Examination
from mailtrace_mcp.checks.lookups import Lookups
from mailtrace_mcp.config import load
from mailtrace_mcp.questions import CheckQuestion, check_hosts
from tests.send.peers.certificates import Authority

Ask = Callable[..., Awaitable[CheckAnswer]]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """The text of a configuration, and fields of the question → the answer."""

    async def one(
        text: str, lookups: Lookups | None = None, now: datetime | None = None, **fields: object
    ) -> CheckAnswer:
        file = tmp_path / "config.yaml"
        file.write_text(text)
        file.chmod(0o600)
        asked = {"dns": lookups is not None} | fields
        question = CheckQuestion(**asked)  # type: ignore[arg-type]
        return await check_hosts(load(file, {}), question, now or datetime.now(UTC), None, lookups)

    return one


def checks(found: Examination) -> dict[str, Check]:
    """The checks by their names; fails if a name comes twice."""
    by_name: dict[str, Check] = {one.check: one for one in found.checks}
    assert len(by_name) == len(found.checks)
    return by_name


def states(found: Examination) -> dict[str, bool | None]:
    return {name: one.ok for name, one in checks(found).items()}


def sound(answer: CheckAnswer) -> None:
    """What holds for every answer: what failed says what to do."""
    for one in (*answer.hosts, *answer.profiles, *answer.domains):
        assert one.checks
        for check in one.checks:
            assert check.found.endswith((".", ")", "?"))
            if check.ok is False:
                assert check.advice, check
