"""A SQLite file, opened to be read and never to be written."""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from surf_data.daylight.sqlite.layouts import Table, tables
from surf_data.errors import MigrationError

_TABLES = """
SELECT name, sql LIKE '%WITHOUT ROWID%' FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'
"""
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
        names = {row[0].decode(): row[1] for row in self._rows(_TABLES)}
        known = {table.source: table for table in tables()}
        #: What is imported, parents first.
        self.tables: list[Table] = [table for name, table in known.items() if name in names]
        #: What is not known, and left alone.
        self.unknown: list[str] = sorted(set(names) - set(known))
        self._columns: dict[str, list[str]] = {}
        for table in self.tables:
            if names[table.source]:
                raise MigrationError(f"{path.name}: {table.source} is WITHOUT ROWID, which cannot be read in portions")
            columns = [row[1].decode() for row in self._rows(f'PRAGMA table_info("{table.source}")')]
            if table.columns[0] not in columns:
                raise MigrationError(f"{path.name}: {table.source} has no column {table.columns[0]}")
            self.unknown += [f"{table.source}.{column}" for column in columns if column not in table.columns]
            self._columns[table.source] = [column for column in table.columns if column in columns]
        if not self.tables:
            raise MigrationError(f"{path.name}: has none of the tables {', '.join(sorted(known))}")

    @property
    def layout(self) -> str:
        """The names of the tables that are imported."""
        return ",".join(table.source for table in self.tables)

    def positions(self, table: Table) -> dict[str, int]:
        """Return where in a row each column's storage class is; its value follows."""
        return {column: 1 + 2 * number for number, column in enumerate(self._columns[table.source])}

    def count(self, table: Table) -> int:
        """Return how many rows a table has."""
        count: int = self._rows(f'SELECT count(*) FROM "{table.source}"')[0][0]  # noqa: S608 - a name of ours
        return count

    def portion(self, table: Table, after: int, rows: int) -> Sequence[Any]:
        """Return rows behind a rowid in its order: the rowid, then storage class and value of each column."""
        columns = ", ".join(f'typeof("{column}"), "{column}"' for column in self._columns[table.source])
        statement = f'SELECT rowid, {columns} FROM "{table.source}" WHERE rowid > ? ORDER BY rowid LIMIT ?'  # noqa: S608
        return self._rows(statement, (after, rows))

    def _rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[Any]:
        try:
            return self._connection.execute(statement, parameters).fetchall()
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
        connection.text_factory = bytes
        try:
            connection.execute("BEGIN")
            sound = connection.execute("PRAGMA quick_check(1)").fetchone() == (b"ok",)
        except sqlite3.Error:
            # Also a WAL file beside it that needs a folder to be written to; a copy of all its files helps.
            sound = False
        if not sound:
            raise MigrationError(f"{path.name}: is damaged, or needs its WAL file: import a copy made by .backup")
        yield SourceFile(connection, path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
