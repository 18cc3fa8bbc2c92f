"""A session: statements on one connection, and transactions on it."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Self, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from surf_data.errors import DatabaseError, DatabaseUnavailable
from surf_data.postgres import execution
from surf_data.postgres.execution import CopyWriter, Fetch, Statement, Stream
from surf_data.postgres.observation import Observation
from surf_data.postgres.translation import Translation

T = TypeVar("T")

_TRANSACTION = Translation("transaction")


class Session:
    """Runs statements on one connection for as long as it is lent.

    Arguments:
        connection: an open connection in autocommit mode.
        observation: where the statements are reported.
    """

    def __init__(self, connection: psycopg.Connection[Any], observation: Observation | None = None) -> None:
        self._lent: psycopg.Connection[Any] | None = connection
        self._observation = observation or Observation()
        self._streams = 0
        self._open_blocks = 0

    @property
    def _connection(self) -> psycopg.Connection[Any]:
        if self._lent is None:
            raise DatabaseError("this transaction or connection block has ended; its repositories cannot be used")
        return self._lent

    def end(self) -> None:
        """Forget the connection: it may serve somebody else from now on."""
        if self._open_blocks and self._lent is not None:
            # Whoever left a stream or a savepoint open could leave it later, in the middle of another's transaction.
            self._lent.close()
        self._lent = None

    @contextmanager
    def _block(self) -> Iterator[psycopg.Connection[Any]]:
        connection = self._connection
        self._open_blocks += 1
        try:
            yield connection
        finally:
            self._open_blocks -= 1

    def run(self, statement: Statement, parameters: Mapping[str, Any], fetch: Fetch[T]) -> T:
        """Run ``statement`` and return what ``fetch`` takes from its cursor."""
        return execution.execute(self._connection, statement, parameters, fetch, self._observation)

    @contextmanager
    def stream(self, statement: Statement, parameters: Mapping[str, Any]) -> Iterator[Stream]:
        """Run ``statement`` with a cursor on the server; begins a transaction if none is open."""
        self._streams += 1
        name = f"surf_data_{self._streams}"
        with (
            self._block(),
            execution.stream(lambda: self._connection, statement, parameters, name, self._observation) as rows,
        ):
            yield rows

    @contextmanager
    def copy(self, statement: Statement) -> Iterator[CopyWriter]:
        """Run a COPY ... FROM STDIN; what is written counts only if the block ends well."""
        with self._block() as connection, execution.copy(connection, statement, self._observation) as writer:
            yield writer

    @contextmanager
    def transaction(self) -> Iterator[Self]:
        """Begin a transaction; within one, a savepoint. An exception in the block undoes it and goes on.

        Returns:
            This session.

        Raises:
            DatabaseError: the server cannot begin or commit; or a statement in the block failed, and although that
                was caught, nothing of the block can be kept.
        """
        with self._block() as connection, _TRANSACTION, connection.transaction():
            yield self
            _check_before_commit(connection)

    def connection(self) -> AbstractContextManager[Self]:
        """Do nothing: this is a held connection already."""
        return nullcontext(self)

    def savepoint(self) -> AbstractContextManager[Self]:
        """Begin a savepoint, so that what fails in the block leaves the transaction as it was."""
        return self.transaction()


def _check_before_commit(connection: psycopg.Connection[Any]) -> None:
    # PostgreSQL answers the COMMIT of a failed transaction with a rollback, and psycopg does not commit on a broken
    # connection; neither of them raises.
    if connection.closed:
        raise DatabaseUnavailable("transaction failed: connection lost", query="transaction")
    if connection.pgconn.transaction_status != TransactionStatus.INTRANS:
        raise DatabaseError("transaction failed: a statement in it failed, so it was undone", query="transaction")
