"""A SQLite file, opened to be read and never to be written."""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from surf_data.daylight.sqlite.layouts import Table, tables
from surf_data.errors import MigrationError

_TABLES = """
SELECT name, sql LIKE '%WITHOUT ROWID%' FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'
"""
# What is no UTF-8 comes as lone surrogates.
_decoded = partial(str, encoding="utf-8", errors="surrogateescape")
_HEADER = b"SQLite format 3\0"


class SourceFile:
    """The tables of a file that are known, in one read transaction.

    Arguments:
        connection: the open file.
        path: where it is.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self.path = path
        #: Its SHA-256.
        self.fingerprint: str = _digest(path)
        names = dict(self._rows(_TABLES))
        known = {table.source: table for table in tables()}
        #: What is imported, parents first.
        self.tables: list[Table] = [table for name, table in known.items() if name in names]
        #: What is not known, and left alone.
        self.unknown: list[str] = sorted(set(names) - set(known))
        # By table, what is selected of it, and the key, if it is unique.
        self._columns: dict[str, str] = {}
        self._unique: dict[str, str] = {}
        for table in self.tables:
            if names[table.source]:
                raise MigrationError(f"{path.name}: {table.source} is WITHOUT ROWID, which cannot be read in portions")
            # By column, its place in the primary key.
            columns = {row[1]: row[5] for row in self._rows(f'PRAGMA table_info("{table.source}")')}
            if table.columns[0] not in columns:
                raise MigrationError(f"{path.name}: {table.source} has no column {table.columns[0]}")
            self.unknown += [f"{table.source}.{column}" for column in columns if column not in table.columns]
            self._columns[table.source] = ", ".join(
                f'"{column}"' if column in columns else "NULL" for column in table.columns
            )
            if [column for column, place in columns.items() if place] == [table.columns[0]]:
                self._unique[table.source] = table.columns[0]
        if not self.tables:
            raise MigrationError(f"{path.name}: has none of the tables {', '.join(sorted(known))}")

    @property
    def layout(self) -> str:
        """The names of the tables that are imported."""
        return ",".join(table.source for table in self.tables)

    def count(self, table: Table) -> int:
        """Return how many rows a table has."""
        count: int = self._rows(f'SELECT count(*) FROM "{table.source}"')[0][0]  # noqa: S608 - a name of ours
        return count

    def extent(self, table: Table) -> tuple[str, str] | None:
        """Return the first and the last id that a table's rows can have; ``None`` if two may have the same."""
        key = self._unique.get(table.source)
        # In UTF-16 texts have another order than the server's.
        if key is None or self._rows("PRAGMA encoding") != [("UTF-8",)]:
            return None
        bounds = f'min("{key}" COLLATE BINARY), max("{key}" COLLATE BINARY)'
        return table.extent(*self._rows(f'SELECT {bounds} FROM "{table.source}"')[0])  # noqa: S608 - names of ours

    def portion(self, table: Table, after: int | None, rows: int) -> Sequence[Any]:
        """Return rows in the order of their rowids: the rowid, then the table's columns, null where there is none.

        Arguments:
            table: whose rows.
            after: the rowid behind which they are; ``None`` from the first on.
            rows: how many at the most.
        """
        columns = self._columns[table.source]
        behind = "" if after is None else "WHERE rowid > :after"
        statement = f'SELECT rowid, {columns} FROM "{table.source}" {behind} ORDER BY rowid LIMIT :rows'  # noqa: S608
        return self._rows(statement, {"after": after, "rows": rows})

    def _rows(self, statement: str, parameters: dict[str, Any] | None = None) -> list[Any]:
        try:
            return self._connection.execute(statement, parameters or {}).fetchall()
        except sqlite3.Error as error:
            problem = MigrationError(f"{self.path.name}: cannot be read: {type(error).__name__}")
        # Raised outside the handler: the driver's text may hold data.
        raise problem


@contextmanager
def opened(path: Path) -> Iterator[SourceFile]:
    """Open a file for a block.

    Raises:
        MigrationError: it is missing, no SQLite file, damaged, or has none of the known tables.
    """
    problem = "is no SQLite file"
    try:
        with path.open("rb") as file:
            header = file.read(len(_HEADER))
    except OSError as error:
        header, problem = b"", f"cannot be read: {type(error).__name__}"
    if header != _HEADER:
        raise MigrationError(f"{path.name}: {problem}")
    connection = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, isolation_level=None)
    with closing(connection):
        connection.text_factory = _decoded
        try:
            connection.execute("BEGIN")
            sound = connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
        except sqlite3.Error:
            # Also a WAL file beside it that needs a folder to be written to; a copy of all its files helps.
            sound = False
        if not sound:
            raise MigrationError(f"{path.name}: is damaged, or needs its WAL file: import a copy made by .backup")
        yield SourceFile(connection, path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
