"""Where Redis is: one server, a service that Sentinels watch, or a cluster."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

import attrs
import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.connection import Connection, SSLConnection
from redis.retry import Retry
from redis.sentinel import (
    Sentinel,
    SentinelConnectionPool,
    SentinelManagedConnection,
    SentinelManagedSSLConnection,
)

from surf_data.kernel.redis.connections import bounded
from surf_data.kernel.redis.parser import PARSER
from surf_data.kernel.settings import Settings

#: Host name or IP address, and TCP port.
Address = tuple[str, int]


class Topology(Protocol):
    """Makes clients, and unmakes them."""

    def connect(self, settings: Settings) -> redis.Redis:
        """Return a client. May connect, and then raise whatever the driver raises."""
        ...

    def close(self, client: redis.Redis) -> None:
        """Close the idle connections of a client; those in use close when their call ends."""
        ...

    def abandon(self, client: redis.Redis) -> None:
        """Let go of a client in a forked child without touching its connections and locks, which are the parent's."""
        ...


def _no_retries() -> Retry:
    # The driver's own would multiply the time-out, and apply a write twice whose reply was lost.
    return Retry(NoBackoff(), 0)


def _general(settings: Settings) -> dict[str, Any]:
    """Return the options of every connection, wherever it leads."""
    return {
        # Without the driver's greeting a new connection costs no round trip beside those for the password and the
        # database.
        "driver_info": None,
        "protocol": 2,
        "socket_connect_timeout": settings.cache_timeout,
        "socket_timeout": settings.cache_timeout,
    }


def _own(settings: Settings) -> dict[str, Any]:
    """Return the options of a pool of the library's own making."""
    return {"max_connections": settings.cache_max_connections, "parser_class": PARSER, "retry": _no_retries()}


def _one_at_a_time(refresh: Callable[..., None]) -> Callable[..., None]:
    """Return a function that does the same unless another thread is at it.

    After a failure every thread asks all nodes, one thread after the other, where the slots are now. When all nodes
    hang, the last of twenty would have its answer after twenty times as many time-outs as there are nodes.
    """
    under_way = threading.Lock()

    def refresh_once(*arguments: Any, **keywords: Any) -> None:
        if under_way.acquire(blocking=False):
            try:
                refresh(*arguments, **keywords)
            finally:
                under_way.release()

    return refresh_once


@attrs.frozen(kw_only=True, eq=False)
class Single:
    """One server."""

    #: The driver's connection options, with where it is.
    options: Mapping[str, Any] = attrs.field(repr=False)

    def connect(self, settings: Settings) -> redis.Redis:
        """Return a client; it connects when it is first used."""
        return redis.Redis(connection_pool=redis.ConnectionPool(**self._complete(settings)))

    def connection(self, settings: Settings) -> Any:
        """Return a connection of the driver's that is in no pool; it does not connect by itself."""
        options = self._complete(settings)
        del options["max_connections"]
        return options.pop("connection_class")(**options)

    def _complete(self, settings: Settings) -> dict[str, Any]:
        options = {**self.options, **_general(settings), **_own(settings)}
        return {**options, "connection_class": bounded(options["connection_class"])}

    def close(self, client: redis.Redis) -> None:
        """Close the idle connections."""
        client.connection_pool.disconnect(inuse_connections=False)

    def abandon(self, client: redis.Redis) -> None:
        """Do nothing: the connections know which process they belong to."""


@attrs.frozen(kw_only=True, eq=False)
class Sentinels:
    """The primary of a service, as the Sentinels know it when a connection is made."""

    #: Where the Sentinels are.
    addresses: tuple[Address, ...]
    #: What they call the service.
    service: str
    #: The driver's connection options for the servers of the service.
    options: Mapping[str, Any] = attrs.field(repr=False)
    #: The same for the Sentinels.
    sentinel_options: Mapping[str, Any] = attrs.field(repr=False)

    def connect(self, settings: Settings) -> redis.Redis:
        """Return a client; it asks the Sentinels when it is first used, and each time it connects."""
        options = {**self.options, **_general(settings), **_own(settings)}
        tls = issubclass(options["connection_class"], SSLConnection)
        options["connection_class"] = bounded(SentinelManagedSSLConnection if tls else SentinelManagedConnection)
        asking = {**self.sentinel_options, **_general(settings), **_own(settings)}
        asking["connection_class"] = bounded(SSLConnection if tls else Connection)
        # The driver annotates its Sentinel client in part, and would connect it in a way of its own.
        sentinel = cast("Any", Sentinel)([])
        sentinel.sentinels = [
            redis.Redis(connection_pool=redis.ConnectionPool(host=host, port=port, **asking))
            for host, port in self.addresses
        ]
        pool = cast("Any", SentinelConnectionPool)(self.service, sentinel, **options)
        return redis.Redis(connection_pool=pool)

    def close(self, client: redis.Redis) -> None:
        """Close the idle connections, those to the Sentinels too."""
        pool: Any = client.connection_pool
        pool.disconnect(inuse_connections=False)
        for sentinel in pool.sentinel_manager.sentinels:
            sentinel.connection_pool.disconnect(inuse_connections=False)

    def abandon(self, client: redis.Redis) -> None:
        """Do nothing: the connections know which process they belong to."""


@attrs.frozen(kw_only=True, eq=False)
class Cluster:
    """A Redis Cluster, found through some of its nodes."""

    #: Where some of its nodes are.
    addresses: tuple[Address, ...]
    #: The driver's connection options for all of its nodes.
    options: Mapping[str, Any] = attrs.field(repr=False)

    def connect(self, settings: Settings) -> redis.Redis:
        """Return a client that has asked a node where all the others are."""
        options = dict(self.options)
        tls = issubclass(options.pop("connection_class"), SSLConnection)
        nodes = [cast("Any", ClusterNode)(host, port) for host, port in self.addresses]
        cluster = RedisCluster(
            startup_nodes=nodes,
            retry=_no_retries(),
            # What is lost with a part of the cluster is that part.
            require_full_coverage=False,
            max_connections=settings.cache_max_connections,
            ssl=tls,
            **{**options, **_general(settings)},
        )
        nodes_manager: Any = cluster.nodes_manager
        nodes_manager.initialize = _one_at_a_time(nodes_manager.initialize)
        return cast("redis.Redis", cluster)

    def close(self, client: redis.Redis) -> None:
        """Close the idle connections to all nodes."""
        for connected in [node.redis_connection for node in cast("Any", client).get_nodes() if node.redis_connection]:
            connected.connection_pool.disconnect(inuse_connections=False)

    def abandon(self, client: redis.Redis) -> None:
        """Keep the client from closing itself, which takes a lock that another thread of the parent may have held."""
        cast("Any", client).close = lambda: None
