"""The one place through which every statement goes to PostgreSQL."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, TypeVar

import attrs
import psycopg
from psycopg.pq import Format, TransactionStatus
from psycopg.rows import RowFactory, tuple_row

from surf_data.postgres.observation import Observation
from surf_data.postgres.translation import Translation

T = TypeVar("T")


@attrs.frozen(kw_only=True, eq=False)
class Statement:
    """One query of a .sql file, ready to be sent: whatever can be done at load has been done."""

    #: The query's name with its namespace: ``lamps.lamp_configuration``.
    name: str
    #: What is sent: tagged, in psycopg's parameter style.
    sql: str
    #: Makes a row from its values.
    row_factory: RowFactory[Any] = tuple_row
    #: Turns driver errors into ours, with the query's name.
    translation: Translation = attrs.field()

    @translation.default
    def _named_translation(self) -> Translation:
        return Translation(self.name, binding=True)


#: Takes what is wanted from a cursor that has run a statement.
Fetch = Callable[[psycopg.Cursor[Any]], T]


class Executor(Protocol):
    """What runs statements: a pool that lends a connection for each, or a session that holds one."""

    def run(self, statement: Statement, parameters: Mapping[str, Any], fetch: Fetch[T]) -> T:
        """Run ``statement`` and return what ``fetch`` takes from its cursor."""

    def stream(
        self, statement: Statement, parameters: Mapping[str, Any]
    ) -> AbstractContextManager["Stream"]:
        """Run ``statement`` with a cursor on the server, within a transaction."""

    def copy(self, statement: Statement) -> AbstractContextManager[psycopg.Copy]:
        """Run a COPY statement; what is written counts only if the block ends well."""

    def transaction(self) -> AbstractContextManager["Executor"]:
        """Begin a transaction, or a savepoint within one; what is run on the yielded executor is part of it."""

    def connection(self) -> AbstractContextManager["Executor"]:
        """Hold one connection for several statements; within a transaction, its own."""

    def savepoint(self) -> AbstractContextManager["Executor"]:
        """Within a transaction, begin a savepoint; otherwise nothing, since one statement is a transaction."""


class Stream:
    """The rows of a query, fetched in batches as they are iterated."""

    def __init__(self, cursor: psycopg.ServerCursor[Any], statement: Statement) -> None:
        self._cursor = cursor
        self._statement = statement
        #: Rows fetched per round trip; 1 or more.
        self.batch_size = 1000
        #: Rows fetched so far.
        self.rows = 0

    def __iter__(self) -> Iterator[Any]:
        while True:
            with self._statement.translation:
                batch = self._cursor.fetchmany(self.batch_size)
            self.rows += len(batch)
            yield from batch
            if len(batch) < self.batch_size:
                return


def execute(
    connection: psycopg.Connection[Any],
    statement: Statement,
    parameters: Mapping[str, Any],
    fetch: Fetch[T],
    observation: Observation,
) -> T:
    """Run ``statement`` on ``connection``, observed and translated, and return what ``fetch`` takes."""
    started = observation.now()
    try:
        with statement.translation:
            cursor = connection.cursor(row_factory=statement.row_factory)
            cursor.format = Format.BINARY
            cursor.execute(statement.sql, parameters)
            result = fetch(cursor)
            rows = cursor.rowcount
            cursor.close()
    except Exception as error:
        observation.record(statement.name, started, 0, error)
        raise
    observation.record(statement.name, started, rows)
    return result


@contextmanager
def stream(
    connection: psycopg.Connection[Any],
    statement: Statement,
    parameters: Mapping[str, Any],
    cursor_name: str,
    observation: Observation,
) -> Iterator[Stream]:
    """Declare a server-side cursor for ``statement``; a transaction is begun if none is open."""
    started = observation.now()
    cursor = connection.cursor(cursor_name, row_factory=statement.row_factory)
    rows = Stream(cursor, statement)
    try:
        with _within_transaction(connection, statement):
            try:
                with statement.translation:
                    cursor.execute(statement.sql, parameters, binary=True)
                yield rows
            finally:
                with statement.translation:
                    cursor.close()
    except Exception as error:
        observation.record(statement.name, started, rows.rows, error)
        raise
    observation.record(statement.name, started, rows.rows)


@contextmanager
def copy(
    connection: psycopg.Connection[Any], statement: Statement, observation: Observation
) -> Iterator[psycopg.Copy]:
    """Run a COPY ... FROM STDIN; an exception in the block undoes it."""
    started = observation.now()
    cursor = connection.cursor()
    try:
        with statement.translation, cursor.copy(statement.sql) as writer:
            yield writer
    except Exception as error:
        observation.record(statement.name, started, 0, error)
        raise
    observation.record(statement.name, started, cursor.rowcount)


@contextmanager
def _within_transaction(connection: psycopg.Connection[Any], statement: Statement) -> Iterator[None]:
    if connection.pgconn.transaction_status == TransactionStatus.IDLE:
        with statement.translation, connection.transaction():
            yield
    else:
        yield
