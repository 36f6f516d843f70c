"""The secret of a login: given in the configuration, or printed by a program."""

from __future__ import annotations

import os
import signal
from asyncio.subprocess import DEVNULL
from contextlib import suppress
from dataclasses import dataclass

import anyio
import anyio.abc

from mailtrace_mcp.config.values import Secret
from mailtrace_mcp.errors import Code, MailtraceError
from mailtrace_mcp.send.routes import Login, Mechanism

COMMAND_SECONDS = 10.0
_LONGEST = 16 << 10  # bytes; tokens of some providers reach 4 KB


@dataclass(frozen=True)
class Credentials:
    """What AUTH needs. The secret shows as stars wherever it is printed."""

    user: str
    secret: Secret
    mechanism: Mechanism


async def credentials(login: Login, seconds: float = COMMAND_SECONDS) -> Credentials:
    """The login with its secret. Runs `password_command` (no shell) and takes its first line.

    Raises MailtraceError SECRET_MISSING where there is none in time. What the program wrote is never
    shown: it may be the secret. Cancelling ends the program.
    """
    if login.secret is not None:
        try:  # of a variable: its bytes need not be UTF-8
            (login.user + login.secret.get_secret_value()).encode()
        except UnicodeEncodeError:
            words = "user or password of the profile is no UTF-8 text."
            raise MailtraceError(Code.SECRET_MISSING, words) from None
        return Credentials(login.user, login.secret, login.mechanism)
    if login.command is None:
        raise MailtraceError(Code.SECRET_MISSING, "the profile has a user and no password.")
    try:
        with anyio.fail_after(seconds):
            printed, status = await _run(login.command)
    except TimeoutError:
        raise _missing(f"gave nothing within {seconds:g} s") from None
    except OSError as error:
        raise _missing(f"cannot be started ({os.strerror(error.errno or 0)})") from None
    if len(printed) > _LONGEST:
        raise _missing(f"printed more than {_LONGEST >> 10} KB")
    if status != 0:
        raise _missing(f"ended with status {status}")
    line = printed.split(b"\n", 1)[0].rstrip(b"\r")
    if not line:
        raise _missing("printed no password in its first line")
    try:
        return Credentials(login.user, Secret(line.decode()), login.mechanism)
    except UnicodeDecodeError:
        raise _missing("printed what is no UTF-8 text") from None


async def _run(command: tuple[str, ...]) -> tuple[bytes, int]:
    """What the program prints, at most a little over the longest secret, and its exit status."""
    words = [_at_home(command[0]), *command[1:]]
    # Not interrupted while it starts: nobody would know it then, and end it.
    with anyio.CancelScope(shield=True):
        # stdout is the protocol in stdio mode, and so is stdin: the child gets neither.
        process = await anyio.open_process(
            words, stdin=DEVNULL, stderr=DEVNULL, start_new_session=True
        )
    async with process:
        try:
            return await _printed(process), await process.wait()
        finally:
            _end(process)
            # Its end is waited for here: whoever asks before asyncio does takes its status away, and
            # asyncio then warns of an unknown child.
            with anyio.CancelScope(shield=True):
                await process.wait()


async def _printed(process: anyio.abc.Process) -> bytes:
    printed = b""
    if process.stdout is not None:
        async for chunk in process.stdout:
            printed += chunk
            if len(printed) > _LONGEST:
                _end(process)
                break
    return printed


def _at_home(program: str) -> str:
    return os.path.expanduser(program)


def _end(process: anyio.abc.Process) -> None:
    """End the program with all that it started; it leads a session of its own."""
    if process.returncode is None:
        for end in (os.killpg, os.kill):
            with suppress(ProcessLookupError):
                end(process.pid, signal.SIGKILL)


def _missing(why: str) -> MailtraceError:
    return MailtraceError(
        Code.SECRET_MISSING, f"password_command {why}. Run it by hand and look at what it prints."
    )
