"""DatabaseManager: everything that is PostgreSQL, behind one handle."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import perf_counter
from typing import Any, Self, TypeVar

import psycopg

from surf_data import forking
from surf_data.postgres import connector, execution
from surf_data.postgres.connector import Connector, session_queries
from surf_data.postgres.execution import CopyWriter, Fetch, Statement, Stream
from surf_data.postgres.observation import Observation, Observer
from surf_data.postgres.pool import Pool
from surf_data.postgres.session import Session
from surf_data.settings import Settings

T = TypeVar("T")


class DatabaseManager:
    """Runs statements on pooled connections, each in autocommit mode, and lends connections for transactions.

    It may be used by any number of threads. A forked child gets connections of its own.

    Arguments:
        settings: where to connect, and how.
        observer: is told of every statement.

    Raises:
        ConfigurationError: the database URL is malformed.
    """

    def __init__(self, settings: Settings, *, observer: Observer | None = None) -> None:
        self._settings = settings
        self._connector = Connector(settings)
        self._observation = Observation(slow_query_ms=settings.slow_query_ms, observer=observer)
        self._pool = Pool(settings, self._connector)
        forking.register(self)

    def forget_parent(self) -> None:
        """In a forked child: begin with connections and statistics of its own."""
        self._connector.forget_parent()
        self._pool.forget_parent()
        self._observation.forget_parent()

    def run(self, statement: Statement, parameters: Mapping[str, Any], fetch: Fetch[T]) -> T:
        """Run ``statement`` on a pooled connection and return what ``fetch`` takes from its cursor."""
        connection = self._pool.checkout(statement.name)
        try:
            return execution.execute(connection, statement, parameters, fetch, self._observation)
        finally:
            self._pool.release(connection)

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
    def transaction(self) -> Iterator[Session]:
        """Lend a connection with a transaction begun: committed when the block ends, undone when it raises.

        Raises:
            PoolTimeout: no connection became free in time.
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
            PoolTimeout: no connection became free in time.
        """
        connection = self._pool.checkout(purpose, timeout)
        session = Session(connection, self._observation)
        try:
            yield session
        finally:
            session.end()
            self._pool.release(connection)

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
        them to a child process and show them to nobody.
        """
        return connector.client_environment(self._settings)

    def connect(self) -> psycopg.Connection[Any]:
        """Return a new connection outside the pool, in autocommit mode, for whoever needs one alone: migrations.

        The caller closes it. It prepares nothing, so it takes several statements at once.

        Raises:
            DatabaseUnavailable: the server cannot be reached.
        """
        return self._connector.direct()

    def statistics(self) -> dict[str, dict[str, Any]]:
        """Return for each query that was run its count, errors, rows and percentiles; see `Observation`."""
        return self._observation.statistics()

    def close(self) -> None:
        """Close the pool. Calls that come later raise `DatabaseUnavailable`."""
        self._pool.close()
