"""The one place that hands out connections: alive ones, to known borrowers, never across a fork."""

import threading
from contextlib import suppress
from time import monotonic
from typing import cast

import psycopg_pool

from surf_data.errors import DatabaseError, DatabaseUnavailable, PoolTimeout
from surf_data.kernel.log_messages import get_logger
from surf_data.kernel.observation import Observation
from surf_data.kernel.postgres import deadlines, formats, renewal, retry
from surf_data.kernel.postgres.connection import Connection
from surf_data.kernel.postgres.connector import Connector
from surf_data.kernel.postgres.liveness import is_alive
from surf_data.kernel.settings import Settings

_log = get_logger("surf_data.kernel.postgres.pool")

_ConnectionPool = psycopg_pool.ConnectionPool[Connection]

#: Seconds for which psycopg_pool retries by itself: the longest pause between attempts while a caller waits. Its
#: back-off doubles without a cap, so after a long outage a high value adds up to a minute to the recovery.
_RECONNECT_TIMEOUT = 0.4
#: Seconds between two checks whether the server refuses us, while only new connections could help.
_POLL_INTERVAL = 0.02
#: Seconds from which on waiting for a connection is noted; less is what lending one takes.
_NOTED_WAIT = 0.001
#: Seconds between two renewals of all connections because of a standby, which may stay one.
_RENEWAL = 1.0


