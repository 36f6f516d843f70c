"""Another machine's journal, read over SSH."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mailtrace_mcp.config import Host
from mailtrace_mcp.errors import Code
from mailtrace_mcp.logs.journal import why_not
from mailtrace_mcp.logs.ssh import commands, listing
from mailtrace_mcp.logs.ssh.login import login
from mailtrace_mcp.logs.ssh.machine import Machine
from mailtrace_mcp.logs.ssh.marks import Mark
from mailtrace_mcp.logs.ssh.pool import POOL
from mailtrace_mcp.logs.ssh.running import Running, TooMuchError, run
from mailtrace_mcp.logs.store import Stopped, StoreError


def remote_journal(host: Host, most: int) -> RemoteJournal:
    """The journal of a configured host. Nothing is dialled before it is asked."""
    return RemoteJournal(lambda: POOL.machine(login(host)), most)


class RemoteJournal:
    """See Journal. `most`: the bytes that are fetched for one reading."""

    def __init__(self, reach: Callable[[], Machine], most: int) -> None:
        self._reach = reach
        self._most = most

    def entries(self, since: int, until: int, stopped: Stopped) -> Iterator[bytes]:
        machine = self._reach()
        facts = machine.facts(stopped)
        if facts is None:
            words = "Its journal is read by a command, and it allows none (docs/hosts.md)."
            raise StoreError(Code.REMOTE_COMMAND_FAILED, words)
        shown: list[Running] = []
        request = commands.journal(since, until)
        connection = machine.connection
        before: list[bytes] | None = []
        try:
            for piece in run(
                connection, facts.form, request, most=self._most, stopped=stopped, look=shown.append
            ):
                if isinstance(piece, Mark):
                    yield b"".join(before or ())
                    before = None
                elif before is None:
                    yield piece
                else:
                    before.append(piece)
        except PermissionError:
            words = "The command that reads its log does not allow the journal (docs/hosts.md)."
            raise StoreError(Code.FILE_DENIED, words) from None
        except OSError:
            raise why_not(1, shown[0].said) or listing.lie() from None
        except TooMuchError:
            raise listing.too_much(self._most) from None
        failed = why_not(0, shown[0].said)
        if failed is not None:
            raise failed
