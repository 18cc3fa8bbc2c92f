"""The way to Redis: one client, and the one place through which every command goes."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import redis

from surf_data.errors import RedisError, RedisUnavailable
from surf_data.kernel import forking, validation
from surf_data.kernel.backoff import Backoff
from surf_data.kernel.redis.breaker import CircuitBreaker
from surf_data.kernel.redis.deadlines import within
from surf_data.kernel.redis.reasons import code_of, may_be_applied, reason_of
from surf_data.kernel.secret import Secret
from surf_data.kernel.settings import Settings

if TYPE_CHECKING:
    from surf_data.kernel.redis.topology import Topology

T = TypeVar("T")

_log = logging.getLogger(__name__)

# Between two attempts of `RedisManager.demand`.
_BACKOFF = Backoff(0.075)
# How often `RedisManager.demand` tries what may be tried again.
_ATTEMPTS = 3


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
        self._errors = 0

    def call(self, operation: Callable[[redis.Redis], T], *, read: bool, otherwise: T) -> T:
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
            self._count_error()
            _log.debug("no connection to Redis became free")
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
                self._note_failure(breaker, ticket, error)
                return otherwise
            except BaseException:
                breaker.failed(ticket)
                raise
            self._note_answer(breaker, ticket)
            return answer
        finally:
            slots.release()

    def demand(self, operation: Callable[[redis.Redis], T], *, read: bool, timeout: float = 10.0) -> T:
        """Return what ``operation`` returns: for a source of data, whose failure is an error.

        What only reads is tried three times in all, what writes only while nothing was sent. `call` and `demand` share
        connections and the breaker; while that is open, the error is raised at once.

        Arguments:
            operation: issues the commands. It may be run several times when it only reads.
            read: whether it only reads.
            timeout: seconds for all of it, connections and retries included, above 0.

        Raises:
            ValidationError: ``timeout`` is no such number.
            RedisUnavailable: Redis cannot be reached, or did not answer in time.
            RedisError: Redis refused the command; ``reason`` and ``code`` say why.
        """
        if not validation.number("timeout", timeout) > 0:
            raise validation.invalid("timeout", "must be above 0")
        deadline = time.monotonic() + timeout
        attempt = 1
        while isinstance(outcome := self._demand_once(operation, read=read, deadline=deadline), RedisError):
            transient = isinstance(outcome, RedisUnavailable) and (read or not outcome.ambiguous)
            moment = _BACKOFF.seconds(attempt)
            if not transient or self._absent or attempt == _ATTEMPTS or time.monotonic() + moment >= deadline:
                # Raised outside any handler: nothing of the driver's is chained.
                raise outcome
            time.sleep(moment)
            attempt += 1
        return outcome[0]

    def _demand_once(
        self, operation: Callable[[redis.Redis], T], *, read: bool, deadline: float
    ) -> tuple[T] | RedisError:
        """Return the answer in a tuple, or what to raise instead of it."""
        breaker, slots = self._breaker, self._slots
        if self._absent:
            return RedisUnavailable(reason=self._absent)
        if not slots.acquire(timeout=max(0.0, deadline - time.monotonic())):
            self._count_error()
            return RedisUnavailable(reason="no connection became free")
        try:
            ticket = breaker.admit()
            if ticket is None:
                return RedisUnavailable(reason="not asked: it failed several times in a row")
            with within(deadline):
                try:
                    answer = operation(self._client or self._open())
                except redis.ResponseError as error:
                    self._note_answer(breaker, ticket)
                    self._note_error(error)
                    return RedisError(reason=reason_of(error), code=code_of(error))
                except Exception as error:  # noqa: BLE001 - as in `call`
                    self._note_failure(breaker, ticket, error)
                    ambiguous = not read and may_be_applied(error)
                    return RedisUnavailable(reason=reason_of(error), code=code_of(error), ambiguous=ambiguous)
                except BaseException:
                    breaker.failed(ticket)
                    raise
            self._note_answer(breaker, ticket)
            return (answer,)
        finally:
            slots.release()

    @property
    def is_configured(self) -> bool:
        """Whether there is a ``redis_url``."""
        return self._topology is not None

    @property
    def is_single_server(self) -> bool:
        """Whether ``redis_url`` leads to one server, rather than to Sentinels or a cluster."""
        # Not with this module, like all that knows of topologies.
        from surf_data.kernel.redis.topology import Single  # noqa: PLC0415

        return isinstance(self._topology, Single)

    def dedicated_connection(self) -> Any:
        """Return a connection of the driver's that is in no pool and not connected yet; the caller closes it.

        It is for what a shared connection cannot do, such as a subscription, and counts for no limit.

        Raises:
            RedisUnavailable: there is no single server that it could lead to.
        """
        from surf_data.kernel.redis.topology import Single  # noqa: PLC0415

        if isinstance(self._topology, Single):
            return self._topology.connection(self.settings)
        raise RedisUnavailable(reason="not a single server")

    def stats(self) -> dict[str, int | str]:
        """Return the counts since the start of the process.

        ``errors`` are calls that failed, ``rejected`` those that the breaker answered. ``opened`` is how often the
        breaker opened, ``breaker`` its state: ``closed``, ``open`` or ``half-open``.
        """
        breaker = self._breaker
        with self._lock:
            errors = self._errors
        return {"errors": errors, "breaker": breaker.state, "opened": breaker.opened, "rejected": breaker.rejected}

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
                reason = reason_of(error)
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

    def _attempt(self, operation: Callable[[redis.Redis], T], *, read: bool) -> T:
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
            _log.warning("cache breaker closed")

    def _note_failure(self, breaker: CircuitBreaker, ticket: int, error: Exception) -> None:
        self._note_error(error)
        if breaker.failed(ticket):
            _log.warning("cache breaker opened", extra={"error": type(error).__name__})

    def _count_error(self) -> None:
        with self._lock:
            self._errors += 1

    def _note_error(self, error: Exception) -> None:
        self._count_error()
        _log.debug("cache call failed", extra={"error": type(error).__name__})


def _topology(url: Secret) -> "Topology":
    # Not with this module: what knows of Sentinels and clusters is for those who have a Redis.
    from surf_data.kernel.redis.url import topology_of  # noqa: PLC0415

    return topology_of(url)
