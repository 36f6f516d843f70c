"""One machine with all hosts whose lines lie there: reached once, then its logs are looked at."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime

from mailtrace_mcp.checks import files, indexes, journals, looking, timezones
from mailtrace_mcp.checks.failing import failure
from mailtrace_mcp.checks.finding import Several, Sheet, good
from mailtrace_mcp.config import Config, Host
from mailtrace_mcp.logs.journal import Journal
from mailtrace_mcp.logs.local import LocalStore
from mailtrace_mcp.logs.local_journal import LocalJournal
from mailtrace_mcp.logs.open import by_name
from mailtrace_mcp.logs.store import Stopped, Store, StoreError


class Machine:
    """The hosts of one place (Logs.place), each with its sheet. `now` is aware."""

    def __init__(
        self, config: Config, hosts: Sequence[Host], now: datetime, stopped: Stopped
    ) -> None:
        self.sheets = {host.name: Sheet(host.name) for host in hosts}
        self._config = config
        self._hosts = hosts
        self._now = now
        self._stopped = stopped
        self._place = hosts[0].logs.place
        self._holder = hosts[0] if self._place == "local" else config.hosts[self._place]
        self._told: str | None = None  # its time zone, as it says itself
        self._ahead = 0.0
        self._looked: dict[tuple[str, ...], looking.Files] = {}
        for sheet in self.sheets.values():
            sheet.begin("reachable")

    def examine(self) -> None:
        """Fills the sheets. Blocks; ends soon after `stopped` says so."""
        together = Several(list(self.sheets.values()))
        if self._place == "local":
            together.add(good("reachable", "Its log is on this machine."))
        else:
            # Only here, where there is such a host: paramiko takes a tenth of a second to import.
            from mailtrace_mcp.checks.reach import reach

            try:
                facts = reach(together, self._holder, self._stopped)
            except StoreError:
                together.begin()
                return
            if facts is not None:
                self._told, self._ahead = facts.zone, facts.ahead or 0.0
        together.begin("files", "lines")
        for host in self._hosts:
            sheet = self.sheets[host.name]
            try:
                self._logs(host, sheet)
            except StoreError as error:
                sheet.add(failure("files", error))
            sheet.begin()

    def _logs(self, host: Host, sheet: Sheet) -> None:
        if host.logs.kind == "journald":
            zone = self._config.zone
            journals.look(sheet, self._journal(), zone, self._ahead, self._now, self._stopped)
        else:
            self._files(host, sheet)

    def _files(self, host: Host, sheet: Sheet) -> None:
        sheet.begin("files", "lines")
        store, zone = self._store(), timezones.effective(host, self._told)
        if host.logs.files not in self._looked:
            self._looked[host.logs.files] = looking.listed(store, host.logs.files, self._stopped)
        seen = looking.with_ends(self._looked[host.logs.files], zone)
        shown = self._shown()
        sheet.add(files.readable(seen, host, shown))
        sheet.add(files.span(seen, zone, self._config.zone, self._ahead, self._now))
        sheet.begin("format")
        if (form := files.form(seen)) is not None:
            sheet.add(form)
        if by_name(host, self._config) and (names := files.names(seen, host, self._config)):
            sheet.add(names)
        if seen.opened:
            sheet.add(timezones.check(host, self._told, seen.floating, self._now))
        sheet.begin("index")
        sheet.add(indexes.check(self._config, host, store, seen.listing, self._now))

    def _store(self) -> Store:
        if self._place == "local":
            return LocalStore()
        from mailtrace_mcp.logs.ssh.remote_store import remote_store

        return remote_store(self._holder, self._config.limits.bytes_per_host)

    def _journal(self) -> Journal:
        if self._place == "local":
            return LocalJournal()
        from mailtrace_mcp.logs.ssh.remote_journal import remote_journal

        return remote_journal(self._holder, self._config.limits.bytes_per_host)

    def _shown(self) -> Callable[[str], str]:
        """How a path is shown: one of this machine from the configuration's folder on."""
        if self._place != "local":
            return lambda path: path
        folder = os.path.abspath(self._config.path.parent).rstrip("/") + "/"
        return lambda path: path.removeprefix(folder)


def machines(
    config: Config, hosts: Sequence[str], now: datetime, stopped: Stopped
) -> list[Machine]:
    """The machines that hold the logs of these hosts; this one once for each set of files, so that none
    waits for a file system that hangs."""
    places: dict[tuple[str, ...], list[Host]] = {}
    for name in hosts:
        logs = config.hosts[name].logs
        files = logs.files if logs.place == "local" else ()
        places.setdefault((logs.place, *files), []).append(config.hosts[name])
    return [Machine(config, some, now, stopped) for some in places.values()]
