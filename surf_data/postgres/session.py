"""A session: statements on one connection, and transactions on it."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Self, TypeVar

import psycopg

from surf_data.errors import DatabaseError
from surf_data.postgres import execution
from surf_data.postgres.execution import Fetch, Statement, Stream
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

    @property
    def _connection(self) -> psycopg.Connection[Any]:
        if self._lent is None:
            raise DatabaseError("this transaction or connection block has ended; its repositories cannot be used")
        return self._lent

    def end(self) -> None:
        """Forget the connection: it may serve somebody else by now."""
        self._lent = None

    def run(self, statement: Statement, parameters: Mapping[str, Any], fetch: Fetch[T]) -> T:
        """Run ``statement`` and return what ``fetch`` takes from its cursor."""
        return execution.execute(self._connection, statement, parameters, fetch, self._observation)

    def stream(self, statement: Statement, parameters: Mapping[str, Any]) -> AbstractContextManager[Stream]:
        """Run ``statement`` with a cursor on the server; begins a transaction if none is open."""
        self._streams += 1
        name = f"surf_data_{self._streams}"
        return execution.stream(self._connection, statement, parameters, name, self._observation)

    def copy(self, statement: Statement) -> AbstractContextManager[psycopg.Copy]:
        """Run a COPY statement; what is written counts only if the block ends well."""
        return execution.copy(self._connection, statement, self._observation)

    @contextmanager
    def transaction(self) -> Iterator[Self]:
        """Begin a transaction; within one, a savepoint. An exception in the block undoes it and goes on.

        Returns:
            This session.

        Raises:
            DatabaseError: the server cannot begin or commit.
        """
        with _TRANSACTION, self._connection.transaction():
            yield self

    def connection(self) -> AbstractContextManager[Self]:
        """Do nothing: this is a held connection already."""
        return nullcontext(self)

    def savepoint(self) -> AbstractContextManager[Self]:
        """Begin a savepoint, so that what fails in the block leaves the transaction as it was."""
        return self.transaction()
