"""A browser for the tests of the page; the stories that are drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mailtrace_mcp.answers import QueryAnswer, TraceAnswer
from mailtrace_mcp.views.page import page as written
from tests.journeys.story import stories

from .chromium import Browser, Page, program

# One mail with three fates and two notices, a list with an owner, a bounce and its way back over three
# hosts, a content filter, a mail that was greylisted.
STORIES = (
    "cluster-three-fates", "cluster-alias-with-owner", "cluster-bounce-three-hops",
    "cluster-content-filter", "cluster-greylisted",
)  # fmt: skip
Show = Callable[[TraceAnswer | QueryAnswer], Page]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    path = program()
    if path is None:
        pytest.skip("there is no Chromium here (Debian: apt-get install chromium)")
    opened = Browser(path, tmp_path_factory.mktemp("profile"))
    yield opened
    opened.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    opened = browser.page()
    yield opened
    opened.close()


@pytest.fixture
def show(tab: Page, tmp_path: Path) -> Show:
    """An answer → its page, shown."""

    def one(answer: TraceAnswer | QueryAnswer) -> Page:
        file = tmp_path / "page.html"
        file.write_text(written(answer))
        return tab.open(file)

    return one


@pytest.fixture(scope="session", params=STORIES)
def story_answer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> TraceAnswer:
    """What trace_mail answers to a story's first question, with all its log lines."""
    [told] = [one for one in stories(request.param) if one.name == request.param]
    return told.answer(told.expected["asks"][0], tmp_path_factory.mktemp("story"))
