"""DatabaseManager: everything that is PostgreSQL, behind one handle."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from time import monotonic, perf_counter, perf_counter_ns
from typing import Any, Self, TypeVar

import psycopg

from surf_data.errors import DatabaseError, DeadlineExceeded, LockTimeout
from surf_data.kernel import forking, validation
from surf_data.kernel.histograms import QueryHistogram
from surf_data.kernel.log_messages import error_facts, get_logger
from surf_data.kernel.observation import Kind, Observation, Observer
from surf_data.kernel.postgres import connector, effects, execution, outcome, retry
from surf_data.kernel.postgres.connector import Connector
from surf_data.kernel.postgres.copying import CopyReader, CopyWriter, unknown
from surf_data.kernel.postgres.deadlines import deadline
from surf_data.kernel.postgres.execution import Fetch, Stream
from surf_data.kernel.postgres.pool import Pool
from surf_data.kernel.postgres.replica import Replica
from surf_data.kernel.postgres.session import CommitProbe, Session
from surf_data.kernel.postgres.session_queries import session_queries
from surf_data.kernel.postgres.statement import Statement
from surf_data.kernel.settings import Settings

_log = get_logger("surf_data.kernel.postgres.manager")

T = TypeVar("T")

# Seconds that a thread can wait, and more than any caller does.
_LONGEST = 1e9


class _UseThePrimary(Exception):
    """The replica cannot serve this read."""


class DatabaseManager:
    """Runs statements on pooled connections, each in autocommit mode, and lends connections for transactions.

    It may be used by any number of threads. A forked child gets connections of its own.

    Arguments:
        settings: where to connect, and how.
        observer: called with a QueryEvent after every statement.

    Raises:
        ConfigurationError: the database URL is malformed.
    """

    def __init__(self, settings: Settings, *, observer: Observer | None = None) -> None:
        self._settings = settings
        self._timeout = settings.deadline or math.inf
        self._connector = Connector(settings)
        self._observation = Observation(slow_query_ms=settings.slow_query_ms, observer=observer)
        self._pool = Pool(settings, self._connector, self._observation)
        self._replica = None if settings.replica_url is None else Replica(settings, self._position, self._observation)
        forking.register(self)

    def reset_after_fork(self) -> None:
        """In a forked child: begin with connections and statistics of its own."""
        self._connector.reset_after_fork()
        self._pool.reset_after_fork()
        self._observation.reset_after_fork()
        if self._replica is not None:
            self._replica.reset_after_fork()

    def run(self, statement: Statement, parameters: Mapping[str, Any], fetch: Fetch[T]) -> T:
        """Run ``statement`` on a pooled connection and return what ``fetch`` takes from its cursor.

        It is run again, three times in all, if that is safe: the server has rolled it back, or was lost while it
        was only reading, or its file declares it idempotent.

        Raises:
            PoolTimeout: no connection became free in time.
            CommitUnknown: the connection was lost, and the statement may have been applied.
            DatabaseError: the server refused or failed it.
        """
        until = monotonic() + self._timeout
        if self._replica is not None:
            if statement.replica:
                with suppress(_UseThePrimary):
                    return self._read(self._replica, statement, parameters, fetch, until)
            elif statement.may_write:
                try:
                    return self._run(statement, parameters, fetch, until)
                finally:
                    self._replica.note_write()
        return self._run(statement, parameters, fetch, until)

    def _read(
        self, replica: Replica, statement: Statement, parameters: Mapping[str, Any], fetch: Fetch[T], until: float
    ) -> T:
        """Run ``statement`` on the replica."""
        connection = replica.lend(statement.name)
        if connection is None:
            raise _UseThePrimary
        connection.deadline = until
        try:
            return execution.execute(connection, statement, parameters, fetch, self._observation)
        except DatabaseError as error:
            # Replaying the log may have cancelled it, with the SQLSTATE of a conflict.
            elsewhere = error.retryable or retry.is_lost(error)
            if elsewhere or isinstance(error, DeadlineExceeded):
                replica.leave_alone(error)
            if not elsewhere:
                raise
        finally:
            connection.deadline = None
            replica.release(connection)
        raise _UseThePrimary

    def _position(self) -> int:
        return session_queries().primary_position(self)

    def _run(self, statement: Statement, parameters: Mapping[str, Any], fetch: Fetch[T], until: float) -> T:
        tries = 0
        while True:
            connection = self._pool.checkout(statement.name)
            connection.deadline = until
            try:
                return execution.execute(connection, statement, parameters, fetch, self._observation)
            except DatabaseError as error:
                self._pool.renew(connection, error)
                failure, broken = error, connection.closed
            finally:
                connection.deadline = None
                self._pool.release(connection)
            tries += 1
            try:
                self._check_retry(failure, statement, tries, broken=broken)
            finally:
                # The error holds this frame; held in turn, both would wait for the garbage collector.
                del failure

    def _check_retry(self, error: DatabaseError, statement: Statement, tries: int, *, broken: bool) -> None:
        """Return if ``statement`` may be tried again after ``error``, else raise the caller's error."""
        left = retry.TRIES - tries
        try:
            repeatable = retry.is_lost(error) and retry.safe_to_repeat(statement, self._may_write)
        except DatabaseError:
            # The server stays away, so there is no point in trying again either.
            repeatable, left = retry.safe_to_repeat(statement, effects.may_write), 0
        try:
            if left and (error.retryable or repeatable):
                self._pause(statement.name, tries, error)
                return
            if not repeatable and retry.is_ambiguous(error, broken=broken):
                raise unknown(error)
            raise error
        finally:
            del error

    def _pause(self, name: str, tries: int, error: DatabaseError) -> None:
        _log.info("trying again", extra={"query": name, **error_facts(error)})
        started = perf_counter_ns()
        retry.pause(tries)
        self._observation.note("retry", name, perf_counter_ns() - started, error)

    def _may_write(self, functions: tuple[str, ...]) -> bool:
        return bool(session_queries().function_is_volatile(self, names=list(functions)))

    def run_transaction(self, work: Callable[[Session], T], *, retry_lock_timeout: bool = False) -> T:
        """Return what ``work`` returns, once the transaction in which it ran is committed.

        It is run again as a whole, three times in all, if the server has rolled the transaction back or was lost before
        its end.

        Arguments:
            work: receives the transaction's session. What it does elsewhere is not rolled back when it is run again.
            retry_lock_timeout: whether to run it again also when it could not have a lock in time.

        Raises:
            PoolTimeout: no connection became free in time.
            LockTimeout: it could not have a lock in time.
            CommitUnknown: the connection was lost at the end, and what became of the transaction cannot be found out.
            DatabaseError: it failed.
        """
        tries = 0
        with deadline(self._timeout) if self._timeout < math.inf else nullcontext():
            while True:
                try:
                    with self.transaction() as session:
                        return work(session)
                except DatabaseError as error:
                    tries += 1
                    again = retry.is_rolled_back(error) or (retry_lock_timeout and isinstance(error, LockTimeout))
                    if tries == retry.TRIES or not again:
                        raise
                    failure = error
                try:
                    self._pause("transaction", tries, failure)
                finally:
                    # As above.
                    del failure

    @contextmanager
    def stream(self, statement: Statement, parameters: Mapping[str, Any]) -> Iterator[Stream]:
        """Run ``statement`` with a cursor on the server, on a connection that is held until the block ends."""
        with self.connection(statement.name) as session, session.stream(statement, parameters) as rows:
            yield rows

    @contextmanager
    def copy(self, statement: Statement) -> Iterator[CopyWriter]:
        """Run a COPY ... FROM STDIN; what is written counts only if the block ends well."""
        with self.connection(statement.name) as session, session.copy(statement) as writer:
            yield writer

    @contextmanager
    def copy_to(self, statement: Statement) -> Iterator[CopyReader]:
        """Run a COPY ... TO STDOUT on a connection that is held until the block exits."""
        with self.connection(statement.name) as session, session.copy_to(statement) as reader:
            yield reader

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Lend a connection with a transaction begun: committed when the block exits, rolled back if it raises.

        Raises:
            PoolTimeout: no connection became free in time.
            CommitUnknown: the connection was lost at the end, and what became of the transaction cannot be found out.
            DatabaseError: the server cannot begin or commit.
        """
        with self.connection("transaction") as session, session.transaction():
            yield session

    def savepoint(self) -> AbstractContextManager[Self]:
        """Do nothing: each statement outside a transaction is one by itself."""
        return nullcontext(self)

    @contextmanager
    def connection(self, purpose: str = "connection", timeout: float | None = None) -> Iterator[Session]:
        """Lend a connection for several statements, each of them a transaction by itself.

        Arguments:
            purpose: what it is for; shown to those who wait for a connection in vain.
            timeout: seconds to wait; ``None`` takes the setting ``pool_timeout``.

        Raises:
            ValidationError: ``timeout`` is no finite number.
            PoolTimeout: no connection became free in time.
        """
        if timeout is not None:
            timeout = min(validation.number("timeout", timeout), _LONGEST)
        connection = self._pool.checkout(purpose, timeout)
        session = Session(connection, self._observation, self._commit_status)
        try:
            yield session
        except DatabaseError as error:
            self._pool.renew(connection, error)
            raise
        finally:
            session.end()
            self._pool.release(connection)
            if self._replica is not None and session.has_ever_written:
                self._replica.note_write()

    def _commit_status(self, probe: CommitProbe) -> bool | None:
        return outcome.commit_status(probe, self._connector.connect, self._settings.pool_timeout)

    def ping(self, timeout: float = 2.0) -> float:
        """Ask the server for an answer.

        Arguments:
            timeout: seconds to wait for a connection.

        Returns:
            Seconds it took, the wait for a connection included.

        Raises:
            DatabaseError: there was no answer.
        """
        started = perf_counter()
        with self.connection("kernel.session_ping", timeout) as session:
            session_queries().session_ping(session)
        return perf_counter() - started

    def get_pool_status(self) -> dict[str, int]:
        """Return ``size``, ``min_size``, ``max_size``, ``idle_size`` and ``queries_count``, the statements run."""
        size, idle = self._pool.sizes()
        return {
            "size": size,
            "min_size": self._settings.pool_min_size,
            "max_size": self._settings.pool_max_size,
            "idle_size": idle,
            "queries_count": self._observation.queries_count,
        }

    def connection_info(self) -> dict[str, str | int]:
        """Return ``host``, ``port``, ``database`` and ``user`` of the server in use, for other tools; no password.

        The host of a server on a Unix socket is the folder of the socket, as ``psql --host`` takes it.

        Raises:
            DatabaseError: there is no connection to be had.
        """
        connection = self._pool.checkout("connection_info")
        try:
            info = connection.info
            return {"host": info.host, "port": info.port, "database": info.dbname, "user": info.user}
        finally:
            self._pool.release(connection)

    def client_environment(self) -> dict[str, str]:
        """Return libpq's environment variables for what the URL says beside `connection_info`.

        With both, another tool connects as this library does. The password is among them if the URL has one, so hand
        them to a child process and never show them.
        """
        return connector.client_environment(self._settings)

    def connect(self, database: str | None = None) -> psycopg.Connection[Any]:
        """Return a new connection outside the pool, in autocommit mode, for callers such as migrations.

        The caller closes it. It prepares nothing, so it takes several statements at once.

        Arguments:
            database: the name of another database on the same server.

        Raises:
            DatabaseUnavailable: the server cannot be reached.
        """
        return self._connector.direct() if database is None else self._connector.direct(dbname=database)

    def statistics(self, kind: Kind = "statement") -> dict[str, dict[str, Any]]:
        """Return for each query, or what else there is of a kind, its count, errors, rows and percentiles."""
        return self._observation.statistics(kind)

    def histograms(self, kind: Kind = "statement") -> dict[str, QueryHistogram]:
        """Return for each query, or what else there is of a kind, how long it took how often; see `QueryEvent`."""
        return self._observation.histograms(kind)

    def replica_statistics(self) -> dict[str, int]:
        """Return ``reads``, served by the replica, and ``fallbacks``, served by the primary in its place."""
        if self._replica is None:
            return {"reads": 0, "fallbacks": 0}
        return {"reads": self._replica.reads, "fallbacks": self._replica.fallbacks}

    def close(self) -> None:
        """Close the pool. Calls that come later raise `DatabaseUnavailable`."""
        self._pool.close()
        if self._replica is not None:
            self._replica.close()
