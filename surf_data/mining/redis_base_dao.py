"""`RedisBaseDAO`: a connection to Redis, as its callers know it."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import redis

from surf_data.errors import RedisError
from surf_data.kernel.log_messages import get_logger
from surf_data.mining.connections import shared_layer
from surf_data.mining.layer import MiningDataLayer
from surf_data.mining.operations import Observed, OperationCounts

_log = get_logger("surf_data.mining.redis")

T = TypeVar("T")


class RedisBaseDAO:
    """Redis as a source: a failure is an error, within ``REDIS_TOTAL_TIMEOUT``, and never an empty answer.

    Reads are tried three times; after several failures in a row Redis is left alone for a moment, and the error comes
    at once. Connections belong to the process and are used by any number of threads; so may an object be.

    Arguments:
        data: the data layer to use; without one, the process's own, opened from the environment at the first use.
    """

    #: How often a read is tried.
    max_retries = 3

    def __init__(self, data: MiningDataLayer | None = None) -> None:
        self._given = data
        self._counts = OperationCounts()

    @property
    def _data(self) -> MiningDataLayer:
        return self._given or shared_layer()

    @property
    def connection_details(self) -> dict[str, Any]:
        """``host``, ``port``, ``database``, ``user`` and ``ssl``, as they are configured; no password."""
        url = self._data.redis.settings.redis_url
        parts = urlsplit("" if url is None else url.reveal())
        # One of several servers is the first that is named; a socket has no host.
        place = parts.netloc.rpartition("@")[2].partition(",")[0]
        host, _, port = place.rpartition(":") if not place.endswith("]") and ":" in place else (place, "", "")
        return {
            "host": host or parts.path,
            "port": port or None,
            "database": parts.path.strip("/") if place else "",
            "user": parts.netloc.partition(":")[0] if "@" in parts.netloc else "",
            "ssl": parts.scheme.startswith("rediss"),
        }

    def connect(self) -> Self:
        """Make a round trip now instead of at the first command.

        Raises:
            RedisConnectionError: Redis cannot be reached.
        """
        self._demand("connect", lambda client: client.ping(), read=True)
        return self

    def ping(self) -> bool:
        """Return whether Redis answers."""
        return self._data.redis.ping().reason is None

    def health_check(self) -> dict[str, Any]:
        """Return ``ok``, ``latency_ms``, ``reason`` and ``warning``: a source must not evict what it holds."""
        ping = self._data.redis.ping()
        warning = None
        if ping.reason is None:
            try:
                memory: Any = self._data.redis.demand(lambda client: client.info("memory"), read=True)
            except RedisError:
                memory = {}
            # 0 is no limit: nothing is ever evicted.
            if memory.get("maxmemory") and memory.get("maxmemory_policy") != "noeviction":
                warning = "maxmemory_policy is not noeviction: what it holds may be evicted"
        return {
            "ok": ping.reason is None,
            "latency_ms": ping.seconds * 1000,
            "reason": ping.reason,
            "warning": warning,
        }

    def get_metrics(self) -> dict[str, Any]:
        """Return ``redis``, as `RedisManager.stats`, and ``operations``, the calls of this object."""
        return {"redis": self._data.redis.stats(), "operations": self._counts.to_dict()}

    def close(self) -> None:
        """Do nothing: connections belong to the process, which closes them by `close_all_connections`. Idempotent."""

    def close_connection(self) -> None:
        """Do what `close` does."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _demand(self, operation: str, work: Callable[[redis.Redis], T], *, read: bool) -> T:
        with Observed(operation, self._counts, lambda: self.connection_details):
            return self._data.redis.demand(work, read=read, timeout=self._data.mining.redis_total_timeout)
