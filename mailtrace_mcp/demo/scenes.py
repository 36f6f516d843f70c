"""What the demo shows: one mail to three people followed to its ends, the same answer twice, a throttle."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any

import anyio
from mcp import Client

from mailtrace_mcp.answers import SendAnswer, TraceAnswer
from mailtrace_mcp.answers.trace_types import RecipientEnd
from mailtrace_mcp.demo.children import Children, Ran
from mailtrace_mcp.demo.cluster import BULK, Cluster
from mailtrace_mcp.demo.growing import Growing
from mailtrace_mcp.demo.report import attempts, paths, say
from mailtrace_mcp.demo.sites import BOUNCED, DEFERRED, DELIVERED, RECIPIENTS
from mailtrace_mcp.demo.throttle import Throttle

FOLLOW = 6  # seconds: two attempts for the one who is put off
EXPECTED = {DELIVERED: "sent", DEFERRED: "deferred", BOUNCED: "bounced"}
MAILS = 4
BULK_SEND = ("send", "--profile", BULK, "--to", DELIVERED, "--rate", str(MAILS))
_FOUND = (0, 1, 3)  # exit codes of a command that answered


class Scenes:
    """The scenes over one cluster; each gives whether it showed what it should."""

    def __init__(self, cluster: Cluster, throttle: Throttle) -> None:
        self._cluster, self._throttle = cluster, throttle
        self._children = Children(cluster.config)

    async def play(self) -> bool:
        """All of them. The throttled mails are on their way while the first one is followed."""
        began = datetime.now(UTC)
        async with self._children.client() as client:
            tools = ", ".join(tool.name for tool in (await client.list_tools()).tools)
            say(f"Protocol {client.protocol_version}; tools: {tools}", "")
            many = _Later(self._children, BULK_SEND)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(many.run)
                sent = await self._send_and_follow(client)
            if sent is None:
                return False
            await self._cluster.settled()
            same = await self._both_ways(client, sent, began)
        ended = {one.recipient: one.outcome for one in _ends(sent)}
        if ended != EXPECTED:
            say("", f"It did not end as it should: {ended}")
        return self._throttled(many.ran) and same and ended == EXPECTED

    async def _send_and_follow(self, client: Client) -> SendAnswer | None:
        """One mail to three people, and the tree as it grows."""
        asked = {"to": list(RECIPIENTS), "follow": True, "follow_seconds": FOLLOW}
        say(f"send_test_mail {json.dumps(asked)}", "", "What its progress notifications tell:", "")
        growing = Growing(say)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(growing.watch)
            result = await client.call_tool("send_test_mail", asked, progress_callback=growing)
            tasks.cancel_scope.cancel()
        growing.draw()
        said = "\n".join(one.text for one in result.content if one.type == "text")
        say("Its answer:", "", *(f"  {line}".rstrip() for line in said.split("\n")))
        if result.is_error or result.structured_content is None:
            return None
        return SendAnswer.model_validate(result.structured_content)

    async def _both_ways(self, client: Client, sent: SendAnswer, began: datetime) -> bool:
        """trace_mail and `mailtrace-mcp trace`: one object. The window is one that is over."""
        reach = ceil((datetime.now(UTC) - began) / timedelta(seconds=2)) + 1
        middle = (datetime.now(UTC) - timedelta(seconds=reach)).isoformat(timespec="milliseconds")
        message_id, span = sent.records[0].message_id, f"{reach}s"
        asked = {"message_id": message_id, "time": middle, "time_range": span}
        command = ("trace", "--message-id", message_id, "--time", middle, "--time-range", span)
        say("", "The same mail once more, by trace_mail and by the command line:", "")
        say(f"$ mailtrace-mcp {shlex.join(command)} --json", "")
        structured = (await client.call_tool("trace_mail", asked)).structured_content
        told = await self._children.command(*command, "--json")
        if structured is None or told.code not in _FOUND:
            say(f"That failed: exit code {told.code}.")
            return False
        answer: dict[str, Any] = structured
        say(*paths(TraceAnswer.model_validate(answer)), "")
        equal = bool(answer == json.loads(told.out))
        say(f"--json and structuredContent are the same object: {'yes' if equal else 'NO'}")
        return equal

    def _throttled(self, ran: Ran) -> bool:
        """More mails than a server takes at once: refused for now, tried again, accepted."""
        bucket = (
            f"{self._throttle.burst} mails at once and then {self._throttle.per_minute:g} a minute"
        )
        say(
            "",
            f"Meanwhile the command line sent {MAILS} mails to a server that takes {bucket}:",
            "",
        )
        say(f"$ mailtrace-mcp {shlex.join(BULK_SEND)}", "")
        say(*attempts(self._children.audit.read_text(), BULK))
        say("", f"  {ran.out.partition(chr(10))[0]}")
        said = self._throttle.said
        say(f"  The server refused for now {len(said)} times: {', '.join(map(str, said))}.")
        return ran.code == 0 and bool(said)


class _Later:
    """A command that runs beside something else."""

    def __init__(self, children: Children, command: tuple[str, ...]) -> None:
        self._children, self._command = children, command
        self.ran = Ran(1, "")

    async def run(self) -> None:
        self.ran = await self._children.command(*self._command)


def _ends(sent: SendAnswer) -> Iterator[RecipientEnd]:
    if sent.trace is not None:
        for trace in sent.trace.traces:
            yield from trace.recipients
