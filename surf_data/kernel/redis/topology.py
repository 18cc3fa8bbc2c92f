"""Where Redis is: one server, a service that Sentinels watch, or a cluster."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from functools import partial
from typing import Any, Protocol, cast

import attrs
import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.connection import Connection, SSLConnection
from redis.retry import Retry
from redis.sentinel import MasterNotFoundError, SentinelManagedConnection, SentinelManagedSSLConnection

from surf_data.kernel.redis.connections import SentinelPool, bounded, client_of
from surf_data.kernel.redis.lines import Lines, OwnLines, SharedLines
from surf_data.kernel.redis.packer import PACKER
from surf_data.kernel.redis.parser import PARSER
from surf_data.kernel.redis.permits import Permit, Permits
from surf_data.kernel.settings import Settings

#: Host name or IP address, and TCP port.
Address = tuple[str, int]


class Topology(Protocol):
    """Makes the lines to where Redis is."""

    def lines(self, settings: Settings) -> Lines:
        """Return the lines; nothing is connected."""
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


def _own() -> dict[str, Any]:
    """Return the options of connections of the library's own making."""
    return {"command_packer": PACKER, "parser_class": PARSER, "retry": _no_retries()}


def _one_at_a_time(refresh: Callable[..., None]) -> Callable[..., None]:
    """Return a function that does the same unless another thread is at it.

    After a failure every thread asks all nodes, one thread after the other, where the slots are now. When all nodes
    hang, the last of twenty would have its answer after twenty times as many time-outs as there are nodes.
    """
    under_way = Permits(1)

    def refresh_once(*arguments: Any, **keywords: Any) -> None:
        permit: Permit | None = None
        try:
            permit = under_way.take()
            if permit is not None:
                refresh(*arguments, **keywords)
        finally:
            if permit is not None:
                permit.is_over = True
                under_way.give_back(permit)

    return refresh_once


@attrs.frozen(kw_only=True, eq=False)
class Single:
    """One server."""

    #: The driver's connection options, with where it is.
    options: Mapping[str, Any] = attrs.field(repr=False)

    def lines(self, settings: Settings) -> Lines:
        """Return the lines to the server."""
        options = {**self.options, **_general(settings), **_own()}
        return OwnLines(partial(client_of, options.pop("connection_class"), **options))

    def connection(self, settings: Settings) -> Any:
        """Return a connection of the driver's that is in no pool; it does not connect by itself."""
        options = {**self.options, **_general(settings), **_own()}
        return bounded(options.pop("connection_class"))(**options)


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

    def lines(self, settings: Settings) -> Lines:
        """Return the lines to the primary; each asks the Sentinels whenever it connects."""
        options = {**self.options, **_general(settings), **_own()}
        tls = issubclass(options["connection_class"], SSLConnection)
        options["connection_class"] = bounded(SentinelManagedSSLConnection if tls else SentinelManagedConnection)
        asking = {**self.sentinel_options, **_general(settings), **_own()}
        watch = _Watch(self.addresses, partial(client_of, SSLConnection if tls else Connection, **asking))

        def connect() -> redis.Redis:
            # The driver annotates its Sentinel client in part.
            return redis.Redis(connection_pool=cast("Any", SentinelPool)(self.service, watch, **options))

        return OwnLines(connect)


class _Watch:
    """Asks the Sentinels, over connections that are closed again: they are needed only when something has happened."""

    def __init__(self, addresses: Sequence[Address], connect: Callable[..., redis.Redis]) -> None:
        self._addresses = tuple(addresses)
        self._connect = connect

    def discover_master(self, service: str) -> Address:
        """Return where the primary is. The driver's pool calls this, by this name."""
        for address in self._addresses:
            host, port = address
            sentinel: Any = self._connect(host=host, port=port)
            with suppress(redis.ConnectionError, redis.TimeoutError), closing(sentinel.connection_pool):
                state = sentinel.sentinel_masters().get(service)
                if state and state["is_master"] and not state["is_sdown"] and not state["is_odown"]:
                    # The next time it is asked first.
                    self._addresses = (address, *(other for other in self._addresses if other != address))
                    return state["ip"], state["port"]
        raise MasterNotFoundError


@attrs.frozen(kw_only=True, eq=False)
class Cluster:
    """A Redis Cluster, found through some of its nodes."""

    #: Where some of its nodes are.
    addresses: tuple[Address, ...]
    #: The driver's connection options for all of its nodes.
    options: Mapping[str, Any] = attrs.field(repr=False)

    def lines(self, settings: Settings) -> Lines:
        """Return the lines to the cluster: one client, which asks a node where all the others are."""
        return SharedLines(partial(self._connect, settings), settings.cache_timeout, close=_close, abandon=_abandon)

    def _connect(self, settings: Settings) -> redis.Redis:
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
        create = nodes_manager.create_redis_node
        nodes_manager.create_redis_node = lambda *place, **keywords: _bound(create(*place, **keywords))
        for node in nodes_manager.nodes_cache.values():
            _bound(node.redis_connection)
        return cast("redis.Redis", cluster)


def _bound(client: redis.Redis) -> redis.Redis:
    """Have a client of the driver's making use connections with bounds from now on."""
    pool: Any = client.connection_pool
    pool.connection_class = bounded(pool.connection_class)
    pool.connection_kwargs |= {"command_packer": PACKER, "parser_class": PARSER}
    pool.disconnect()
    pool.reset()
    return client


def _close(client: redis.Redis) -> None:
    """Close the idle connections to all nodes of a cluster."""
    for connected in [node.redis_connection for node in cast("Any", client).get_nodes() if node.redis_connection]:
        connected.connection_pool.disconnect(inuse_connections=False)


def _abandon(client: redis.Redis) -> None:
    """Keep the client of a cluster from closing itself, which takes a lock that the parent may have held."""
    cast("Any", client).close = lambda: None
