"""The commands that a cluster has to be asked in another way than a single server."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import attrs
import redis
from redis.cluster import RedisCluster

from surf_data.kernel.cache.json_values import Document


def get(client: redis.Redis, name: str) -> Any:
    """Return the value of a key, ``None`` where there is none.

    This is what the cache does most, and the driver's client takes half as long again as its connections do, for
    retries and telemetry that are not wanted here.
    """
    if _cluster(client) is not None:
        return client.get(name)
    # The driver annotates its connections in part.
    connection: Any = client.connection_pool.get_connection()
    connection.send_command("GET", name)
    return connection.read_response()


def get_many(client: redis.Redis, names: Sequence[str]) -> list[Any]:
    """Return the values of keys, ``None`` where there is none; from a cluster not all at the same moment."""
    cluster = _cluster(client)
    return cast("list[Any]", client.mget(names) if cluster is None else cluster.mget_nonatomic(names))


def set_many(client: redis.Redis, documents: Mapping[str, Document]) -> int:
    """Store documents for so many seconds each, all or none, and return how many.

    In a cluster each is stored by itself, and an error may leave some.
    """
    with client.pipeline(transaction=_cluster(client) is None) as pipeline:
        for name, document in documents.items():
            pipeline.set(name, document.text, ex=document.ttl_seconds)
        return len(pipeline.execute())


def times_to_live(client: redis.Redis, names: Sequence[str]) -> list[int]:
    """Return the milliseconds that keys have left; -1 for a key that does not expire, -2 for one that is gone."""
    with client.pipeline(transaction=False) as pipeline:
        for name in names:
            pipeline.pttl(name)
        return [int(milliseconds) for milliseconds in pipeline.execute()]


@attrs.frozen
class Walk:
    """How far a walk through all keys has come."""

    #: The cursors of the servers that are not finished, by the names of the cluster's nodes; ``None`` at the start.
    cursors: Mapping[str, int] | None = None

    @property
    def is_over(self) -> bool:
        """Whether all keys have been seen."""
        return self.cursors is not None and not self.cursors


def scan(client: redis.Redis, walk: Walk, glob: str, count: int) -> tuple[Walk, list[str]]:
    """Take a step: return how far the walk has come, and the names found that match a pattern.

    Arguments:
        client: the way to the server or the cluster.
        walk: how far it had come.
        glob: a Redis glob pattern.
        count: how many keys a server looks at.
    """
    cluster = _cluster(client)
    if cluster is None:
        [cursor] = walk.cursors.values() if walk.cursors else [0]
        following, names = client.scan(cursor, match=glob, count=count)
        return Walk({"": int(following)} if int(following) else {}), _texts(names)
    cursors = dict(walk.cursors or {node.name: 0 for node in cluster.get_primaries()})
    name, cursor = cursors.popitem()
    node = cluster.get_node(node_name=name)
    following, names = cluster.scan(cursor, match=glob, count=count, target_nodes=node)
    return Walk({**cursors, name: following[name]} if following[name] else cursors), _texts(names)


def _texts(names: Any) -> list[str]:
    # What is not UTF-8 is no key of this library, and matches nothing.
    return [name.decode(errors="surrogateescape") for name in names]


def _cluster(client: redis.Redis) -> Any:
    """Return the client if it is a cluster's, which its type does not say."""
    # Not isinstance(), which asks each method of the class.
    unknown: Any = client
    return unknown if type(unknown) is RedisCluster else None
