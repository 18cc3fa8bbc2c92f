"""Reads from a replica: only what the writers of this process have written is in it, and only while it keeps up."""

import itertools
import threading
from collections.abc import Callable
from time import monotonic

import attrs

from surf_data.errors import DatabaseError, DatabaseUnavailable
from surf_data.kernel.log_messages import error_facts, get_logger
from surf_data.kernel.observation import Observation
from surf_data.kernel.postgres.connection import Connection
from surf_data.kernel.postgres.connector import Connector
from surf_data.kernel.postgres.pool import Pool
from surf_data.kernel.postgres.session import Session
from surf_data.kernel.postgres.session_queries import session_queries
from surf_data.kernel.settings import Settings

_log = get_logger("surf_data.kernel.postgres.replica")

#: Seconds to wait for a connection to the replica: the primary has one, too.
_CHECKOUT_TIMEOUT = 0.1
#: Seconds for which a replica that failed is left alone, and for which its lag is taken for known.
_PAUSE = 1.0


class Replica:
    """Lends connections to a replica that is good enough for a read.

    Arguments:
        settings: the data layer's; ``replica_url`` is set.
        position: asks the primary how far its log is, in bytes.
        observation: where callers that had to wait are reported.

    Raises:
        ConfigurationError: the URL is malformed.
    """

    def __init__(self, settings: Settings, position: Callable[[], int], observation: Observation) -> None:
        settings = attrs.evolve(settings, database_url=settings.replica_url, pool_min_size=0)
        self._connector = Connector(settings, "replica_url")
        self._pool = Pool(settings, self._connector, observation)
        self._max_lag = settings.replica_max_lag
        self._position = position
        self._start()

    def _start(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._last_write = 0
        #: What must be in the replica: everything up to the write of this number, which is at this position.
        self._needed = (0, 0)
        self._left_alone_until = 0.0
        #: Reads that were served, and reads that the primary had to serve instead.
        self.reads: int = 0
        self.fallbacks: int = 0

    def reset_after_fork(self) -> None:
        """In a forked child: begin with connections of its own."""
        self._connector.reset_after_fork()
        self._pool.reset_after_fork()
        self._start()

    def note_write(self) -> None:
        """Note that the primary may have been written to: later reads must see it."""
        # Of two threads either may be the last to store its number, and both differ from any that was stored before.
        self._last_write = next(self._numbers)

    def lend(self, purpose: str) -> Connection | None:
        """Lend a connection to a replica that has all writes so far and keeps up; ``None`` if there is none.

        Raises:
            DatabaseError: the primary cannot say how far it is.
        """
        connection = None
        if monotonic() >= self._left_alone_until:
            needed = self._needed_position()
            try:
                connection = self._pool.checkout(purpose, _CHECKOUT_TIMEOUT)
                if not self._is_fit(connection, needed):
                    self._pool.release(connection)
                    connection = None
            except DatabaseError as error:
                self.leave_alone(error)
                if connection is not None:
                    self._pool.release(connection)
                    connection = None
        with self._lock:
            if connection is None:
                self.fallbacks += 1
            else:
                self.reads += 1
        return connection

    def release(self, connection: Connection) -> None:
        """Take ``connection`` back."""
        self._pool.release(connection)

    def leave_alone(self, error: DatabaseError) -> None:
        """Go to the primary for a while."""
        _log.warning("replica left alone", extra=error_facts(error))
        self._left_alone_until = monotonic() + _PAUSE

    def _needed_position(self) -> int:
        number = self._last_write
        known, needed = self._needed
        if number != known:
            # Asked after the write, so that it is behind it, and once for all writes since the last read.
            position = self._position()
            with self._lock:
                needed = max(position, self._needed[1])
                self._needed = (number, needed)
        return needed

    def _is_fit(self, connection: Connection, needed: int) -> bool:
        now = monotonic()
        if connection.replayed < needed or now >= connection.checked + _PAUSE:
            replayed, lag = session_queries().replica_state(Session(connection))
            if replayed is None or lag is None or lag > self._max_lag:
                raise DatabaseUnavailable("the replica lags behind, or is none")
            connection.replayed, connection.checked = replayed, now
        return connection.replayed >= needed

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()
