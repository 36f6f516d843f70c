"""The catalogue of an index in SQLite: files by identity and head, their blocks, segments and cursors.

Whoever changes it holds the index's lock (host.py); each change is one transaction.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mailtrace_mcp.logs.index.failures import BrokenCatalogueError, told
from mailtrace_mcp.logs.index.known import KnownBlock, KnownFile, KnownSegment, Span
from mailtrace_mcp.logs.stored import Head

_VERSION = 1
_MOST_ASKED = 500  # block numbers in one statement
_SCHEMA = """
CREATE TABLE facts(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE files(
  id INTEGER PRIMARY KEY AUTOINCREMENT, identity TEXT NOT NULL, size INTEGER NOT NULL, written REAL NOT NULL,
  begin INTEGER NOT NULL, cursor INTEGER NOT NULL, tail INTEGER NOT NULL,
  complete INTEGER NOT NULL,
  packing TEXT NOT NULL, packed_at INTEGER, hole INTEGER NOT NULL, stamp BLOB NOT NULL,
  first_line BLOB NOT NULL, mark BLOB NOT NULL, marked INTEGER NOT NULL, binary INTEGER NOT NULL,
  length INTEGER);
CREATE TABLE blocks(
  id INTEGER PRIMARY KEY, file INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL,
  low INTEGER, high INTEGER, floating INTEGER NOT NULL, mark INTEGER NOT NULL);
CREATE UNIQUE INDEX blocks_by_place ON blocks(file, offset);
CREATE INDEX blocks_by_low ON blocks(file, floating, low, offset);
CREATE INDEX blocks_by_high ON blocks(file, floating, high, offset);
CREATE TABLE segments(
  name TEXT PRIMARY KEY, data BLOB, pairs INTEGER NOT NULL,
  first INTEGER NOT NULL, last INTEGER NOT NULL);
"""
_BLOCK = "id, offset, length, low, high, floating, mark"
_WITHIN = """(low IS NULL OR high IS NULL
  OR (floating = 0 AND high >= :start AND low <= :end)
  OR (floating = 1 AND high >= :wall_start AND low <= :wall_end))"""

_EDGES = [
    f"""SELECT * FROM (SELECT {_BLOCK} FROM blocks WHERE file = :file AND floating = {floating}
      AND {inside} ORDER BY {order} LIMIT 1)"""  # noqa: S608  nothing of anybody else's
    for floating, inside, order in (
        (0, "high >= :start", "high, offset"),
        (1, "high >= :wall_start", "high, offset"),
        (0, "low <= :end", "low DESC, offset DESC"),
        (1, "low <= :wall_end", "low DESC, offset DESC"),
    )
]


class Catalogue:
    """One machine's catalogue; made where there is none. Threads may share it: what is done inside
    `look` or `change` is of one moment. Raises CatalogueError, and OSError where it cannot be opened."""

    def __init__(self, path: Path, block_size: int) -> None:
        self._lock = threading.RLock()
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        with told():
            self._sql = sqlite3.connect(
                path, timeout=2, isolation_level=None, check_same_thread=False
            )
        try:
            self._prepare(block_size)
        except BaseException:
            self._sql.close()
            raise

    def close(self) -> None:
        with self._lock:
            self._sql.close()

    def compact(self) -> None:
        """Gives back the room that a large change took beside the catalogue."""
        with self._lock, told():
            self._sql.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def look(self) -> Iterator[None]:
        """All that is read inside is of one moment."""
        with self._transaction("BEGIN"):
            yield

    @contextmanager
    def change(self) -> Iterator[None]:
        """All that is changed inside is changed, or nothing."""
        with self._transaction("BEGIN IMMEDIATE"):
            yield

    def version(self) -> tuple[int, int]:
        """Changes whenever the catalogue does."""
        with self._lock, told():
            by_others = self._sql.execute("PRAGMA data_version").fetchone()[0]
            return by_others, self._sql.total_changes

    def fact(self, name: str) -> int | None:
        query = "SELECT value FROM facts WHERE name = ?"
        row = self._sql.execute(query, (name,)).fetchone()
        return None if row is None else int(row[0])

    def put_fact(self, name: str, value: int) -> None:
        self._sql.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def files(self) -> list[KnownFile]:
        return [_file(row) for row in self._sql.execute("SELECT * FROM files ORDER BY id")]

    def file(self, number: int) -> KnownFile | None:
        row = self._sql.execute("SELECT * FROM files WHERE id = ?", (number,)).fetchone()
        return None if row is None else _file(row)

    def blocks(self, file: int, numbers: Iterable[int]) -> list[KnownBlock]:
        """Those of these blocks that the file has (still)."""
        wanted = list(dict.fromkeys(numbers))
        found: list[KnownBlock] = []
        for at in range(0, len(wanted), _MOST_ASKED):
            some = wanted[at : at + _MOST_ASKED]
            marks = ",".join("?" * len(some))
            found += self._blocks(f"file = ? AND id IN ({marks})", (file, *some))
        return found

    def blocks_within(self, file: int, span: Span | None) -> list[KnownBlock]:
        """The blocks of a file that may hold lines of a span; None: all."""
        if span is None:
            return self._blocks("file = ?", (file,))
        return self._blocks(f"file = :file AND {_WITHIN}", {"file": file, **span._asdict()})

    def edges(self, file: int, span: Span) -> list[KnownBlock]:
        """In a log that is in order, where the first and the last line of the span stand."""
        values = {"file": file, **span._asdict()}
        return self._read(" UNION ".join(_EDGES), values)

    def first_block(self, file: int) -> KnownBlock | None:
        found = self._blocks("file = ? ORDER BY offset LIMIT 1", (file,))
        return found[0] if found else None

    def next_block(self) -> int:
        """A number that no block has or had, as far as is known."""
        query = """SELECT 1 + max((SELECT coalesce(max(id), 0) FROM blocks),
          (SELECT coalesce(max(last), 0) FROM segments))"""
        return int(self._sql.execute(query).fetchone()[0])

    def segments(self) -> list[KnownSegment]:
        query = "SELECT name, data IS NOT NULL, pairs, first, last FROM segments ORDER BY last"
        return [
            KnownSegment(name, bool(inline), pairs, first, last)
            for name, inline, pairs, first, last in self._sql.execute(query)
        ]

    def segment_data(self, name: str) -> bytes:
        """The bytes of an inline segment; none of one that is gone."""
        row = self._sql.execute("SELECT data FROM segments WHERE name = ?", (name,)).fetchone()
        return b"" if row is None else bytes(row[0] or b"")

    def put_file(self, known: KnownFile) -> int:
        """Adds or replaces a file, and gives its number."""
        head = known.head
        row = (
            *(known.id or None, known.identity, known.size, known.written),
            *(known.begin, known.cursor, known.tail, known.complete),
            *(head.packing, head.packed_at, head.hole, head.stamp, head.first_line),
            *(head.mark, head.marked, head.binary, head.length),
        )
        marks = ",".join("?" * len(row))
        added = self._sql.execute(f"INSERT OR REPLACE INTO files VALUES ({marks})", row)  # noqa: S608
        return known.id or int(added.lastrowid or 0)

    def put_blocks(self, file: int, blocks: Sequence[KnownBlock]) -> None:
        query = f"INSERT INTO blocks(file, {_BLOCK}) VALUES (?,?,?,?,?,?,?,?)"  # noqa: S608
        self._sql.executemany(query, [(file, *block) for block in blocks])

    def put_segment(self, known: KnownSegment, data: bytes | None) -> None:
        row = (known.name, data, known.pairs, known.first, known.last)
        self._sql.execute("INSERT INTO segments VALUES (?,?,?,?,?)", row)

    def drop_file(self, number: int) -> None:
        self._sql.execute("DELETE FROM blocks WHERE file = ?", (number,))
        self._sql.execute("DELETE FROM files WHERE id = ?", (number,))

    def drop_blocks_from(self, file: int, offset: int) -> None:
        self._sql.execute("DELETE FROM blocks WHERE file = ? AND offset >= ?", (file, offset))

    def drop_blocks_before(self, file: int, offset: int) -> None:
        self._sql.execute("DELETE FROM blocks WHERE file = ? AND offset < ?", (file, offset))

    def drop_segments(self, names: Iterable[str]) -> None:
        query = "DELETE FROM segments WHERE name = ?"
        self._sql.executemany(query, [(name,) for name in names])

    def has_block_between(self, first: int, last: int) -> bool:
        query = "SELECT 1 FROM blocks WHERE id BETWEEN ? AND ? LIMIT 1"
        return self._sql.execute(query, (first, last)).fetchone() is not None

    def block_numbers(self, first: int, last: int) -> set[int]:
        """The blocks that there are (still) of these numbers."""
        query = "SELECT id FROM blocks WHERE id BETWEEN ? AND ?"
        return {number for (number,) in self._sql.execute(query, (first, last))}

    def _blocks(self, where: str, values: Any) -> list[KnownBlock]:
        return self._read(f"SELECT {_BLOCK} FROM blocks WHERE {where}", values)  # noqa: S608

    def _read(self, query: str, values: Any) -> list[KnownBlock]:
        return [
            KnownBlock(number, offset, length, low, high, bool(floating), mark)
            for number, offset, length, low, high, floating, mark in self._sql.execute(
                query, values
            )
        ]

    def _prepare(self, block_size: int) -> None:
        with told():
            self._sql.execute("PRAGMA journal_mode = WAL")
            self._sql.execute("PRAGMA synchronous = NORMAL")
        expected = {"version": _VERSION, "block_size": block_size}
        if not self._has_tables():
            with self.change():
                if not self._has_tables():
                    for statement in _SCHEMA.split(";")[:-1]:
                        self._sql.execute(statement)
                    for name, value in expected.items():
                        self.put_fact(name, value)
        with self.look():
            known = dict(self._sql.execute("SELECT name, value FROM facts").fetchall())
        if {name: known.get(name) for name in expected} != expected:
            raise BrokenCatalogueError("it is of another version")

    def _has_tables(self) -> bool:
        with self._lock, told():
            return bool(self._sql.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        with self._lock, told():
            self._sql.execute(begin)
            try:
                yield
                self._sql.execute("COMMIT")
            except BaseException:
                if self._sql.in_transaction:
                    self._sql.execute("ROLLBACK")
                raise


def _file(row: tuple[Any, ...]) -> KnownFile:
    number, identity, size, written, begin, cursor, tail, complete, *facts = row
    packing, packed_at, hole, stamp, first_line, mark, marked, binary, length = facts
    head = Head(packing, packed_at, hole, stamp, first_line, mark, marked, bool(binary), length)
    return KnownFile(number, identity, size, written, begin, cursor, tail, bool(complete), head)
