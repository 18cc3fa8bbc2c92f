"""The lines to Redis: clients that one caller at a time uses, each over a connection of its own."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol, cast

import redis

from surf_data.kernel.redis.permits import Permit, Permits


class Lines(Protocol):
    """Lends clients. A client that is neither given back nor dropped is gone, and nothing else with it."""

    def take(self) -> redis.Redis:
        """Return a client for one caller. May connect, and then raise whatever the driver raises."""
        ...

    def give_back(self, client: redis.Redis) -> None:
        """Take a client back on which every reply has been read."""
        ...

    def drop(self, client: redis.Redis, *, interrupted: bool = False) -> None:
        """Close a client on which a reply may be missing; ``interrupted``: at any point of the driver's own work."""
        ...

    def replace(self) -> None:
        """Have later callers use connections that are made from now on."""
        ...

    def close(self) -> None:
        """Close what is idle now, and the rest as it is given back."""
        ...

    def abandon(self) -> None:
        """Let go of everything in a forked child without touching connections and locks, which are the parent's."""
        ...


class OwnLines:
    """The clients of one server, or of one service, each with its own connection.

    Arguments:
        connect: returns a client that connects when it is first used.
    """

    def __init__(self, connect: Callable[[], redis.Redis]) -> None:
        self._connect = connect
        # Appending and popping are one step each.
        self._idle: deque[redis.Redis] = deque()
        self._generation = object()

    def take(self) -> redis.Redis:
        """Return a client for one caller."""
        with suppress(IndexError):
            return self._idle.pop()
        client = self._connect()
        cast("Any", client.connection_pool).generation = self._generation
        return client

    def give_back(self, client: redis.Redis) -> None:
        """Take a client back on which every reply has been read."""
        if cast("Any", client.connection_pool).generation is self._generation:
            self._idle.append(client)
        else:
            _disconnect(client)

    def drop(self, client: redis.Redis, *, interrupted: bool = False) -> None:  # noqa: ARG002 - no client knows another
        """Close a client on which a reply may be missing."""
        _disconnect(client)

    def replace(self) -> None:
        """Have later callers use connections that are made from now on."""
        self._generation = object()
        with suppress(IndexError):
            while True:
                _disconnect(self._idle.pop())

    def close(self) -> None:
        """Close what is idle now, and the rest as it is given back."""
        self.replace()

    def abandon(self) -> None:
        """Let go of all: the connections know which process they belong to."""
        self._idle = deque()


class SharedLines:
    """The client of a cluster, which lends connections of its own to its callers.

    Arguments:
        connect: returns a client that has asked a node where all the others are.
        timeout: seconds to wait for another caller who is at that.
        abandon: keeps a client of the parent's from closing itself.
        close: closes the idle connections to all nodes.
    """

    def __init__(
        self,
        connect: Callable[[], redis.Redis],
        timeout: float,
        *,
        close: Callable[[redis.Redis], None],
        abandon: Callable[[redis.Redis], None],
    ) -> None:
        self._connect = connect
        self._timeout = timeout
        self._close = close
        self._abandon = abandon
        self._client: redis.Redis | None = None
        self._is_closed = False
        # Others have no more time to wait for the nodes than to ask one.
        self._opening = Permits(1)

    def take(self) -> redis.Redis:
        """Return the client, after asking where the nodes are if it is not known."""
        if self._client is not None:
            return self._client
        permit: Permit | None = None
        try:
            permit = self._opening.take(self._timeout)
            if permit is None:
                raise redis.TimeoutError
            if self._client is None:
                self._client = self._connect()
            return self._client
        finally:
            if permit is not None:
                permit.is_over = True
                self._opening.give_back(permit)

    def give_back(self, client: redis.Redis) -> None:
        """Close its idle connections if that is due."""
        if self._is_closed:
            self._close(client)

    def drop(self, client: redis.Redis, *, interrupted: bool = False) -> None:
        """Begin anew after an interruption; what else is lost, the driver finds out and replaces itself."""
        if interrupted and self._client is client:
            self._client = None
        self.give_back(client)

    def replace(self) -> None:
        """Do nothing: the driver asks the nodes again by itself."""

    def close(self) -> None:
        """Close the idle connections; those in use close when their call ends."""
        self._is_closed = True
        client, self._client = self._client, None
        if client is not None:
            self._close(client)

    def abandon(self) -> None:
        """Let go of the client."""
        client, self._client = self._client, None
        if client is not None:
            self._abandon(client)


def _disconnect(client: redis.Redis) -> None:
    client.connection_pool.disconnect()
