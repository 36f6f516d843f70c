"""Why an index cannot be used: it is damaged, or this is not the time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

_BROKEN = (
    "SQLITE_CORRUPT",
    "SQLITE_NOTADB",
    "SQLITE_ERROR",  # a table or a column is missing
    "SQLITE_CONSTRAINT",
    "SQLITE_FORMAT",
    "SQLITE_IOERR_SHORT_READ",
)


class CatalogueError(Exception):
    """The catalogue cannot be used now: `str` says why."""


class BrokenCatalogueError(CatalogueError):
    """The catalogue is damaged, or of another version: it is to be made anew."""


class UnusableIndexError(Exception):
    """The question is to be answered without the index; `str` says why, in a few words."""


@contextmanager
def told() -> Iterator[None]:
    """SQLite's failures in our own words, told apart by whether the file is damaged."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        if name.startswith(_BROKEN):
            raise BrokenCatalogueError("it is damaged") from error
        words = "the disk is full" if name == "SQLITE_FULL" else str(error)
        raise CatalogueError(words) from error
