"""Reads tables for `PgsqlActionDAO.pull_data_from_table`: what may be read, and rows as dictionaries."""

import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC
from itertools import repeat
from typing import Any

import psycopg

from surf_data.errors import DatabaseError
from surf_data.kernel.postgres import Executor
from surf_data.mining import table_query
from surf_data.mining.custom_query import CustomQuery, guarded
from surf_data.mining.errors import DataAccessError, TableAccessDenied
from surf_data.mining.named_query import NamedQuery
from surf_data.mining.postgresql_config import ALLOWED_TABLES
from surf_data.mining.queries import mining_queries
from surf_data.mining.table_query import Columns, TableQuery, View

# A column or a table is not there any more: the catalogue has changed.
_CHANGED = frozenset({"42703", "42P01"})
_NAME = re.compile(r"[a-z_][a-z0-9_]*")


class Catalog:
    """The columns of the views that the connection's role may read; read once, and again when they have changed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._views: dict[str, View] = {}

    def view(self, executor: Executor, table: str) -> View | None:
        """Return a view; ``None`` when there is no such view for this role."""
        with self._lock:
            views = self._views
        if table not in views:
            found: dict[str, dict[str, str]] = {}
            for view, column, kind in mining_queries().pull_columns(executor):
                if _NAME.fullmatch(view) and _NAME.fullmatch(column):
                    found.setdefault(view, {})[column] = kind
            views = {name: View(name, columns) for name, columns in found.items()}
            with self._lock:
                self._views = views
        return views.get(table)

    def forget(self) -> None:
        """Read it again at the next call."""
        with self._lock:
            self._views = {}


class TableReader:
    """Reads views of ``dx``.

    Arguments:
        executor: runs the statements.
        catalog: what there is to read.
    """

    def __init__(self, executor: Executor, catalog: Catalog) -> None:
        self._executor = executor
        self._catalog = catalog

    def pull(self, query: Mapping[str, Any], *, replica_ok: bool = False) -> list[dict[str, Any]] | None:
        """Return the rows of a ``single_query``; ``None`` without one.

        Arguments:
            query: ``table``, and if wanted ``target_columns``, ``target_filter`` with ``target_params``,
                ``target_order`` and ``target_limit``.
            replica_ok: whether rows that are a little old will do.

        Raises:
            TableAccessDenied: the table is not one that may be read.
            ValidationError: something else in it is refused; nothing was sent.
            DataAccessError: there are more than 100,000 rows, and no limit was given.
            DatabaseError: the server failed.
        """
        composed = self._composed(query, replica_ok=replica_ok)
        try:
            rows = self._executor.run(composed.statement, composed.parameters, _all)
        except DatabaseError as error:
            if error.sqlstate in _CHANGED:
                self._catalog.forget()
            raise
        if composed.max_rows is not None and len(rows) > composed.max_rows:
            raise DataAccessError(f"more than {composed.max_rows} rows: give a target_limit, or narrow the filter")
        return _dictionaries(composed.names, rows, composed.times)

    def iterate(self, query: Mapping[str, Any], batch_size: int = 1000) -> Iterator[dict[str, Any]]:
        """Yield the rows of a ``single_query`` in constant memory; a connection is held until the end.

        Arguments:
            query: as in `pull`.
            batch_size: rows fetched per round trip, 1 to 100,000.

        Raises:
            DatabaseError: and others, as in `pull`.
        """
        composed = self._composed(query, replica_ok=False)
        parameters = composed.parameters if composed.max_rows is None else {**composed.parameters, "row_limit": None}
        with self._executor.stream(composed.statement, parameters) as rows:
            rows.batch_size = batch_size
            for row in rows:
                yield from _dictionaries(composed.names, [row], composed.times) or ()

    def named(self, query: NamedQuery, given: object) -> list[dict[str, Any]] | None:
        """Return the rows of a named query; ``None`` without one."""
        rows = getattr(mining_queries(), query.name)(self._executor, **query.bound(given))
        return _dictionaries(query.columns, rows)

    def custom(self, query: CustomQuery) -> list[dict[str, Any]] | None:
        """Return the rows of a composed query, run under the guard; ``None`` without one."""
        names, times, rows = guarded(self._executor, query)
        return _dictionaries(names, rows, times)

    def tables(self) -> dict[str, Columns]:
        """Return the columns of each view that may be read, with the names of their types."""
        return {
            view.name: view.columns
            for table in ALLOWED_TABLES
            if (view := self._catalog.view(self._executor, table.lower())) is not None
        }

    def _composed(self, query: Mapping[str, Any], *, replica_ok: bool) -> TableQuery:
        table = table_query.table_of(query)
        view = self._catalog.view(self._executor, table) if table_query.is_allowed(table) else None
        if view is None:
            problem = TableAccessDenied("the table is not one of ALLOWED_TABLES, or this role may not read it")
            problem.field = "table"
            raise problem
        return table_query.compose(view, query, replica_ok=replica_ok)


def _all(cursor: psycopg.Cursor[Any]) -> list[Any]:
    return cursor.fetchall()


def _dictionaries(
    names: Sequence[str], rows: Sequence[Sequence[Any]], times: Iterable[str] = ()
) -> list[dict[str, Any]] | None:
    """Return rows as dictionaries, with times in UTC; ``None`` when there are none.

    Arguments:
        names: what the columns are called.
        rows: the values of each.
        times: what the columns are called that are times.
    """
    # A third less than a comprehension takes; what is selected has its names from the same query.
    found: list[dict[str, Any]] = list(map(dict, map(zip, repeat(names), rows)))
    # All times of a result have the session's zone, which is UTC but behind some poolers: one of each column tells.
    for name in times:
        known = next((row[name] for row in found if row[name] is not None), None)
        if known is not None and str(known.tzinfo) != "UTC":
            for row in found:
                row[name] = row[name] and row[name].astimezone(UTC)
    return found or None
