"""A way to a server that takes time, so that round trips can be counted: `python -m bench.distance`.

What takes k round trips more per question takes k × 40 ms more over a way of 40 ms.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.setting import ROOT

ROUND_TRIP = 0.04  # seconds


@contextmanager
def far(port: int) -> Iterator[int]:
    """A port of this machine that leads to another one of its ports, ROUND_TRIP away."""
    command = (sys.executable, "-m", "bench.distance", str(port))
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdin is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()  # then it ends


async def _serve(port: int) -> None:
    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        for one in (writer, back):
            one.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.gather(_carry(reader, back), _carry(there, writer))

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)  # whatever is on its way


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Bytes, each as late as half a round trip."""
    loop = asyncio.get_running_loop()
    way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        data = b"."
        while data:
            due, data = await way.get()
            await asyncio.sleep(due - loop.time())
            sink.write(data)
        sink.close()

    delivering = asyncio.create_task(deliver())
    data = b"."
    while data:
        try:
            data = await source.read(1 << 18)
        except ConnectionError:
            data = b""
        way.put_nowait((loop.time() + ROUND_TRIP / 2, data))
    await delivering


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
