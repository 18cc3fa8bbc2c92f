"""Makes query functions of folders of .sql files, by aiosql."""

import keyword
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from itertools import zip_longest
from pathlib import Path
from typing import Any

import aiosql
import attrs
import psycopg
from aiosql.adapters.generic import GenericAdapter
from aiosql.queries import Queries
from aiosql.query_loader import QueryLoader
from aiosql.types import QueryDatum, SQLOperationType
from psycopg.rows import tuple_row

from surf_data.errors import QueryFileError
from surf_data.kernel.postgres import aftereffects, effects
from surf_data.kernel.postgres.execution import Executor, Stream
from surf_data.kernel.postgres.query_files import check_file, query_files, together
from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.kernel.postgres.rows import RowFactory
from surf_data.kernel.postgres.scanner import Token, significant_tokens, tokens
from surf_data.kernel.postgres.statement import Statement

_NAMESPACE = re.compile(r"[a-z][a-z0-9_]*")
# The operators whose rows may be objects: all rows, the first one, the one of a RETURNING clause.
_ROW_OPERATORS = frozenset({"", "^", "<!"})


class Adapter(GenericAdapter):
    """Stands between aiosql's query functions and an `Executor`: knows each statement by its text.

    Arguments:
        application: the first half of the tag that goes to the server with each statement.
        plain: whether the driver is known to read all types of their columns.
    """

    def __init__(self, application: str, *, plain: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._application = application
        self._plain = plain
        self._statements: dict[str, Statement] = {}
        # Which way each COPY goes.
        self._ways: dict[str, str] = {}
        #: Each query with the class of its rows, by full name.
        self.sources: dict[str, tuple[QuerySource, type[attrs.AttrsInstance] | None]] = {}

    def process_sql(self, query_name: str, op_type: SQLOperationType, sql: str) -> str:
        """Return what is sent: ``:name`` and ``%`` as psycopg wants them, tagged, without the semicolon.

        Raises:
            QueryFileError: ``sql`` is not what the file says.
        """
        source, row = self.sources[query_name]
        pieces = list(tokens(sql))
        for ours, theirs in zip_longest(source.code, significant_tokens(pieces)):
            if ours is None or theirs is None or ours.text != theirs.text:
                # aiosql has cut out what it took for a comment, spaces at the end of a line in a string, ...
                raise source.error("this would not be sent as it is written", (ours or source).line)
        # A % is data or an operator; psycopg would take it for a placeholder, except in COPY.
        way = effects.copies(source.code) if source.operator == "#" else None
        percent = "%" if way else "%%"
        sent = "".join(_sent(pieces, f"{self._application}:{query_name}", percent)).strip()
        factory = tuple_row if row is None else RowFactory(row, source)
        options = dict(source.options)
        self._statements[sent] = Statement(
            name=query_name,
            sql=sent.encode(),
            row_factory=factory,
            reads=effects.is_read_only(source.code),
            functions=effects.functions(source.code),
            idempotent="retry" in options,
            replica="replica" in options,
            prepare=False if "plan" in options else None,
            keeps="session" in options,
            is_plain=self._plain or source.operator in {"!", "#"},
            copy_option=effects.copy_option(source.code),
            suspects=aftereffects.suspects(source.code),
        )
        if way:
            self._ways[sent] = way
        return sent

    def statement(self, sql: str) -> Statement:
        """Return the statement of a query, by the ``sql`` of its function."""
        return self._statements[sql]

    def select(self, conn: Executor, query_name: str, sql: str, parameters: Any, record_class: Any = None) -> Any:
        """Run a query without operator: return the list of its rows."""
        return conn.run(self._statements[sql], parameters, _all_rows)

    def select_one(self, conn: Executor, query_name: str, sql: str, parameters: Any, record_class: Any = None) -> Any:
        """Run a ``^`` query: return its first row, ``None`` without one."""
        return conn.run(self._statements[sql], parameters, _first_row)

    def select_value(self, conn: Executor, query_name: str, sql: str, parameters: Any) -> Any:
        """Run a ``$`` query: return the first column of its first row, ``None`` without one."""
        return conn.run(self._statements[sql], parameters, _first_value)

    def select_cursor(  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride]
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
        """Run a ``#`` query: return a context that yields COPY's writer or reader, else the server's status text."""
        statement = self._statements[sql]
        if (way := self._ways.get(sql)) is None:
            return conn.run(statement, {}, _status)
        return conn.copy(statement) if way == "FROM" else conn.copy_to(statement)


def _sent(pieces: list[Token], tag: str, percent: str) -> Iterator[str]:
    tagged = False
    for token in pieces:
        if token.kind == "parameter":
            yield f"%({token.text[1:]})s"
        elif token.text != ";":
            yield token.text.replace("%", percent)
        if token.kind == "word" and not tagged:
            # Not in front of the keyword, where pg_stat_statements of PostgreSQL 18 loses it; nor at the end, which is
            # cut off a long statement.
            yield f" /* {tag} */"
            tagged = True


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


def load(
    folder: Path,
    namespace: str,
    application: str,
    rows: Mapping[str, type[attrs.AttrsInstance]],
    *,
    plain: bool = False,
) -> Queries:
    """Return what `surf_data.kernel.postgres.load_queries` returns; the names are checked already."""
    adapter = Adapter(application, plain=plain)
    loader = _Loader(adapter, namespace, rows)
    tree = loader.load(folder)
    if loader.faults:
        raise together(loader.faults)
    if loader.rows:
        raise QueryFileError(f"there is no query {min(loader.rows)}", file=str(folder))
    if not tree:
        raise QueryFileError("there are no queries here", file=str(folder))
    queries: Queries = Queries(adapter).load_from_tree(tree)
    return queries


class _Loader:
    """Loads a folder and those below it for one adapter.

    Arguments:
        adapter: is given each query before aiosql is.
        namespace: what the full names begin with.
        rows: row classes by name below the folder.
    """

    def __init__(self, adapter: Adapter, namespace: str, rows: Mapping[str, type[attrs.AttrsInstance]]) -> None:
        self._adapter = adapter
        self._namespace = namespace
        self._aiosql = QueryLoader(adapter, None)
        self._empty = Queries(adapter)
        # Where each name is taken, by the folders that lead to it.
        self._taken: dict[tuple[str, ...], dict[str, str]] = {(): {}}
        #: What is wrong, in the order of the files.
        self.faults: list[QueryFileError] = []
        #: The row classes that no query has used.
        self.rows: dict[str, type[attrs.AttrsInstance]] = dict(rows)

    def load(self, folder: Path) -> dict[str, Any]:
        """Return what aiosql makes functions of: queries by their name, and the same for each folder by its name."""
        tree: dict[str, Any] = {}
        for found in query_files(folder):
            if isinstance(found, QueryFileError):
                self.faults.append(found)
                continue
            below, path = found
            for source, is_sound in self._read(path):
                place = self._place(folder, below, tree)
                self._check_names(source, self._taken[below])
                if is_sound:
                    place[source.name] = self._query(source, below)
        return tree

    def _read(self, path: Path) -> Iterator[tuple[QuerySource, bool]]:
        """Yield the queries of a file, each with whether nothing is wrong with it so far."""
        try:
            sources, found = check_file(path)
        except QueryFileError as error:
            self.faults.append(error)
            return
        self.faults += found
        lines = {each.line for each in found}
        for source in sources:
            yield source, lines.isdisjoint(range(source.line, source.last_line + 1))

    def _place(self, folder: Path, below: tuple[str, ...], tree: dict[str, Any]) -> dict[str, Any]:
        """Return the part of the tree that is for the queries of a folder."""
        for depth, name in enumerate(below):
            if below[: depth + 1] not in self._taken:
                self._taken[below[: depth + 1]] = {}
                path = folder.joinpath(*below[: depth + 1])
                if not _NAMESPACE.fullmatch(name) or keyword.iskeyword(name):
                    problem = "the name of a folder of queries is a to z, 0 to 9 and _"
                    self.faults.append(QueryFileError(problem, file=str(path)))
                elif problem := self._problem(name, self._taken[below[:depth]]):
                    self.faults.append(QueryFileError(problem, file=str(path)))
                self._taken[below[:depth]][name] = "a folder"
                tree[name] = {}
            tree = tree[name]
        return tree

    def _check_names(self, source: QuerySource, taken: dict[str, str]) -> None:
        # aiosql adds a second function to a query for rows.
        names = [source.name] if source.operator else [source.name, f"{source.name}_cursor"]
        problems = [problem for name in names if (problem := self._problem(name, taken))]
        self.faults += map(source.error, problems[:1])
        for name in names:
            taken.setdefault(name, f"{source.file.name}:{source.line}")

    def _problem(self, name: str, taken: Mapping[str, str]) -> str:
        if hasattr(self._empty, name):
            return f"the name {name} is taken by aiosql"
        return f"the name {name} is taken by {taken[name]}" if name in taken else ""

    def _query(self, source: QuerySource, below: tuple[str, ...]) -> QueryDatum | None:
        row = self.rows.pop(".".join([*below, source.name]), None)
        prefix = [part for part in (self._namespace, *below) if part]
        self._adapter.sources[".".join([*prefix, source.name])] = (source, row)
        try:
            if row is not None and source.operator not in _ROW_OPERATORS:
                raise source.error(f"a query with the operator {source.operator} has no rows for a class")
            [query] = self._aiosql.load_query_data_from_sql(source.source, prefix)
        except aiosql.SQLParseException:
            self.faults.append(source.error("aiosql takes other words than these for parameters"))
        except QueryFileError as error:
            self.faults.append(error)
        else:
            # Where tracebacks through the function point to.
            return query._replace(floc=(source.file, source.line))
        return None
