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
from surf_data.kernel.postgres import effects
from surf_data.kernel.postgres.execution import Executor, Statement, Stream
from surf_data.kernel.postgres.rows import RowFactory
from surf_data.kernel.postgres.scanner import Token, meaning, tokens
from surf_data.kernel.postgres.sqlfile import QueryHeader, SqlFile

_NAMESPACE = re.compile(r"[a-z][a-z0-9_]*")
# The operators whose rows may be objects: all rows, the first one, the one of a RETURNING clause.
_ROW_OPERATORS = frozenset({"", "^", "<!"})


class Adapter(GenericAdapter):
    """Stands between aiosql's query functions and an `Executor`: knows each statement by its text.

    Arguments:
        application: the first half of the tag that goes to the server with each statement.
    """

    def __init__(self, application: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._application = application
        self._statements: dict[str, Statement] = {}
        #: The header and row class of each query, by full name.
        self.headers: dict[str, tuple[QueryHeader, type[attrs.AttrsInstance] | None]] = {}

    def process_sql(self, query_name: str, op_type: SQLOperationType, sql: str) -> str:
        """Return what is sent: ``:name`` and ``%`` as psycopg wants them, tagged, without the semicolon.

        Raises:
            QueryFileError: ``sql`` is not what the file says.
        """
        header, row = self.headers[query_name]
        pieces = list(tokens(sql))
        for ours, theirs in zip_longest(header.code, meaning(pieces)):
            if ours is None or theirs is None or ours.text != theirs.text:
                # aiosql has cut out what it took for a comment, spaces at the end of a line in a string, ...
                raise header.error("this would not be sent as it is written", (ours or header).line)
        # A % is data or an operator; psycopg would take it for a placeholder, except in COPY.
        percent = "%" if _copies(header) else "%%"
        sent = "".join(_sent(pieces, f"{self._application}:{query_name}", percent)).strip()
        factory = tuple_row if row is None else RowFactory(row, header)
        self._statements[sent] = Statement(
            name=query_name,
            sql=sent.encode(),
            row_factory=factory,
            reads=effects.reads(header.code),
            functions=effects.functions(header.code),
            idempotent="retry" in header.options,
            replica="replica" in header.options,
            prepare=False if "plan" in header.options else None,
        )
        return sent

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
        """Run a ``#`` query: return a writer context for COPY, else the server's status text."""
        statement = self._statements[sql]
        if _copies(self.headers[statement.name][0]):
            return conn.copy(statement)
        return conn.run(statement, {}, _status)


def _copies(header: QueryHeader) -> bool:
    return header.operator == "#" and header.code[0].text.upper() == "COPY"


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


def load(folder: Path, namespace: str, application: str, rows: Mapping[str, type[attrs.AttrsInstance]]) -> Queries:
    """Return what `surf_data.kernel.postgres.load_queries` returns; the names are checked already."""
    adapter = Adapter(application)
    wanted = dict(rows)
    tree = _Loader(adapter, namespace, wanted).load(folder)
    if wanted:
        raise QueryFileError(f"there is no query {min(wanted)}", file=str(folder))
    if not tree:
        raise QueryFileError("there are no queries here", file=str(folder))
    queries: Queries = Queries(adapter).load_from_tree(tree)
    return queries


class _Loader:
    """Loads a folder and those below it for one adapter.

    Arguments:
        adapter: is told of each query before aiosql is.
        namespace: what the full names begin with.
        rows: row classes by name below the folder; those that are used are taken out.
    """

    def __init__(self, adapter: Adapter, namespace: str, rows: dict[str, type[attrs.AttrsInstance]]) -> None:
        self._adapter = adapter
        self._namespace = namespace
        self._rows = rows
        self._aiosql = QueryLoader(adapter, None)
        self._empty = Queries(adapter)

    def load(self, folder: Path, below: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return what aiosql makes functions of: queries by their name, and the same for each folder by its name."""
        tree: dict[str, Any] = {}
        taken: dict[str, str] = {}
        for path in _entries(folder):
            if path.is_dir():
                if subtree := self.load(path, (*below, path.name)):
                    self._check_namespace(path, taken)
                    tree[path.name] = subtree
            elif path.suffix == ".sql":
                for header in SqlFile(path).queries:
                    self._check_names(header, taken)
                    tree[header.name] = self._query(header, below)
        return tree

    def _check_namespace(self, path: Path, taken: dict[str, str]) -> None:
        if not _NAMESPACE.fullmatch(path.name) or keyword.iskeyword(path.name):
            raise QueryFileError("the name of a folder of queries is a to z, 0 to 9 and _", file=str(path))
        if problem := self._taken(path.name, taken):
            raise QueryFileError(problem, file=str(path))
        taken[path.name] = "a folder"

    def _check_names(self, header: QueryHeader, taken: dict[str, str]) -> None:
        # aiosql adds a second function to a query for rows.
        for name in (header.name, f"{header.name}_cursor") if not header.operator else (header.name,):
            if problem := self._taken(name, taken):
                raise header.error(problem)
            taken[name] = f"{header.file.name}:{header.line}"

    def _taken(self, name: str, taken: dict[str, str]) -> str | None:
        if hasattr(self._empty, name):
            return f"the name {name} is taken by aiosql"
        return f"the name {name} is taken by {taken[name]}" if name in taken else None

    def _query(self, header: QueryHeader, below: tuple[str, ...]) -> QueryDatum:
        row = self._rows.pop(".".join([*below, header.name]), None)
        if row is not None and header.operator not in _ROW_OPERATORS:
            raise header.error(f"a query with the operator {header.operator} has no rows for a class")
        prefix = [part for part in (self._namespace, *below) if part]
        self._adapter.headers[".".join([*prefix, header.name])] = (header, row)
        try:
            [query] = self._aiosql.load_query_data_from_sql(header.source, prefix)
        except aiosql.SQLParseException:
            problem = header.error("aiosql takes other words than these for parameters")
        else:
            # Where tracebacks through the function point to.
            return query._replace(floc=(header.file, header.line))
        raise problem


def _entries(folder: Path) -> list[Path]:
    try:
        # Sorted, so that an error is the same on every file system.
        return sorted(folder.iterdir())
    except OSError as error:
        problem = QueryFileError(f"cannot be read: {type(error).__name__}", file=str(folder))
    raise problem
