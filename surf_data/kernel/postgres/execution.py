"""The one place through which every statement goes to PostgreSQL."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter_ns
from typing import Any, Protocol, TypeVar, cast

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.rows import tuple_row

from surf_data.errors import DatabaseError
from surf_data.kernel import validation
from surf_data.kernel.observation import Observation
from surf_data.kernel.postgres import formats, unreadable, unsendable
from surf_data.kernel.postgres.connection import Connection
from surf_data.kernel.postgres.copying import CopyReader, CopyWriter
from surf_data.kernel.postgres.statement import Statement
from surf_data.kernel.postgres.translation import Translation

T = TypeVar("T")

#: Rows to read at once where many come: so few objects that Python's garbage collector does not begin to look at them.
PORTION = 50
# Cursors that a connection keeps: as many as psycopg keeps prepared statements.
_MAX_CURSORS = 100
# What psycopg sends itself for a cursor on the server.
_FETCH = b"FETCH FORWARD %d FROM %b"

#: Takes what is wanted from a cursor that has run a statement.
Fetch = Callable[[psycopg.Cursor[Any]], T]


class Executor(Protocol):
    """What runs statements: a pool that lends a connection for each, or a session that holds one."""

    @abstractmethod
    def run(self, statement: Statement, parameters: Mapping[str, Any], fetch: Fetch[T]) -> T:
        """Run ``statement`` and return what ``fetch`` takes from its cursor."""

    @abstractmethod
    def stream(self, statement: Statement, parameters: Mapping[str, Any]) -> AbstractContextManager["Stream"]:
        """Run ``statement`` with a cursor on the server, within a transaction."""

    @abstractmethod
    def copy(self, statement: Statement) -> AbstractContextManager[CopyWriter]:
        """Run a COPY ... FROM STDIN; what is written counts only if the block ends well."""

    @abstractmethod
    def copy_to(self, statement: Statement) -> AbstractContextManager[CopyReader]:
        """Run a COPY ... TO STDOUT; what is not read when the block exits is cancelled."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager["Executor"]:
        """Begin a transaction, or a savepoint within one; what is run on the yielded executor is part of it."""

    @abstractmethod
    def connection(self) -> AbstractContextManager["Executor"]:
        """Hold one connection for several statements; within a transaction, its own."""

    @abstractmethod
    def savepoint(self) -> AbstractContextManager["Executor"]:
        """Within a transaction, begin a savepoint; otherwise nothing, since one statement is a transaction."""


#: Returns the connection for as long as it is lent, and raises DatabaseError ever after.
Lender = Callable[[], psycopg.Connection[Any]]


class Stream:
    """The rows of a query, fetched in batches as they are iterated, and made a few at a time when their turn comes.

    A whole batch of rows would keep Python's garbage collector busier than the query does.
    """

    def __init__(self, cursor: psycopg.ServerCursor[Any], statement: Statement, lender: Lender) -> None:
        self._cursor = cursor
        self._statement = statement
        self._lender = lender
        self._binary = True
        #: Rows fetched per round trip; 1 or more.
        self.batch_size = 1000
        #: Rows fetched so far.
        self.rows: int = 0
        #: Nanoseconds spent waiting for the server and reading what it sent, so far.
        self.waited: int = 0
        #: What ended the stream, if the server or the driver did.
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[Any]:
        # psycopg's cursor on the server makes all rows of a batch at once; an ordinary one can fetch from it, too.
        batch = self.step(self._lender().cursor, row_factory=self._statement.row_factory)
        fetched = size = 0
        while fetched == size:
            size = validation.integer("batch_size", self.batch_size, minimum=1)
            fetched = self._fetch(batch, size)
            for _ in range(0, fetched, PORTION):
                yield from self.step(batch.fetchmany, PORTION)

    def execute(self, parameters: Mapping[str, Any]) -> None:
        """Begin."""
        connection = self._lender()
        try:
            self._binary = self.step(formats.is_binary, connection, self._statement, parameters)
            self.step(self._cursor.execute, self._statement.sql, parameters, binary=self._binary)
            # Compares the columns, before anything is fetched.
            self.step(self._statement.row_factory, self._cursor)
        except DatabaseError as error:
            self.error = failure = unsendable.named(error, connection, self._statement, parameters)
            if failure is error:
                raise
        else:
            return
        try:
            raise failure
        finally:
            del failure

    def _fetch(self, batch: psycopg.Cursor[Any], size: int) -> int:
        # By now the connection may serve another caller.
        self._lender()
        # Unprepared, since each stream of a session has a name of its own.
        self.step(batch.execute, _FETCH % (size, self._cursor.name.encode()), prepare=False, binary=self._binary)
        self.rows += batch.rowcount
        return batch.rowcount

    def step(self, call: Callable[..., T], *arguments: Any, **keywords: Any) -> T:
        """Return what ``call`` returns, timed and translated."""
        started = perf_counter_ns()
        try:
            with self._statement.translation:
                return call(*arguments, **keywords)
        except Exception as error:
            self.error = failure = unreadable.named(error, getattr(call, "__self__", None))
            if failure is error:
                raise
        finally:
            self.waited += perf_counter_ns() - started
        try:
            raise failure
        finally:
            del failure


