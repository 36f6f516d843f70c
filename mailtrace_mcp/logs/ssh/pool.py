"""The hosts that this process is connected to: kept over calls, closed when idle and at exit."""

from __future__ import annotations

import atexit
import threading

from mailtrace_mcp.logs.ssh.connection import Connection
from mailtrace_mcp.logs.ssh.keeper import Keeper
from mailtrace_mcp.logs.ssh.login import Login
from mailtrace_mcp.logs.ssh.machine import Machine


class Pool:
    """Hosts are reached by their login, which only the configuration makes: no name from a log or a
    reply gets here."""

    def __init__(self) -> None:
        self._keeper = Keeper()
        self._lock = threading.Lock()
        self._machines: dict[Login, Machine] = {}

    def machine(self, login: Login) -> Machine:
        """The host of a login; nothing is dialled before it is used."""
        with self._lock:
            known = self._machines.get(login)
            if known is None:
                known = self._machines[login] = Machine(Connection(login, self._keeper))
        self._keeper.every_few_seconds(self._tidy)
        return known

    def close(self) -> None:
        """Ends all transports."""
        with self._lock:
            found = list(self._machines.values())
            self._machines.clear()
        for one in found:
            one.connection.close()
        self._keeper.no_more_chores()

    def _tidy(self) -> bool:
        """Closes what is idle; whether there is anything to look after."""
        with self._lock:
            found = list(self._machines.values())
        for one in found:
            one.connection.close_if_idle()
        return bool(found)


POOL = Pool()
atexit.register(POOL.close)
