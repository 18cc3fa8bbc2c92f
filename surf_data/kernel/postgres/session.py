"""A session: statements on one connection, and transactions on it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Self, TypeVar

import attrs
import psycopg
from psycopg.pq import TransactionStatus

from surf_data.errors import CommitUnknown, DatabaseError, DatabaseUnavailable
from surf_data.kernel.observation import Observation
from surf_data.kernel.postgres import copying, effects, execution, retry
from surf_data.kernel.postgres.copying import CopyReader, CopyWriter
from surf_data.kernel.postgres.execution import Fetch, Stream
from surf_data.kernel.postgres.session_queries import session_queries
from surf_data.kernel.postgres.statement import Statement
from surf_data.kernel.postgres.translation import Translation

T = TypeVar("T")

_TRANSACTION = Translation("transaction")


@attrs.frozen(kw_only=True, eq=False)
class CommitProbe:
    """What it takes to ask the server for the commit status of a transaction."""

    #: Its id.
    transaction: str
    #: The server on which it ran; `surf_data.kernel.postgres.connection.Connection.server`.
    server: str | None
    #: That of the server; `surf_data.kernel.postgres.connection.Connection.stats_epoch`.
    stats_epoch: str | None
    #: Whether others commit with the server: that it has rolled back is no proof that a worker of a cluster has, too.
    is_cluster: bool = False


#: Returns whether a transaction was committed, ``None`` if that cannot be known.
Resolve = Callable[[CommitProbe], bool | None]


class Session:
    """Runs statements on one connection for as long as it is lent.

    Arguments:
        connection: an open connection in autocommit mode.
        observation: where the statements are reported.
        resolve: is asked when a COMMIT got no answer.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        observation: Observation | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        self._lent: psycopg.Connection[Any] | None = connection
        self._observation = observation or Observation()
        self._resolve = resolve
        self._transactions = 0
        self._has_written = False
        #: Whether anything that was run here may have changed something.
        self.has_ever_written: bool = False
        self._is_lost = False
        self._streams = 0
        self._open_blocks = 0

    @property
    def _connection(self) -> psycopg.Connection[Any]:
        if self._lent is None:
            raise DatabaseError("this transaction or connection block has ended; its repositories cannot be used")
        return self._lent

    def end(self) -> None:
        """Forget the connection: it may serve another caller from now on."""
        if self._open_blocks and self._lent is not None:
            # A stream or a savepoint that was left open could end later, in the middle of another caller's transaction.
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
        connection = self._lent or self._connection
        if statement.may_write:
            self._has_written = self.has_ever_written = True
        try:
            return execution.execute(connection, statement, parameters, fetch, self._observation)
        except DatabaseError as error:
            # On a connection that was lost before, nothing was sent; and a transaction is lost as a whole.
            known, self._is_lost = self._is_lost or self._transactions > 0, connection.closed
            ambiguous = not known and retry.is_ambiguous(error, broken=connection.closed)
            if not ambiguous or retry.safe_to_repeat(statement, effects.may_write):
                raise
            unknown = copying.unknown(error)
        raise unknown

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
        self._has_written = self.has_ever_written = True
        alone = not self._transactions
        with (
            self._block() as connection,
            copying.copy_from(connection, statement, self._observation, alone=alone) as writer,
        ):
            yield writer

    @contextmanager
    def copy_to(self, statement: Statement) -> Iterator[CopyReader]:
        """Run a COPY ... TO STDOUT; what is not read when the block exits is cancelled, and a transaction goes on."""
        if statement.may_write:
            self._has_written = self.has_ever_written = True
        if statement.is_doubtful:
            execution.doubt(self._connection, statement)
        with self._block() as connection, copying.copy_to(connection, statement, self._observation) as reader:
            yield reader

    @contextmanager
    def transaction(self) -> Iterator[Self]:
        """Begin a transaction; within one, a savepoint. An exception in the block undoes it and goes on.

        Returns:
            This session.

        Raises:
            DatabaseError: the server cannot begin or commit; or a statement in the block failed, and although that
                was caught, nothing of the block can be kept.
        """
        # A savepoint is no transaction.
        timed = nullcontext() if self._transactions else self._observation.timed("transaction", "transaction")
        with timed, self._block() as connection:
            probe = None
            is_committing = False
            try:
                with _TRANSACTION, connection.transaction():
                    self._transactions += 1
                    try:
                        yield self
                    finally:
                        self._transactions -= 1
                    _check_before_commit(connection)
                    if not self._transactions:
                        probe = self._commit_probe(connection)
                    is_committing = True
            except DatabaseError as error:
                lost = connection.closed or _is_doubtful(probe, error)
                if not is_committing or not lost or self._transactions:
                    raise
                sqlstate = error.sqlstate
            else:
                return
            self._resolve_commit(probe, sqlstate)

    def _commit_probe(self, connection: psycopg.Connection[Any]) -> CommitProbe | None:
        """Return what identifies the transaction under way; ``None`` when it has changed nothing."""
        if not self._has_written:
            return None
        self._has_written = False
        if self._resolve is None:
            return CommitProbe(transaction="", server=None, stats_epoch=None)
        # Unobserved: it is a part of COMMIT.
        query: Any = session_queries().transaction_id
        row = connection.execute(query.sql).fetchone()
        if row is None or row[0] is None:
            return None
        known = {name: getattr(connection, name, None) for name in ("server", "stats_epoch")}
        return CommitProbe(transaction=row[0], is_cluster=bool(row[1]), **known)

    def _resolve_commit(self, probe: CommitProbe | None, sqlstate: str | None) -> None:
        """Raise what there is to say of a transaction whose COMMIT got no answer: nothing if it was committed."""
        committed = probe is not None and (self._resolve(probe) if self._resolve else None)
        if committed is None:
            said = "transaction failed: no answer to COMMIT; it may have been applied"
            raise CommitUnknown(said, query="transaction", sqlstate=sqlstate)
        if not committed:
            said = "transaction failed: connection lost, nothing was applied"
            raise DatabaseUnavailable(said, query="transaction", sqlstate=sqlstate, retryable=True)

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
    status = connection.pgconn.transaction_status
    if status == TransactionStatus.IDLE:
        said = "transaction failed: a statement in it ended it, and what came before may have been committed"
        raise DatabaseError(said, query="transaction")
    if status != TransactionStatus.INTRANS:
        raise DatabaseError("transaction failed: a statement in it failed, so it was rolled back", query="transaction")


def _is_doubtful(probe: CommitProbe | None, error: DatabaseError) -> bool:
    """Return whether a COMMIT that a server refuses may have been one all the same: a worker was lost in the middle.

    Citus says so by no code of its own: connection exceptions (class 08), and an internal error.
    """
    return probe is not None and probe.is_cluster and (error.sqlstate or "")[:2] in {"08", "XX"}
