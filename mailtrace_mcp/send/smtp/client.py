"""aiosmtplib's client, that writes down what it says and hears, and notices what it did not ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import aiosmtplib
from aiosmtplib.typing import Default

from mailtrace_mcp.send.dialogue import Dialogue

_KEPT = 1000  # bytes of what nobody asked for


class UnaskedReplyError(aiosmtplib.SMTPException):
    """The server spoke before it was asked. Which of its replies answers what cannot be told any more:
    whoever goes on may take a yes that was made up beforehand for the answer to the final dot."""


class Client(aiosmtplib.SMTP):
    """Commands one at a time. Each raises UnaskedReplyError, and is not said, if the server has spoken
    already (RFC 5321 4.3.1: it may not, but for a 421 when it shuts down)."""

    dialogue: Dialogue
    in_auth = False
    lost_by: Exception | None = (
        None  # why the connection was lost, also where nobody waited for anything
    )
    _asked = False
    _unasked = b""

    def watch(self) -> None:
        """After the greeting: from now on nothing is heard that was not asked for."""
        protocol = self.protocol
        if protocol is None:
            return
        known, lost = protocol.data_received, protocol.connection_lost

        def data_received(data: bytes) -> None:
            waiter = protocol._response_waiter
            if self._asked and waiter is not None and not waiter.done():
                known(data)
            else:
                self._unasked += data[:_KEPT]

        def connection_lost(error: Exception | None) -> None:
            self.lost_by = error
            lost(error)

        protocol.data_received = data_received  # type: ignore[method-assign]
        protocol.connection_lost = connection_lost  # type: ignore[method-assign, assignment]

    @property
    def unasked(self) -> bytes:
        """What the server said without being asked, as far as it is here."""
        rest = bytes(self.protocol._buffer[:_KEPT]) if self.protocol is not None else b""
        return (self._unasked + rest)[:_KEPT]

    async def look_up(self) -> None:
        """Take in what has come by now, and raise UnaskedReplyError if that is anything."""
        # One round of the loop sees that there is something, the next one reads it.
        await _rounds(2)
        if not self.is_connected:  # why is told to TLS in a third one, and to us in a fourth
            await _rounds(2)
        if said := self.unasked:
            raise UnaskedReplyError(said.decode("utf-8", "surrogateescape"))

    @contextmanager
    def asking(self) -> Iterator[None]:
        """In here the server has been asked."""
        self._asked = True
        try:
            yield
        finally:
            self._asked = False

    async def execute_command(
        self,
        *args: bytes,
        timeout: float | Literal[Default.token] | None = Default.token,  # noqa: ASYNC109  its name
    ) -> aiosmtplib.SMTPResponse:
        await self.look_up()
        if self.in_auth:
            self.dialogue.said_in_auth(args)
        else:
            self.dialogue.said(b" ".join(args).decode("utf-8", "surrogateescape"))
        with self.asking():
            response = await super().execute_command(*args, timeout=timeout)
        self.dialogue.heard(response.code, response.message)
        return response


async def _rounds(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)
