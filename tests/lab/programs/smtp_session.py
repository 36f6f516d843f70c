"""A small SMTP server for the lab: the dialogue only; what is answered is the caller's.

It exists because the lab's outside servers must answer as other vendors do and must refuse on
purpose, which a well-behaved server of a package will not.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

PATH = re.compile(r"(?:FROM|TO):\s*<(.*?)>\s*(.*)", re.IGNORECASE)


@dataclass
class Envelope:
    """One mail of a session, as the client gave it; `options` are the words after MAIL FROM:<>."""

    peer: str
    address: str
    helo: str = ""
    sender: str = ""
    options: str = ""
    recipients: list[str] = field(default_factory=list)
    data: bytes = b""


class Policy:
    """What a server answers. The methods give one reply each; override those that matter."""

    name = "lab.example"
    extensions: Sequence[str] = ("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 10485760")

    async def recipient(self, envelope: Envelope, recipient: str) -> str:
        """The reply to RCPT TO; a 2xx takes the recipient."""
        return "250 2.1.5 Ok"

    async def message(self, envelope: Envelope) -> str:
        """The reply to the final dot."""
        return "250 2.0.0 Ok"


class Session:
    """One client's connection."""

    def __init__(
        self, policy: Policy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.policy, self.reader, self.writer = policy, reader, writer
        self.helo = ""
        self.envelope = self._fresh()

    def _fresh(self) -> Envelope:
        peer, address = (self.writer.get_extra_info(each)[0] for each in ("peername", "sockname"))
        return Envelope(peer=peer, address=address, helo=self.helo)

    async def serve(self) -> None:
        """Talk until QUIT or until the client goes."""
        await self._say(f"220 {self.policy.name} ESMTP")
        while line := await self.reader.readline():
            verb, _, rest = line.decode("utf-8", "surrogateescape").strip().partition(" ")
            answer = getattr(self, "on_" + verb.lower(), None)
            await self._say(await answer(rest) if answer else "502 5.5.2 Command not recognized")
            if verb.upper() == "QUIT":
                break
        self.writer.close()

    async def _say(self, reply: str) -> None:
        self.writer.write(reply.encode("utf-8", "surrogateescape") + b"\r\n")
        await self.writer.drain()

    async def on_ehlo(self, rest: str) -> str:
        self.helo, words = rest, [self.policy.name, *self.policy.extensions]
        self.envelope = self._fresh()
        return "\r\n".join(["250-" + each for each in words[:-1]] + ["250 " + words[-1]])

    async def on_helo(self, rest: str) -> str:
        self.helo = rest
        return "250 " + self.policy.name

    async def on_mail(self, rest: str) -> str:
        self.envelope = self._fresh()
        match = PATH.match(rest)
        if not match:
            return "501 5.5.4 Syntax: MAIL FROM:<address>"
        self.envelope.sender, self.envelope.options = match.groups()
        return "250 2.1.0 Ok"

    async def on_rcpt(self, rest: str) -> str:
        match = PATH.match(rest)
        if not match:
            return "501 5.5.4 Syntax: RCPT TO:<address>"
        reply = await self.policy.recipient(self.envelope, match[1])
        if reply.startswith("2"):
            self.envelope.recipients.append(match[1])
        return reply

    async def on_data(self, rest: str) -> str:
        if not self.envelope.recipients:
            return "554 5.5.1 Error: no valid recipients"
        await self._say("354 End data with <CR><LF>.<CR><LF>")
        lines = []
        while (line := await self.reader.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        self.envelope.data = b"".join(lines)
        return await self.policy.message(self.envelope)

    async def on_rset(self, rest: str) -> str:
        self.envelope = self._fresh()
        return "250 2.0.0 Ok"

    async def on_noop(self, rest: str) -> str:
        return "250 2.0.0 Ok"

    async def on_quit(self, rest: str) -> str:
        return "221 2.0.0 Bye"


async def listen(policy: Policy, address: str, port: int) -> asyncio.Server:
    """Serve a policy at one address; the server runs as long as the event loop."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await Session(policy, reader, writer).serve()
        except ConnectionError:
            writer.close()

    return await asyncio.start_server(handle, address, port)
