"""One lab for all end-to-end tests, and one server process in its network, asked over stdio."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client, StdioServerParameters

# The lab's own programs: they run by a plain python3 as well, so they are no part of a package.
sys.path.insert(0, str(Path(__file__).parents[1] / "lab"))

from tests.e2e.journal import Journal
from tests.e2e.stage import NoStageError, Stage, stage


@dataclass(frozen=True)
class Server:
    """The client of one server process."""

    portal: BlockingPortal
    client: Client

    def ask(self, tool: str, **arguments: Any) -> Mapping[str, Any]:
        """A tool's structuredContent; a tool error fails the test with its words."""
        _, found = self._called(tool, arguments, error=False)
        return found

    def refused(self, tool: str, **arguments: Any) -> tuple[str, Mapping[str, Any]]:
        """What a tool that must fail says, and its structuredContent."""
        return self._called(tool, arguments, error=True)

    def _called(
        self, tool: str, arguments: Mapping[str, Any], *, error: bool
    ) -> tuple[str, Mapping[str, Any]]:
        result = self.portal.call(self.client.call_tool, tool, dict(arguments))
        [content] = result.content
        assert content.type == "text"
        assert result.is_error is error, content.text
        assert result.structured_content is not None
        return content.text, result.structured_content


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    try:
        with stage(tmp_path_factory.mktemp("cluster")) as found:
            yield found
    except NoStageError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def server(cluster: Stage) -> Iterator[Server]:
    command, *arguments = cluster.command("serve")
    started = StdioServerParameters(command=command, args=arguments, env=cluster.environment)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(Client(started)) as client,
    ):
        yield Server(portal, client)


@pytest.fixture(scope="session")
def journal() -> Iterator[Journal]:
    """What each story showed; written to docs/journeys.md once all of them were asked."""
    found = Journal()
    yield found
    found.write()
