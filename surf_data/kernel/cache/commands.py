"""The commands that a cluster has to be asked in another way than a single server."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import attrs
import redis
from redis.cluster import RedisCluster


def get(client: redis.Redis, name: str) -> Any:
    """Return the value of a key, ``None`` where there is none.

    This is what the cache does most, and the driver's client takes half as long again as its connections do, for
    retries and telemetry that are not wanted here.
    """
    if _cluster(client) is not None:
        return client.get(name)
    pool = client.connection_pool
    # The driver annotates its connections in part.
    connection: Any = pool.get_connection()
    try:
        connection.send_command("GET", name)
        return connection.read_response()
    except redis.ResponseError:
        raise
    except BaseException:
        # The answer may still be under way, and must not be taken for that to another question.
        connection.disconnect()
        raise
    finally:
        pool.release(connection)


def get_many(client: redis.Redis, names: Sequence[str]) -> list[Any]:
    """Return the values of keys, ``None`` where there is none; from a cluster not all at the same moment."""
    cluster = _cluster(client)
    return cast("list[Any]", client.mget(names) if cluster is None else cluster.mget_nonatomic(names))


def set_many(client: redis.Redis, documents: Mapping[str, bytes], ttl_seconds: int) -> int:
    """Store all documents or none, and return how many; in a cluster each by itself, and an error may leave some."""
    with client.pipeline(transaction=_cluster(client) is None) as pipeline:
        for name, document in documents.items():
            pipeline.set(name, document, ex=ttl_seconds)
        return len(pipeline.execute())


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
    # Whatever is not UTF-8 is nobody's key here, and matches nothing.
    return [name.decode(errors="surrogateescape") for name in names]


def _cluster(client: redis.Redis) -> Any:
    """Return the client if it is a cluster's, which its type does not say."""
    # Not isinstance(), which asks each method of the class.
    unknown: Any = client
    return unknown if type(unknown) is RedisCluster else None
