"""The way to Redis: one client, and the one place through which every command goes."""

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import attrs
import redis
from redis.exceptions import ClusterDownError, NoPermissionError, RedisClusterException
from redis.sentinel import MasterNotFoundError

from surf_data.errors import ConfigurationError
from surf_data.kernel import forking
from surf_data.kernel.cache.near import NearCache
from surf_data.kernel.redis.breaker import CircuitBreaker
from surf_data.kernel.secret import Secret
from surf_data.kernel.settings import Settings

if TYPE_CHECKING:
    from surf_data.kernel.cache.tracking import Tracker
    from surf_data.kernel.redis.topology import Topology

_T = TypeVar("_T")

_logger = logging.getLogger(__name__)

#: What `RedisManager.stats` counts beside the breaker's own figures.
COUNTED = ("errors", "hits", "loads", "misses", "poisoned", "shared", "stale", "writes")

# Looked up in this order, for the error and what it came from. Fixed texts: the driver's own may echo what was sent.
_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (redis.AuthenticationError, "authentication failed"),
    (NoPermissionError, "permission denied"),
    (redis.BusyLoadingError, "loading its data"),
    (MasterNotFoundError, "the Sentinels know no primary"),
    (ClusterDownError, "the cluster is down"),
    (RedisClusterException, "not a cluster in working order"),
    (redis.TimeoutError, "timed out"),
    (redis.ResponseError, "refused the command"),
    (ssl.SSLError, "TLS failed"),
    (ConnectionRefusedError, "connection refused"),
    (FileNotFoundError, "file not found"),
    (PermissionError, "permission denied"),
    (socket.gaierror, "host name not resolved"),
    (OSError, "connection failed"),
    (redis.ConnectionError, "connection lost"),
)


@attrs.frozen(kw_only=True)
class Ping:
    """How Redis answered."""

    #: Seconds from asking to knowing.
    seconds: float
    #: Why Redis cannot be used, in a few fixed words; ``None`` when it can.
    reason: str | None = None