class Pool:
    """Lends connections to one caller at a time.

    Arguments:
        settings: the pool's sizes and times.
        connector: makes the connections.
        observation: where callers that had to wait are reported.
    """

    def __init__(self, settings: Settings, connector: Connector, observation: Observation) -> None:
        self._settings = settings
        self._observation = observation
        self._connector = connector
        self._closed = False
        self._inherited: list[object] = []
        self._start()

    def _start(self) -> None:
        self._opening = threading.Lock()
        self._pool: _ConnectionPool | None = None
        self._borrowers: dict[Connection, tuple[threading.Thread, str, float]] = {}
        self._waiting: set[threading.Thread] = set()
        self._queueing = threading.Lock()
        self._renewed = 0.0

    def reset_after_fork(self) -> None:
        """Leave all connections to the parent process; this one, its child, opens its own when it needs one."""
        # Closing them would end the parent's sessions, and so might collecting them.
        self._inherited.append((self._pool, self._borrowers))
        self._start()

    def _opened(self) -> _ConnectionPool:
        with self._opening:
            if self._closed:
                raise DatabaseUnavailable("the data layer is closed")
            if self._pool is None:
                self._pool = psycopg_pool.ConnectionPool(
                    connection_class=cast("type[Connection]", self._connector),
                    name="surf_data",
                    min_size=self._settings.pool_min_size,
                    max_size=self._settings.pool_max_size,
                    timeout=self._settings.pool_timeout,
                    max_idle=self._settings.pool_max_idle,
                    max_lifetime=self._settings.pool_max_lifetime,
                    reconnect_timeout=_RECONNECT_TIMEOUT,
                    reconnect_failed=_try_on,
                    open=True,
                )
            return self._pool

    def checkout(self, purpose: str, timeout: float | None = None) -> Connection:
        """Lend a connection that is alive.

        Arguments:
            purpose: what it is for, usually the query's name; shown to those who wait in vain.
            timeout: seconds to wait; ``None`` takes the setting ``pool_timeout``.

        Raises:
            PoolTimeout: no connection became free, or none could be made. It says who holds them, and why.
            DatabaseUnavailable: the pool is closed.
        """
        pool = self._pool or self._opened()
        failures = self._connector.permanent_failures
        started = now = monotonic()
        timeout = self._settings.pool_timeout if timeout is None else timeout
        deadline = now + timeout
        # No min(): every statement comes this way, and it costs more.
        if (limit := deadlines.current_deadline()) < deadline:
            deadline = limit
        while True:
            connection = None
            try:
                try:  # noqa: SIM105 - nor suppress()
                    connection = pool.getconn(min(deadline - now, _POLL_INTERVAL))
                except psycopg_pool.PoolTimeout:
                    pass
                if connection is None:
                    connection = self._queue(pool, purpose, timeout, deadline, failures)
            except psycopg_pool.PoolClosed:
                break
            except PoolTimeout as error:
                self._note_wait(purpose, monotonic() - started, error)
                raise
            if self._is_fit(connection, pool):
                now = monotonic()
                self._borrowers[connection] = (threading.current_thread(), purpose, now)
                if now - started >= _NOTED_WAIT:
                    self._lent_late(connection, purpose, now - started)
                return connection
            _log.info("connection replaced")
            now = monotonic()
        raise DatabaseUnavailable("the data layer is closed")

    def _lent_late(self, connection: Connection, purpose: str, waited: float) -> None:
        try:
            self._note_wait(purpose, waited)
        except BaseException:
            # An observer was interrupted, and the caller does not have it yet.
            self.release(connection)
            raise

    def _note_wait(self, purpose: str, waited: float, error: PoolTimeout | None = None) -> None:
        self._observation.note("wait", purpose, int(waited * 1e9), error)

    def _queue(self, pool: _ConnectionPool, purpose: str, timeout: float, deadline: float, failures: int) -> Connection:
        """Wait for a connection until ``deadline``, unless it would be in vain: then say why at once."""
        thread = threading.current_thread()
        with self._queueing:
            holders = {holder for holder, _, _ in list(self._borrowers.values())}
            # Fewer holders than connections: one has come back meanwhile.
            stuck = len(self._borrowers) >= self._settings.pool_max_size and holders <= self._waiting | {thread}
            if not stuck:
                self._waiting.add(thread)
        if stuck:
            raise self._timeout(purpose, ", because all who hold one wait for another")
        try:
            while (left := deadline - monotonic()) > 0:
                # A caller that asks anew loses its place in the queue. But while none are lent, none will come back.
                with suppress(psycopg_pool.PoolTimeout):
                    return pool.getconn(left if self._borrowers else min(left, _POLL_INTERVAL))
                if not self._borrowers and self._connector.permanent_failures > failures:
                    raise self._timeout(purpose, "")
        finally:
            self._waiting.discard(thread)
        in_time = "before the deadline" if deadline == deadlines.current_deadline() else f"within {timeout:g} s"
        raise self._timeout(purpose, f" {in_time}")

    def _is_fit(self, connection: Connection, pool: _ConnectionPool) -> bool:
        """Whether ``connection`` can be lent; if not, or if that cannot be found out, it has gone back to ``pool``."""
        fit = False
        try:
            # What was being made when all were renewed is no better than those that were.
            fit = connection.connected_at >= self._renewed and is_alive(connection)
            return fit
        finally:
            if not fit:
                # Handed back closed, it is replaced at once; psycopg_pool's own check would wait longer and longer.
                connection.close()
                pool.putconn(connection)

    def renew(self, connection: Connection, error: DatabaseError) -> None:
        """Before ``connection`` is given back: see to it that what ended with ``error`` meets a better one."""
        if not error.retryable or error.sqlstate not in retry.SESSION_FAULTS:
            return
        connection.close()
        if error.sqlstate in retry.MIXED_UP:
            _log.warning("prepared statements are mixed up by a pooler; set prepared_statements=off")
            return
        if error.sqlstate == retry.STALE_PLAN:
            formats.forget()
        with self._queueing:
            now = monotonic()
            # The others are no better, unless they were begun after the last renewal.
            too_soon = error.sqlstate == retry.READ_ONLY and now < self._renewed + _RENEWAL
            if too_soon or connection.connected_at < self._renewed or self._pool is None:
                return
            self._renewed = now
        self._pool.drain()

    def release(self, connection: Connection) -> None:
        """Take ``connection`` back."""
        # One that a parent process borrowed is the parent's to give back.
        if self._borrowers.pop(connection, None) and self._pool is not None:
            # Behind a pooler the session belongs to another client by now.
            if connection.doubtful and not self._connector.behind_pooler:
                self._renew_changed(connection)
            self._pool.putconn(connection)

    def _renew_changed(self, connection: Connection) -> None:
        if renewal.is_changed(connection, self._connector.configuration):
            _log.info("connection renewed: its session was changed")
            connection.close()

    def _timeout(self, purpose: str, why: str) -> PoolTimeout:
        now = monotonic()
        holders = [
            f"thread {thread.name} has run {held} for {now - since:.1f} s"
            for thread, held, since in list(self._borrowers.values())
        ]
        cause = self._connector.failure
        facts = [
            f"no connection for {purpose}{why}",
            f"{len(holders)} of at most {self._settings.pool_max_size} in use",
            *([f"the last attempt to connect failed: {cause}"] if cause else []),
            *holders,
        ]
        return PoolTimeout("; ".join(facts), query=purpose, holders=holders, cause=cause)

    def sizes(self) -> tuple[int, int]:
        """Return how many connections there are, and how many of them are idle."""
        if self._pool is None or self._closed:
            return 0, 0
        stats = self._pool.get_stats()
        return stats.get("pool_size", 0), stats.get("pool_available", 0)

    def close(self) -> None:
        """Close the connections; those that are lent are closed when they come back."""
        with self._opening:
            self._closed = True
            if self._pool is not None:
                self._pool.close()


def _try_on(pool: _ConnectionPool) -> None:
    """Begin another series of attempts to connect when one has failed and a caller still waits."""
    if pool.get_stats().get("requests_waiting"):
        # A request makes the pool grow; this one has had enough when it has been heard.
        with suppress(psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed):
            pool.putconn(pool.getconn(0.001))