def execute(
    connection: psycopg.Connection[Any],
    statement: Statement,
    parameters: Mapping[str, Any],
    fetch: Fetch[T],
    observation: Observation,
) -> T:
    """Run ``statement`` on ``connection``, observed and translated, and return what ``fetch`` takes."""
    started = perf_counter_ns()
    # To make a cursor costs a third of what a small statement does, and one that has run another knows nothing of this.
    cursors = connection.cursors if isinstance(connection, Connection) else {}
    cursor: psycopg.Cursor[Any] | None = None
    if statement.is_doubtful:
        doubt(connection, statement)
    try:
        with statement.translation:
            # Out of reach while it is in use: another thread may use the same connection.
            cursor = cursors.pop(statement, None) or _cursor(connection, statement, parameters)
            cursor.execute(statement.sql, parameters, prepare=statement.prepare)
            result = fetch(cursor)
    except Exception as error:
        observation.record(statement.name, perf_counter_ns() - started, 0, error)
        failure = unreadable.named(unsendable.named(error, connection, statement, parameters), cursor)
        if failure is error:
            raise
    else:
        observation.record(statement.name, perf_counter_ns() - started, cursor.rowcount)
        # There is one after a statement. It may be large, and is of no more use.
        cast("PGresult", cursor.pgresult).clear()
        if len(cursors) >= _MAX_CURSORS:
            cursors.clear()
        cursors[statement] = cursor
        return result
    try:
        raise failure
    finally:
        # The error holds this frame; held in turn, both would wait for the garbage collector.
        del failure


def _cursor(
    connection: psycopg.Connection[Any], statement: Statement, parameters: Mapping[str, Any]
) -> psycopg.Cursor[Any]:
    binary = formats.is_binary(connection, statement, parameters)
    return connection.cursor(binary=binary, row_factory=statement.row_factory)


@contextmanager
def stream(
    lender: Lender,
    statement: Statement,
    parameters: Mapping[str, Any],
    cursor_name: str,
    observation: Observation,
) -> Iterator[Stream]:
    """Declare a server-side cursor for ``statement``; a transaction is begun if none is open."""
    connection = lender()
    if statement.is_doubtful:
        doubt(connection, statement)
    cursor = connection.cursor(cursor_name, row_factory=tuple_row)
    rows = Stream(cursor, statement, lender)
    try:
        with _within_transaction(connection, statement):
            try:
                rows.execute(parameters)
                yield rows
            finally:
                rows.step(cursor.close)
    finally:
        # The caller's own time and errors are none of the query's.
        observation.record(statement.name, rows.waited, rows.rows, rows.error)


def doubt(connection: psycopg.Connection[Any], statement: Statement) -> None:
    """Note on a pooled connection that ``statement`` may change its session."""
    if isinstance(connection, Connection):
        connection.doubt(statement)


@contextmanager
def _within_transaction(connection: psycopg.Connection[Any], statement: Statement) -> Iterator[None]:
    if connection.pgconn.transaction_status == TransactionStatus.IDLE:
        # What the block raises of its own is its own.
        with Translation(statement.name), connection.transaction():
            yield
    else:
        yield
