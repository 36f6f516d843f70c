"""A TCP connection to a host of several addresses, some of which may be dead (RFC 8305)."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain, zip_longest

import anyio

HEAD_START = 0.25  # seconds until the next address is tried too; RFC 8305 section 5


_Found = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[str, int]]


async def dialled(host: str, port: int) -> socket.socket:
    """A connected socket, not blocking. Raises OSError: of the address that failed last, or
    socket.gaierror. Cancelling closes what is open."""
    return await first_there(await _looked_up(host, port))


async def _looked_up(host: str, port: int) -> Sequence[_Found]:
    """The addresses of a name, by the system's resolver. Raises socket.gaierror.

    The resolver cannot be interrupted, and takes as long as its servers: it goes on in a thread that
    nothing waits for, neither who is cancelled nor the end of the program.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Sequence[_Found]] = loop.create_future()

    def told(found: Sequence[_Found], error: OSError | None) -> None:
        if answer.done():  # nobody waits any more
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(found)

    def look_up() -> None:
        found, error = _addresses(host, port)
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(told, found, error)

    threading.Thread(target=look_up, name="name lookup", daemon=True).start()
    return await answer


def _addresses(host: str, port: int) -> tuple[Sequence[_Found], OSError | None]:
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), None  # type: ignore[return-value]
    except OSError as error:
        return (), error
    except ValueError:  # UnicodeError: a label that is empty or too long (RFC 5890 2.3.1)
        return (), socket.gaierror(socket.EAI_NONAME, "no host name")


async def first_there(found: Sequence[_Found]) -> socket.socket:
    """The addresses are tried one after the other, IPv6 and IPv4 by turns, each with a little head
    start; the first that answers is taken. Raises as `dialled`."""
    race = _Race()
    try:
        async with anyio.create_task_group() as tries:
            for family, _, proto, _, address in _by_turns(found):
                ended = anyio.Event()
                tries.start_soon(race.run, (family, proto), address, ended, tries.cancel_scope)
                with anyio.move_on_after(HEAD_START):
                    await ended.wait()
    except BaseException:
        race.close()
        raise
    if race.winner is None:
        raise race.error or OSError("no address")
    return race.winner


class _Race:
    """The first try that got there; it ends the others."""

    def __init__(self) -> None:
        self.winner: socket.socket | None = None
        self.error: OSError | None = None

    async def run(
        self,
        kind: tuple[int, int],
        address: tuple[str, int],
        ended: anyio.Event,
        all_tries: anyio.CancelScope,
    ) -> None:
        try:
            made = await _connected(*kind, address)
        except OSError as error:
            self.error = error
        else:
            if self.winner is None:
                self.winner = made
                all_tries.cancel()
            else:
                made.close()
        finally:
            ended.set()

    def close(self) -> None:
        if self.winner is not None:
            self.winner.close()


async def _connected(family: int, proto: int, address: tuple[str, int]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM, proto)
    try:
        made.setblocking(False)
        await asyncio.get_running_loop().sock_connect(made, address)
    except BaseException:
        made.close()
        raise
    return made


def _by_turns(found: Sequence[_Found]) -> list[_Found]:
    """The addresses with the families mixed, the preferred one first."""
    first = found[0][0] if found else None
    preferred = [one for one in found if one[0] == first]
    other = [one for one in found if one[0] != first]
    return [one for one in chain.from_iterable(zip_longest(preferred, other)) if one is not None]
