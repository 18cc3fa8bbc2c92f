"""The one place that hands out connections: alive ones, to known borrowers, never across a fork."""

import logging
import select
import threading
from time import monotonic
from typing import Any, cast

import psycopg
import psycopg_pool

from surf_data.errors import DatabaseUnavailable, PoolTimeout
from surf_data.postgres.connector import Connector
from surf_data.settings import Settings

_log = logging.getLogger("surf_data.postgres.pool")

_Connection = psycopg.Connection[Any]
_ConnectionPool = psycopg_pool.ConnectionPool[_Connection]

#: Seconds for which psycopg_pool retries by itself. Its back-off doubles without a cap, so after a long outage a high
#: value adds up to a minute to the recovery; a slot that gave up is retried by the next checkout.
_RECONNECT_TIMEOUT = 3.0


class Pool:
    """Lends connections to one caller at a time.

    Arguments:
        settings: the pool's sizes and times.
        connector: makes the connections.
    """

    def __init__(self, settings: Settings, connector: Connector) -> None:
        self._settings = settings
        self._connector = connector
        self._closed = False
        self._inherited: list[object] = []
        self._start()

    def _start(self) -> None:
        self._opening = threading.Lock()
        self._pool: _ConnectionPool | None = None
        self._borrowers: dict[_Connection, tuple[str, str, float]] = {}

    def forget_parent(self) -> None:
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
                    connection_class=cast("type[_Connection]", self._connector),
                    name="surf_data",
                    min_size=self._settings.pool_min_size,
                    max_size=self._settings.pool_max_size,
                    timeout=self._settings.pool_timeout,
                    max_idle=self._settings.pool_max_idle,
                    reconnect_timeout=_RECONNECT_TIMEOUT,
                    open=True,
                )
            return self._pool

    def checkout(self, purpose: str, timeout: float | None = None) -> _Connection:
        """Lend a connection that is alive.

        Arguments:
            purpose: what it is for, usually the query's name; shown to those who wait in vain.
            timeout: seconds to wait; ``None`` takes the setting ``pool_timeout``.

        Raises:
            PoolTimeout: no connection became free, or none could be made. It says who holds them, and why.
            DatabaseUnavailable: the pool is closed.
        """
        pool = self._pool or self._opened()
        timeout = self._settings.pool_timeout if timeout is None else timeout
        deadline = monotonic() + timeout
        while True:
            connection = None
            try:
                connection = pool.getconn(deadline - monotonic())
            except psycopg_pool.PoolTimeout:
                pass
            except psycopg_pool.PoolClosed:
                break
            if connection is None:
                raise self._timeout(purpose, timeout)
            if self._is_alive(connection, pool):
                self._borrowers[connection] = (threading.current_thread().name, purpose, monotonic())
                return connection
            _log.info("dead connection replaced")
        raise DatabaseUnavailable("the data layer is closed")

    def _is_alive(self, connection: _Connection, pool: _ConnectionPool) -> bool:
        """Whether ``connection`` can be lent; if not, or if that cannot be found out, it has gone back to ``pool``."""
        alive = False
        try:
            alive = _is_quiet(connection) or _answers(connection)
            return alive
        finally:
            if not alive:
                # Handed back closed, it is replaced at once; psycopg_pool's own check would wait longer and longer.
                connection.close()
                pool.putconn(connection)

    def release(self, connection: _Connection) -> None:
        """Take ``connection`` back."""
        # One that a parent process borrowed is the parent's to give back.
        if self._borrowers.pop(connection, None) and self._pool is not None:
            self._pool.putconn(connection)

    def _timeout(self, purpose: str, timeout: float) -> PoolTimeout:
        now = monotonic()
        holders = [
            f"thread {thread} has run {held} for {now - since:.1f} s"
            for thread, held, since in list(self._borrowers.values())
        ]
        cause = self._connector.failure
        facts = [
            f"no connection for {purpose} within {timeout:g} s",
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


def _is_quiet(connection: _Connection) -> bool:
    """Whether nothing waits to be read: an idle connection whose server has gone has its end to tell."""
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)


def _answers(connection: _Connection) -> bool:
    """Whether the server still answers on a connection on which something waits to be read."""
    try:
        psycopg_pool.ConnectionPool.check_connection(connection)
    except psycopg.Error:
        return False
    return True
