"""The driver's connections, each with a client of its own and a bound on the time that it takes in all."""

from contextlib import suppress
from functools import cache
from typing import Any

import redis
from redis.sentinel import SentinelConnectionPool

from surf_data.kernel.redis import exchange


class _Bounded:
    """Ends what a connection does by the deadline of the exchange; the parsers do so for what it reads."""

    socket_connect_timeout: float
    socket_timeout: float
    _sock: Any

    def _connect(self) -> Any:
        connection: Any = super()
        if not exchange.has_deadline():
            return connection._connect()  # noqa: SLF001 - the driver's own step
        timeout = self.socket_connect_timeout
        self.socket_connect_timeout = exchange.seconds_left(timeout)
        try:
            return connection._connect()  # noqa: SLF001 - the driver's own step
        finally:
            self.socket_connect_timeout = timeout

    def send_packed_command(self, *arguments: Any, **keywords: Any) -> Any:
        connection: Any = super()
        opened = self._sock
        if opened is None or not exchange.has_deadline():
            return connection.send_packed_command(*arguments, **keywords)
        opened.settimeout(exchange.seconds_left(self.socket_timeout))
        try:
            return connection.send_packed_command(*arguments, **keywords)
        finally:
            # It may have been closed.
            with suppress(OSError):
                opened.settimeout(self.socket_timeout)


@cache
def bounded(kind: type) -> type:
    """Return the driver's class of connections with a bound."""
    return type(f"Bounded{kind.__name__}", (_Bounded, kind), {})


class _OneConnection:
    """A pool of a single connection, which one caller at a time uses: nothing in it is locked, counted or handed over.

    The driver's own pools hand connections over by several steps; an exception between two of them loses one.
    """

    _only: Any = None

    def get_connection(self, *_arguments: Any, **_keywords: Any) -> Any:
        connection = self._only
        if connection is None:
            pool: Any = self
            connection = self._only = pool.make_connection()
        connection.connect()
        # A connection that the server has closed, or on which something has arrived that was not asked for, is replaced
        # before anything is sent.
        try:
            is_clean = not connection.can_read()
        except (redis.ConnectionError, redis.TimeoutError, OSError):
            is_clean = False
        if not is_clean:
            connection.disconnect()
            connection.connect()
        exchange.note_connected()
        return connection

    def release(self, connection: Any) -> None:
        """Do nothing: it stays here."""

    def disconnect(self, inuse_connections: bool = True) -> None:  # noqa: FBT001, FBT002 - the driver's
        """Close the connection, unless only idle ones are meant, as when it is being opened."""
        if inuse_connections and self._only is not None:
            self._only.disconnect()


class Pool(_OneConnection, redis.ConnectionPool):
    """A single connection to a server."""


class SentinelPool(_OneConnection, SentinelConnectionPool):
    """A single connection to the primary of a service."""


def client_of(kind: type, **options: Any) -> redis.Redis:
    """Return a client with a single connection of the driver's class ``kind``."""
    return redis.Redis(connection_pool=Pool(connection_class=bounded(kind), **options))