class RedisManager:
    """Connects to Redis when it is first needed, and keeps its failures from everybody else. Thread-safe.

    A child process of ``fork`` starts with connections, breaker and counts of its own.

    Arguments:
        settings: ``redis_url``, ``cache_timeout``, ``cache_max_connections``, ``cache_breaker_failures`` and
            ``cache_breaker_seconds`` are used here, ``cache_prefix`` by whoever makes keys. Without a ``redis_url``
            every call is answered at once as if Redis were unavailable.

    Raises:
        ConfigurationError: ``redis_url`` is malformed. The error does not repeat it.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._absent: str | None = None if settings.redis_url else "not configured"
        self._topology: Topology | None = _topology(settings.redis_url) if settings.redis_url else None
        self._client: redis.Redis | None = None
        self._near: NearCache | None = None
        self.reset_after_fork()
        forking.register(self)

    def reset_after_fork(self) -> None:
        """Start afresh; `surf_data.kernel.forking` calls this in a forked child."""
        settings = self.settings
        if self._topology and self._client:
            self._topology.abandon(self._client)
        self._client = None
        self._opening = threading.Lock()
        self._lock = threading.Lock()
        # The driver's pool either never waits or does not say that waiting was in vain.
        self._slots = threading.Semaphore(settings.cache_max_connections)
        self._breaker = CircuitBreaker(settings.cache_breaker_failures, settings.cache_breaker_seconds)
        self._counts: dict[str, int] = dict.fromkeys(COUNTED, 0)

    def call(self, operation: Callable[[redis.Redis], _T], *, read: bool, otherwise: _T) -> _T:
        """Return what ``operation`` returns, or ``otherwise`` when Redis cannot say.

        Never raises because of Redis, and takes ``cache_timeout`` for a connection to become free and again for each
        reply at the most; after ``cache_breaker_failures`` of them Redis is left alone for ``cache_breaker_seconds``
        and the answer comes at once.

        Arguments:
            operation: issues the commands. It may be run twice when it only reads.
            read: whether it only reads.
            otherwise: the answer of an empty cache.
        """
        if self._absent:
            return otherwise
        breaker, slots = self._breaker, self._slots
        # Whoever has to wait for a connection must not do so for a server that is being left alone.
        if not slots.acquire(blocking=False) and (
            breaker.state != "closed" or not slots.acquire(timeout=self.settings.cache_timeout)
        ):
            self.count(errors=1)
            _logger.debug("no connection to Redis became free")
            return otherwise
        try:
            ticket = breaker.admit()
            if ticket is None:
                return otherwise
            try:
                answer = self._attempt(operation, read=read)
            except redis.ResponseError as error:
                # The server is well; it does not like the command: out of memory, no permission, another type of key.
                self._note_answer(breaker, ticket)
                self._note_error(error)
                return otherwise
            except Exception as error:  # noqa: BLE001
                # Beside the driver's errors, which have two unrelated base classes, a reply that is not Redis's
                # protocol comes as ValueError, RecursionError and others.
                self._note_error(error)
                if breaker.failed(ticket):
                    _logger.warning("cache breaker opened", extra={"error": type(error).__name__})
                return otherwise
            except BaseException:
                breaker.failed(ticket)
                raise
            self._note_answer(breaker, ticket)
            return answer
        finally:
            slots.release()

    def track(self, near: NearCache, prefixes: Sequence[str]) -> "Tracker | None":
        """Return what keeps a near cache right, for keys with these prefixes; ``None`` without a ``redis_url``.

        Raises:
            ConfigurationError: there are several servers. With Sentinels the one that tells what has changed may be
                another than the one that is read, and in a cluster each tells of its own keys alone.
        """
        # Not with this module: a near cache is off by default.
        from surf_data.kernel.cache.tracking import Tracker  # noqa: PLC0415
        from surf_data.kernel.redis.topology import Single  # noqa: PLC0415

        topology = self._topology
        if topology is None:
            return None
        if not isinstance(topology, Single):
            raise ConfigurationError(
                "near_cache_bytes is for a single Redis server, not for Sentinels or a cluster",
                setting="near_cache_bytes",
            )
        self._near = near
        return Tracker(near, lambda: topology.connection(self.settings), prefixes)

    def count(self, **amounts: int) -> None:
        """Add to the counts that `stats` returns; the names are those of `COUNTED`."""
        with self._lock:
            for name, amount in amounts.items():
                self._counts[name] += amount

    def stats(self) -> dict[str, int | str]:
        """Return the counts since the start of the process.

        ``hits`` and ``misses`` are lookups. Among the hits, ``near_hits`` were answered by the near cache. Among the
        misses, ``stale`` and ``poisoned`` are values that were found but not used. ``loads`` are values that
        `JsonCache.get_or_load` computed, ``shared`` those that it got from another thread or process instead.
        ``writes`` are values stored. ``errors`` are calls that failed, ``rejected`` those that the breaker answered.
        ``opened`` is how often the breaker opened, ``breaker`` its state: ``closed``,
        ``open`` or ``half-open``.
        """
        with self._lock:
            counts = dict(self._counts)
        near_hits = 0 if self._near is None else self._near.hits
        counts |= {"hits": counts["hits"] + near_hits, "near_hits": near_hits}
        breaker = self._breaker
        return {**counts, "breaker": breaker.state, "opened": breaker.opened, "rejected": breaker.rejected}

    def ping(self) -> Ping:
        """Ask Redis whether it can be used, whatever the breaker thinks."""
        if self._absent:
            return Ping(seconds=0.0, reason=self._absent)
        started = time.perf_counter()
        reason: str | None = "no connection became free"
        slots = self._slots
        if slots.acquire(timeout=self.settings.cache_timeout):
            try:
                reason = None if self._attempt(lambda client: client.ping(), read=True) is True else "unexpected reply"
            except Exception as error:  # noqa: BLE001
                reason = _reason(error)
            finally:
                slots.release()
        return Ping(seconds=time.perf_counter() - started, reason=reason)

    def close(self) -> None:
        """Close the idle connections; those in use close when their call ends. Later calls find an empty cache."""
        if self._absent is None:
            self._absent = "closed"
        client, self._client = self._client, None
        if self._topology and client:
            self._topology.close(client)

    def _attempt(self, operation: Callable[[redis.Redis], _T], *, read: bool) -> _T:
        client = self._client or self._open()
        started = time.monotonic()
        try:
            return operation(client)
        except redis.ConnectionError as error:
            # A connection that the server has dropped costs nothing to find out; anything slower or more specific
            # would be as bad the second time.
            dropped = type(error) is redis.ConnectionError and time.monotonic() - started < self.settings.cache_timeout
            if not (read and dropped):
                raise
        return operation(client)

    def _open(self) -> redis.Redis:
        # A cluster has to be asked where its nodes are, and those who wait for that have no more time than others.
        if not self._opening.acquire(timeout=self.settings.cache_timeout):
            raise redis.TimeoutError
        try:
            if self._absent or self._topology is None:
                raise redis.ConnectionError
            if self._client is None:
                self._client = self._topology.connect(self.settings)
            return self._client
        finally:
            self._opening.release()

    def _note_answer(self, breaker: CircuitBreaker, ticket: int) -> None:
        if breaker.succeeded(ticket):
            _logger.warning("cache breaker closed")

    def _note_error(self, error: Exception) -> None:
        self.count(errors=1)
        _logger.debug("cache call failed", extra={"error": type(error).__name__})


def _topology(url: Secret) -> "Topology":
    # Not with this module: what knows of Sentinels and clusters is for those who have a Redis.
    from surf_data.kernel.redis.url import topology_of  # noqa: PLC0415

    return topology_of(url)


def _reason(error: BaseException) -> str:
    # No node could be asked where the others are; this is what the last one answered.
    if isinstance(error, RedisClusterException) and error.__cause__:
        error = error.__cause__
    # The one case that has no class of its own.
    if "max number of clients" in str(error):
        return "too many clients"
    for kind, reason in _REASONS:
        if isinstance(error, kind) or isinstance(error.__context__, kind):
            return reason
    return "unexpected reply"
