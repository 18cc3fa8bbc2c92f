"""Loads folders of .sql files into query functions, by aiosql."""

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import aiosql
import attrs
import psycopg
from aiosql.adapters.pyformat import PyFormatAdapter
from aiosql.queries import Queries
from aiosql.query_loader import QueryLoader
from aiosql.types import SQLOperationType
from psycopg.rows import tuple_row

from surf_data.errors import QueryFileError
from surf_data.postgres.execution import Executor, Statement, Stream
from surf_data.postgres.rows import RowFactory
from surf_data.postgres.sqlfile import QueryHeader, SqlFile

# The tag stands after the first keyword: pg_stat_statements of PostgreSQL 18 loses one that comes first, and a long
# statement's end is cut off.
_FIRST_KEYWORD = re.compile(r"\A[\s(]*\w+")
_COPY = re.compile(r"\A\s*COPY\b", re.IGNORECASE)


class Adapter(PyFormatAdapter):
    """Stands between aiosql's query functions and an `Executor`: knows each statement by its text.

    Arguments:
        application: the first half of the tag that goes to the server with each statement.
    """

    def __init__(self, application: str) -> None:
        super().__init__()
        self._application = application
        self._statements: dict[str, Statement] = {}
        #: The header and row class of the file that is being loaded, by full query name.
        self.headers: dict[str, tuple[QueryHeader, type[attrs.AttrsInstance] | None]] = {}

    def process_sql(self, query_name: str, op_type: SQLOperationType, sql: str) -> str:
        """Return what is sent: ``%`` doubled, ``:name`` as psycopg wants it, tagged."""
        # A % is data or an operator; psycopg would take it for a placeholder.
        sql = super().process_sql(query_name, op_type, sql.replace("%", "%%"))
        # The tag comes after the parameters, because its colon would be read as one.
        sql = _FIRST_KEYWORD.sub(rf"\g<0> /* {self._application}:{query_name} */", sql).rstrip().rstrip(";")
        header, row = self.headers[query_name]
        factory = tuple_row if row is None else RowFactory(row, str(header.file), header.line)
        self._statements[sql] = Statement(name=query_name, sql=sql, row_factory=factory)
        return sql

    def select(self, conn: Executor, query_name: str, sql: str, parameters: Any, record_class: Any = None) -> Any:
        """Run a query without operator: return the list of its rows."""
        return conn.run(self._statements[sql], parameters, _all_rows)

    def select_one(self, conn: Executor, query_name: str, sql: str, parameters: Any, record_class: Any = None) -> Any:
        """Run a ``^`` query: return its first row, ``None`` without one."""
        return conn.run(self._statements[sql], parameters, _first_row)

    def select_value(self, conn: Executor, query_name: str, sql: str, parameters: Any) -> Any:
        """Run a ``$`` query: return the first column of its first row, ``None`` without one."""
        return conn.run(self._statements[sql], parameters, _first_value)

    def select_cursor(  # type: ignore[override]
        self, conn: Executor, query_name: str, sql: str, parameters: Any
    ) -> AbstractContextManager[Stream]:
        """Run the ``..._cursor`` form of a query: return a context that yields its rows as a `Stream`."""
        return conn.stream(self._statements[sql], parameters)

    def insert_update_delete(self, conn: Executor, query_name: str, sql: str, parameters: Any) -> Any:
        """Run a ``!`` query: return how many rows it changed."""
        return conn.run(self._statements[sql], parameters, _row_count)

    def insert_returning(self, conn: Executor, query_name: str, sql: str, parameters: Any) -> Any:
        """Run a ``<!`` query: return the first row of its RETURNING clause."""
        return conn.run(self._statements[sql], parameters, _first_row)

    def execute_script(self, conn: Executor, sql: str) -> Any:
        """Run a ``#`` query: return a writer context for COPY, else the server's status text."""
        statement = self._statements[sql]
        if _COPY.match(statement.sql):
            return conn.copy(statement)
        return conn.run(statement, {}, _status)


def _all_rows(cursor: psycopg.Cursor[Any]) -> list[Any]:
    return cursor.fetchall()


def _first_row(cursor: psycopg.Cursor[Any]) -> Any:
    return cursor.fetchone()


def _first_value(cursor: psycopg.Cursor[Any]) -> Any:
    row = cursor.fetchone()
    return None if row is None else row[0]


def _row_count(cursor: psycopg.Cursor[Any]) -> int:
    return cursor.rowcount


def _status(cursor: psycopg.Cursor[Any]) -> str | None:
    return cursor.statusmessage


def load_queries(
    folder: Path,
    *,
    namespace: str = "",
    application: str = "surf_data",
    rows: Mapping[str, type[attrs.AttrsInstance]] | None = None,
) -> Any:
    """Load every ``.sql`` file below ``folder`` into an object with a function for each query.

    A query ``lamp_insert`` in ``folder/anything.sql`` becomes ``queries.lamp_insert(executor, lamp_id=...)``; one in a
    file of a subfolder ``shop`` becomes ``queries.shop.lamp_insert``. Parameters are keywords.

    Arguments:
        folder: where the files are.
        namespace: what the names of the queries begin with in tags, errors and statistics: ``lamps``.
        application: the first half of the tag ``/* surf_data:lamps.lamp_insert */`` that the server sees.
        rows: for queries whose rows are to be objects, by name below ``folder`` (``lamp_insert``,
            ``shop.lamp_insert``), an attrs class with one positional field for each column.

    Raises:
        QueryFileError: a file holds something that would be misread, a name is taken, ``rows`` names no query, or
            there is no query at all.
    """
    adapter = Adapter(application)
    loader = QueryLoader(adapter, None)
    wanted = dict(rows or {})
    tree = _load_folder(folder, (), namespace, adapter, loader, wanted)
    if wanted:
        raise QueryFileError(f"there is no query {sorted(wanted)[0]}", file=str(folder))
    if not adapter.headers:
        raise QueryFileError("there are no queries here", file=str(folder))
    return Queries(adapter).load_from_tree(tree)


def _load_folder(
    folder: Path,
    below: tuple[str, ...],
    namespace: str,
    adapter: Adapter,
    loader: QueryLoader,
    rows: dict[str, type[attrs.AttrsInstance]],
) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    first_seen: dict[str, QueryHeader] = {}
    prefix = [part for part in (namespace, *below) if part]
    # Sorted, so that an error is the same on every file system.
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if subtree := _load_folder(path, (*below, path.name), namespace, adapter, loader, rows):
                tree[path.name] = subtree
        elif path.suffix == ".sql":
            for header in SqlFile(path).queries:
                if other := first_seen.setdefault(header.name, header) if header.name in first_seen else None:
                    raise QueryFileError(
                        f"the name {header.name} is taken by {other.file.name}:{other.line}",
                        file=str(path),
                        line=header.line,
                    )
                first_seen[header.name] = header
                full_name = ".".join([*prefix, header.name])
                adapter.headers[full_name] = (header, rows.pop(".".join([*below, header.name]), None))
            for datum in _load_file(path, prefix, loader):
                tree[datum.query_name] = datum
    return tree


def _load_file(path: Path, prefix: list[str], loader: QueryLoader) -> list[Any]:
    try:
        return loader.load_query_data_from_file(path, prefix, encoding="utf-8")
    except (aiosql.SQLParseException, aiosql.SQLLoadException) as error:
        raise QueryFileError(str(error), file=str(path)) from None
