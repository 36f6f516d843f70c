"""What every tool does: ask one function of questions, and show its answer or why there is none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, TextContent

from mailtrace_mcp.answers import as_json
from mailtrace_mcp.answers.parts import Part
from mailtrace_mcp.config import Config
from mailtrace_mcp.errors import MailtraceError
from mailtrace_mcp.logs.gather import Progress
from mailtrace_mcp.server.configuration import Configuration
from mailtrace_mcp.server.strict import refused

Question = TypeVar("Question")
Answer = TypeVar("Answer", bound=Part)
Asked = Callable[[Config, Question, datetime, Progress | None], Awaitable[Answer]]


async def answered(
    configuration: Configuration,
    ctx: Context,
    ask: Asked[Question, Answer],
    question: Callable[[], Question],
    text: Callable[[Answer], str],
    failed: Callable[[Answer], str | None] = lambda _: None,
) -> CallToolResult:
    """The result of a tool. `failed` gives the error in an answer that is one, beginning with its code:
    the client gets both, the error and all that is known."""
    try:
        config = await configuration.get()
        answer = await ask(config, question(), datetime.now(UTC), _Progress(ctx))
    except MailtraceError as error:
        return refused(error)
    error_words = failed(answer)
    said = text(answer) if error_words is None else f"{error_words}\n\n{text(answer)}"
    return CallToolResult(
        content=[TextContent(text=said)],
        structured_content=as_json(answer),
        is_error=error_words is not None,
    )


class _Progress:
    """Progress to the client; its numbers only grow, however often hosts are asked again."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.told = 0

    async def __call__(self, done: int, total: int, said: str) -> None:
        self.told += 1
        await self.ctx.report_progress(self.told, total if self.told <= total else None, said)
