"""A connection on which Redis tells which keys have changed, so that a near cache can be trusted."""

import queue
import random
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Literal

import redis

from surf_data.kernel import forking, threads
from surf_data.kernel.cache.near import NearCache
from surf_data.kernel.log_messages import get_logger
from surf_data.kernel.redis.manager import RedisManager
from surf_data.kernel.redis.permits import Permit, Permits
from surf_data.kernel.redis.reasons import reason_of

_log = get_logger(__name__)

#: Seconds between two questions whether the server is there.
PING_INTERVAL = 0.5
#: Seconds for which an answer is trusted, from when the question was asked; after that the connection is given up.
LEASE = 1.5
# Seconds until a connection is tried again, give or take a half, so that many processes do not come back as one.
_RECONNECT_INTERVAL = 0.5
_CHANNEL = "__redis__:invalidate"
# For how long a database keeps what it is known by: a day. Then the near cache is emptied once.
_IDENTITY_SECONDS = 86_400

#: ``idle``: not needed so far. ``on``: the near cache is used. ``lost``: it is not, for want of a connection.
State = Literal["idle", "lost", "on"]


class Tracker:
    """Keeps a near cache right, by a thread of its own that is begun when it is first needed.

    The server sends the names of all keys with certain prefixes that are written, deleted, evicted or expire. While
    the connection is lost or silent the near cache is empty and not used.

    Arguments:
        near: what is to be kept right.
        connect: returns a connection of the driver's that has no other user, not connected yet.
        identify: returns what tells the database from any other, which may be put in its place (``SWAPDB``).
        prefixes: what the keys begin with; none may begin with another one.
    """

    def __init__(
        self,
        near: NearCache,
        connect: Callable[[], Any],
        identify: Callable[[], object],
        prefixes: Sequence[str],
    ) -> None:
        self._near = near
        self._connect = connect
        self._identify = identify
        self._prefixes = prefixes
        self._connection: Any = None
        self.reset_after_fork()
        forking.register(self)

    def reset_after_fork(self) -> None:
        """Start afresh; `surf_data.kernel.forking` calls this in a forked child."""
        if self._connection is not None:
            # The driver sees that it is the parent's, and closes no more than the child's own descriptor.
            self._connection.disconnect()
        self._connection = None
        # Held by the thread for as long as it runs.
        self._running = Permits(1)
        self._is_closed = False
        # Closing puts something in, which ends a pause.
        self._closed: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._is_lost = False

    @property
    def state(self) -> State:
        """Whether the near cache is used."""
        if self._near.is_trusted:
            return "on"
        return "lost" if self._is_lost else "idle"

    def begin(self) -> None:
        """Begin to listen, if that has not begun."""
        # Looked at first, since every lookup comes here.
        if self._near.is_trusted or self._is_closed or (permit := self._running.take()) is None:
            return
        # There may be too many threads; then the next lookup tries.
        with suppress(RuntimeError):
            threads.start(self._work, permit)

    def close(self) -> None:
        """End the thread and its connection, and distrust what is kept."""
        self._is_closed = True
        self._closed.put(None)
        connection = self._connection
        if connection is not None and (opened := connection._sock):  # noqa: SLF001 - disconnecting is not for two
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
        # Waits until the thread has ended.
        self._running.take(LEASE)
        self._near.distrust()

    def _work(self, permit: Permit) -> None:
        try:
            while not self._is_closed:
                self._try_to_listen()
        finally:
            self._running.give_back(permit)

    def _try_to_listen(self) -> None:
        try:
            self._listen()
        except Exception as error:  # noqa: BLE001 - a reply that is no Redis's comes as ValueError and others
            if not (self._is_lost or self._is_closed):
                _log.warning("near cache off", extra={"error": type(error).__name__, "reason": reason_of(error)})
        finally:
            self._is_lost = True
            self._near.distrust()
        with suppress(queue.Empty):
            self._closed.get(timeout=_RECONNECT_INTERVAL * (0.5 + random.random()))  # noqa: S311 - jitter, no secret

    def _listen(self) -> None:
        self._connection = self._connect()
        try:
            self._follow(self._connection)
        finally:
            self._connection.disconnect()

    def _follow(self, connection: Any) -> None:
        connection.connect()
        number = _ask(connection, "CLIENT", "ID")
        prefixes = [word for prefix in self._prefixes for word in ("PREFIX", prefix)]
        # To itself: in this version of the protocol messages come by subscription.
        _ask(connection, "CLIENT", "TRACKING", "ON", "REDIRECT", number, "BCAST", *prefixes)
        _ask(connection, "SUBSCRIBE", _CHANNEL)
        asked, pending = float("-inf"), False
        database = self._identify()
        while not self._is_closed:
            now = time.monotonic()
            if not pending and now >= asked + PING_INTERVAL:
                connection.send_command("PING")
                asked, pending = now, True
                # That another database has come into its place is not reported.
                if (present := self._identify()) != database:
                    database = present
                    self._near.clear()
            if pending and now >= asked + LEASE:
                raise redis.TimeoutError
            if connection.can_read(timeout=asked + (LEASE if pending else PING_INTERVAL) - now):
                kind, *rest = connection.read_response()
                if kind == b"message":
                    self._forget(rest[1])
                else:
                    # What was sent before the answer has been read by now.
                    pending = False
                    self._trust(asked + LEASE)

    def _trust(self, until: float) -> None:
        self._near.trust(until)
        if self._is_lost:
            self._is_lost = False
            _log.warning("near cache on")

    def _forget(self, names: list[bytes] | None) -> None:
        if names is None:
            # The whole database was emptied.
            self._near.clear()
        else:
            self._near.forget([name.decode(errors="surrogateescape") for name in names])


def identity(manager: RedisManager, name: str) -> bytes:
    """Return what tells the database of a manager from any other: the text under a key that is kept for this.

    Raises:
        redis.ConnectionError: it cannot be told.
    """

    def ask(client: redis.Redis) -> Any:
        client.set(name, secrets.token_hex(8), nx=True, ex=_IDENTITY_SECONDS)
        return client.get(name)

    found: Any = manager.call(ask, read=False, otherwise=None)
    if not isinstance(found, bytes):
        raise redis.ConnectionError
    return found


def _ask(connection: Any, *command: Any) -> Any:
    connection.send_command(*command)
    return connection.read_response()
