"""The index at work in one reading: files opened by what it knows of them, brought up to date, asked.

Whatever is wrong with it, the reading goes on without it; `note` says so.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta, tzinfo

from mailtrace_mcp.logs import Term
from mailtrace_mcp.logs.index.failures import UnusableIndexError
from mailtrace_mcp.logs.index.following import Following
from mailtrace_mcp.logs.index.host import HostIndex
from mailtrace_mcp.logs.index.known import Look, Want, span_of
from mailtrace_mcp.logs.index.recognising import opened
from mailtrace_mcp.logs.index.tidying import expire_now_and_then, tidy
from mailtrace_mcp.logs.index.writing import RotatedError, StoppedError, Writer
from mailtrace_mcp.logs.logfile import ShrunkError
from mailtrace_mcp.logs.plan.ways import Measures
from mailtrace_mcp.logs.rotation import Listed
from mailtrace_mcp.logs.store import Stopped, Store
from mailtrace_mcp.logs.stored import StoredFile
from mailtrace_mcp.logs.unpack import CorruptError
from mailtrace_mcp.trace.coverage import Window
from mailtrace_parsers.keys import address_key, domain_key, message_id_key, queue_id_key

_KEYS = {
    "address": address_key,
    "domain": domain_key,
    "queue_id": queue_id_key,
    "message_id": message_id_key,
}


@dataclass
class Indexed:
    """What the index of a machine gives to one reading of the files of a listing. What is older than
    `kept` (None: nothing is too old) is not put into it, and forgotten."""

    index: HostIndex
    store: Store
    measures: Measures
    patterns: Sequence[str]
    listing: Sequence[Listed]
    stopped: Stopped
    kept: timedelta | None = None
    note: str | None = None
    _following: Following | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        with self._noted():
            self._following = Following(
                self.index, self.store, self.patterns, self.listing, self.stopped
            )

    def opened(self, one: Listed) -> StoredFile:
        """A file in as few round trips as what is known of it allows. Raises OSError, StoreError."""
        if self._following is None:
            return opened(self.store, one, self.stopped)
        return self._following.opened(one, self.measures.behind)

    def update(self, files: Sequence[StoredFile], held: bool) -> None:
        """Indexes what is new in these files, unless it is much, or somebody else is writing; `held` as
        in Following.bring. Raises StoreError."""
        following = self._following
        if following is None:
            return
        before = 0.0 if self.kept is None else time.time() - self.kept.total_seconds()
        young = (file for file in files if file.listed.written >= before)
        behind = [file for file in young if following.lacks(file)]
        if not 0 < sum(map(following.lacks, behind)) <= self.measures.behind:
            return
        with self._noted(), self.index.writing() as catalogue:
            if catalogue is None or not following.is_up_to_date():
                return
            writer = Writer(self.index, catalogue)
            for file in behind:
                # Who reads the file to answer is told of what is wrong with it.
                with suppress(StoppedError, RotatedError, ShrunkError, CorruptError, OSError):
                    following.bring(writer, file, file.head.hole, held=held)
            tidy(writer)
            if self.kept is not None:
                expire_now_and_then(writer, int(before * 1e6))

    def look(
        self,
        file: StoredFile,
        terms: Sequence[Term],
        window: Window,
        slack: timedelta,
        zone: tzinfo,
    ) -> Look | None:
        """What the index says of a file; None if it says nothing."""
        known = None if self._following is None else self._following.known(file)
        if known is None:
            return None
        whole = (file.size if file.plain else known.cursor) <= self.measures.small
        wants = [
            Want(_key(term), None if whole else span_of(term.window.widened(slack), zone))
            for term in terms
            if term.kind == "everything" or (term.text and "\n" not in term.text)
        ]
        with self._noted():
            return self.index.look(known, wants, span_of(window, zone))
        return None

    def forget(self, file: StoredFile) -> None:
        """What is known of a file is not so."""
        with self._noted(), self.index.writing() as catalogue:
            if catalogue is not None and self._following is not None:
                self._following.forget(Writer(self.index, catalogue), file)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except UnusableIndexError as error:
            self.note = str(error)
            self._following = None


def _key(term: Term) -> bytes | None:
    key_of = _KEYS.get(term.kind)
    return None if key_of is None else key_of(term.text.encode("utf-8", "surrogateescape"))
