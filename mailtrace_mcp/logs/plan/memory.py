"""What the rounds of one question need not ask a machine for again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from mailtrace_mcp.logs.plan.named import BlockMemory
from mailtrace_mcp.logs.rotation import Listed, Trouble
from mailtrace_mcp.logs.store import Stopped, Store
from mailtrace_mcp.logs.stored import Head, StoredFile, read_head


@dataclass
class Memory:
    """A listing is good for `fresh` seconds: rounds follow each other at once, and are about one
    moment. Heads are good as long as nothing was done to their files."""

    fresh: float
    blocks: BlockMemory = field(default_factory=BlockMemory)
    _listed_at: float = 0.0
    _listing: tuple[list[Listed], list[Trouble]] | None = None
    _heads: dict[Listed, Head] = field(default_factory=dict)

    def listed(
        self, store: Store, patterns: Sequence[str], stopped: Stopped
    ) -> tuple[list[Listed], list[Trouble]]:
        """The files of a place, with what is wrong with it. Raises StoreError."""
        if self._listing is None or time.monotonic() - self._listed_at > self.fresh:
            self._listing = store.listed(patterns, stopped)
            self._listed_at = time.monotonic()
        found, troubles = self._listing
        return list(found), list(troubles)

    def opened(self, store: Store, one: Listed, stopped: Stopped) -> StoredFile:
        """A file of the listing. Raises OSError, StoreError."""
        if one not in self._heads:
            self._heads[one] = read_head(store, one, stopped)
        return StoredFile(store, one, self._heads[one], stopped)

    def forget(self) -> None:
        """Something is no longer as it was listed."""
        self._listing = None
        self._heads.clear()
