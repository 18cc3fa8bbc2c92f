"""psycopg and psycopg_pool by hand, and bare aiosql over them, with this library's own statements."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

import aiosql
import psycopg
from psycopg.rows import RowFactory
from psycopg_pool import ConnectionPool

from surf_data.kernel import resources


def pool(url: str, size: int = 2) -> ConnectionPool:
    """Return an open pool of connections in autocommit mode, which spares BEGIN and COMMIT."""
    return ConnectionPool(url, min_size=size, max_size=size, kwargs={"autocommit": True}, open=True)


@cache
def by_aiosql() -> Any:
    """Return the statements of the lamps as bare aiosql has them."""
    return aiosql.from_path(resources.directory("sql") / "lamps", "psycopg")


def statement(name: str) -> str:
    """Return the text of one of them, in psycopg's style."""
    text: str = getattr(by_aiosql(), name).sql
    return text.removesuffix(";")


def first_row(pool: ConnectionPool, statement: str, parameters: dict[str, object]) -> Any:
    """Return the first row of a statement on a pooled connection."""
    with pool.connection() as connection, connection.cursor(binary=True) as cursor:
        return cursor.execute(statement, parameters).fetchone()


def bare_row(connection: psycopg.Connection[Any], statement: str, parameters: dict[str, object]) -> Any:
    """Return the first row of a statement on a connection that is held."""
    with connection.cursor(binary=True) as cursor:
        return cursor.execute(statement, parameters).fetchone()


def stream(connection: psycopg.Connection[Any], statement: str, row_factory: RowFactory[Any]) -> Iterator[Any]:
    """Yield all rows of a statement from a cursor on the server, a thousand for each round trip."""
    with (
        connection.transaction(),
        connection.cursor("stream", row_factory=row_factory) as cursor,
    ):
        cursor.itersize = 1000
        yield from cursor.execute(statement, binary=True)


def copy(pool: ConnectionPool, statement: str, types: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Copy rows to a table, in the binary format."""
    with pool.connection() as connection, connection.cursor() as cursor, cursor.copy(statement) as writer:
        writer.set_types(types)
        for row in rows:
            writer.write_row(row)


def insert_many(pool: ConnectionPool, statement: str, rows: Sequence[Sequence[object]]) -> None:
    """Insert rows with executemany, in one transaction."""
    with pool.connection() as connection, connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(statement, rows)


def execute(pool: ConnectionPool, statement: str, parameters: dict[str, object]) -> None:
    """Run a statement on a pooled connection."""
    with pool.connection() as connection:
        connection.execute(statement, parameters)


def all_rows(pool: ConnectionPool, statement: str, parameters: dict[str, object] | None = None) -> list[Any]:
    """Return all rows of a statement on a pooled connection."""
    with pool.connection() as connection, connection.cursor(binary=True) as cursor:
        return cursor.execute(statement, parameters).fetchall()
