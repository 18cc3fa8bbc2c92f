"""The way to Redis: the one place through which every command goes."""

import math
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import redis
from redis.exceptions import NoPermissionError

from surf_data.errors import RedisError, RedisUnavailable
from surf_data.kernel import forking, validation
from surf_data.kernel.backoff import Backoff
from surf_data.kernel.log_messages import get_logger
from surf_data.kernel.observation import Observation, Observer
from surf_data.kernel.redis import exchange
from surf_data.kernel.redis.breaker import CircuitBreaker
from surf_data.kernel.redis.permits import Permit, Permits
from surf_data.kernel.redis.reasons import code_of, is_callers, is_demoted, is_refusal, may_be_applied, reason_of
from surf_data.kernel.secret import Secret
from surf_data.kernel.settings import Settings

if TYPE_CHECKING:
    from surf_data.kernel.redis.lines import Lines
    from surf_data.kernel.redis.topology import Topology

T = TypeVar("T")

_log = get_logger(__name__)

# Between two attempts of `RedisManager.demand`.
_BACKOFF = Backoff(0.075)
# How often `RedisManager.demand` tries what may be tried again.
_ATTEMPTS = 3


@attrs.frozen(kw_only=True)
class Ping:
    """How Redis answered."""

    #: Seconds from asking to knowing.
    seconds: float
    #: Why Redis cannot be used, or would not take a write, in a few fixed words; ``None`` when it can be.
    reason: str | None = None
    #: Whether it can be read at least.
    is_readable: bool = False


class RedisManager:
    """Connects to Redis when it is first needed, and keeps its failures from everybody else. Thread-safe.

    A child process of ``fork`` starts with connections, breaker and counts of its own.

    Arguments:
        settings: ``redis_url``, ``cache_timeout``, ``cache_max_connections``, ``cache_breaker_failures`` and
            ``cache_breaker_seconds`` are used here, ``cache_prefix`` by what makes keys. Without a ``redis_url``
            every call is answered at once as if Redis were unavailable.
        observer: called with a `QueryEvent` after every exchange.

    Raises:
        ConfigurationError: ``redis_url`` is malformed. The error does not repeat it.
    """

    def __init__(self, settings: Settings, *, observer: Observer | None = None) -> None:
        self.settings = settings
        #: Where exchanges are reported. A slow one is no slow query.
        self.observation: Observation = Observation(slow_query_ms=math.inf, observer=observer)
        self._absent: str | None = None if settings.redis_url else "not configured"
        self._topology: Topology | None = _topology(settings.redis_url) if settings.redis_url else None
        self._lines: Lines | None = None
        self.reset_after_fork()
        forking.register(self)

    def reset_after_fork(self) -> None:
        """Start afresh; `surf_data.kernel.forking` calls this in a forked child."""
        settings = self.settings
        if self._lines is not None:
            self._lines.abandon()
        self._lines = None if self._topology is None else self._topology.lines(settings)
        self._lock = threading.Lock()
        self._slots = Permits(settings.cache_max_connections)
        self._breaker = CircuitBreaker(settings.cache_breaker_failures, settings.cache_breaker_seconds)
        self._errors = 0
        self.observation.reset_after_fork()

    def call(self, operation: Callable[[redis.Redis], T], *, read: bool, otherwise: T) -> T:
        """Return what ``operation`` returns, or ``otherwise`` when Redis cannot say: for a cache.

        Never raises because of Redis, and takes ``cache_timeout`` for a connection to become free and again for each
        reply at the most; after ``cache_breaker_failures`` of them Redis is left alone for ``cache_breaker_seconds``
        and the answer comes at once.

        Arguments:
            operation: issues the commands, over one connection. It may be run twice when it only reads.
            read: whether it only reads.
            otherwise: the answer of an empty cache.

        Raises:
            ValidationError: ``operation`` sends what Redis cannot take.
            Exception: what ``operation`` itself raises before anything has arrived.
        """
        outcome = self.outcome(operation, read=read, deadline=math.inf)
        return otherwise if isinstance(outcome, RedisError) else outcome[0]

    def demand(self, operation: Callable[[redis.Redis], T], *, read: bool, timeout: float = 10.0) -> T:
        """Return what ``operation`` returns: for a source of data, whose failure is an error.

        What only reads is tried three times in all, what writes only while nothing was sent. `call` and `demand` share
        connections and the breaker; while that is open, the error is raised at once.

        Arguments:
            operation: issues the commands, over one connection. It may be run several times when it only reads.
            read: whether it only reads.
            timeout: seconds for all of it, connections and retries included, above 0. The look-up of a host name alone
                takes as long as the system lets it.

        Raises:
            ValidationError: ``timeout`` is no such number, or ``operation`` sends what Redis cannot take.
            RedisUnavailable: Redis cannot be reached, or did not answer in time.
            RedisError: Redis refused the command; ``reason`` and ``code`` say why.
            Exception: what ``operation`` itself raises before anything has arrived.
        """
        if not validation.number("timeout", timeout) > 0:
            raise validation.invalid("timeout", "must be above 0")
        deadline = time.monotonic() + timeout
        attempt = 1
        while isinstance(outcome := self.outcome(operation, read=read, deadline=deadline), RedisError):
            transient = isinstance(outcome, RedisUnavailable) and (read or not outcome.ambiguous)
            moment = _BACKOFF.seconds(attempt)
            if not transient or self._absent or attempt == _ATTEMPTS or time.monotonic() + moment >= deadline:
                # Raised outside any handler: nothing of the driver's is chained.
                raise outcome
            time.sleep(moment)
            attempt += 1
        return outcome[0]

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
        """Ask Redis whether it can be used, for reading and for writing, whatever the breaker thinks."""
        started = time.perf_counter()
        reason: str | None = self._absent or "no connection became free"
        is_readable = False
        permit: Permit | None = None
        try:
            permit = None if self._absent else self._slots.take(self.settings.cache_timeout)
            if permit is not None and self._lines is not None:
                reason = _reason(self._exchange(self._lines, _ping, read=True))
                is_readable = reason is None
                if is_readable:
                    reason = _reason(self._exchange(self._lines, self._probe, read=True))
        finally:
            if permit is not None:
                permit.is_over = True
                self._slots.give_back(permit)
        return Ping(seconds=time.perf_counter() - started, reason=reason, is_readable=is_readable)

    def close(self) -> None:
        """Close the idle connections; those in use close when their call ends. Later calls find an empty cache."""
        if self._absent is None:
            self._absent = "closed"
        if self._lines is not None:
            self._lines.close()

    def outcome(
        self, operation: Callable[[redis.Redis], T], *, read: bool, deadline: float = math.inf
    ) -> tuple[T] | RedisError:
        """Return what ``operation`` returns in a tuple, or, instead of raising it, the error that `demand` would raise.

        Otherwise like `call`.

        Arguments:
            operation: issues the commands, over one connection. It may be run twice when it only reads.
            read: whether it only reads.
            deadline: until when all of it may take, by ``time.monotonic()``.
        """
        lines = self._lines
        if self._absent or lines is None:
            return RedisUnavailable(reason=self._absent)
        started = time.perf_counter_ns()
        outcome = self._admitted(lines, operation, read=read, deadline=deadline)
        failure = outcome if isinstance(outcome, RedisError) else None
        # When all is given back: an observer may use Redis, too.
        self.observation.note("redis", "read" if read else "write", time.perf_counter_ns() - started, failure)
        return outcome

    def _admitted(
        self, lines: "Lines", operation: Callable[[redis.Redis], T], *, read: bool, deadline: float
    ) -> tuple[T] | RedisError:
        """Do what `outcome` says, if there is a connection, and the breaker lets it pass."""
        breaker = self._breaker
        permit: Permit | None = None
        ticket: int | None = None
        outcome: tuple[T] | Exception | None = None
        try:
            permit = self._slots.take()
            # No caller waits for a connection to a server that is being left alone.
            if permit is None and breaker.state == "closed":
                is_bounded = deadline != math.inf
                permit = self._slots.take(deadline - time.monotonic() if is_bounded else self.settings.cache_timeout)
            if permit is None:
                self._count_error()
                _log.debug("no connection to Redis became free")
                return RedisUnavailable(reason="no connection became free")
            ticket = breaker.admit()
            if ticket is None:
                return RedisUnavailable(reason="not asked: it failed several times in a row")
            outcome = self._exchange(lines, operation, read=read, deadline=deadline)
            if isinstance(outcome, Exception):
                return self._failure(lines, breaker, ticket, outcome, read=read)
            if breaker.succeeded(ticket):
                _log.warning("cache breaker closed")
            return outcome
        finally:
            if permit is not None:
                permit.is_over = True
                self._slots.give_back(permit)
            if ticket is not None and outcome is None:
                breaker.abandoned(ticket)

    def _exchange(
        self, lines: "Lines", operation: Callable[[redis.Redis], T], *, read: bool, deadline: float = math.inf
    ) -> tuple[T] | Exception:
        """Return the answer in a tuple, or what was wrong with the server; raise what was not."""
        client: redis.Redis | None = None
        refused = False
        exchange.begin(deadline)
        try:
            client = lines.take()
            # Who has a deadline decides there whether there is time to try again.
            answer = self._run(operation, client) if read and deadline == math.inf else operation(client)
        except Exception as error:
            if client is not None:
                lines.give_back(client) if is_refusal(error) else lines.drop(client)
            refused = isinstance(error, UnicodeEncodeError | redis.DataError)
            if not refused and is_callers(error):
                raise
            failure = error
        except BaseException:
            if client is not None:
                lines.drop(client, interrupted=True)
            raise
        else:
            lines.give_back(client)
            return (answer,)
        if refused:
            raise validation.invalid("operation", "must send what Redis can take: bytes, text and numbers")
        return failure

    def _run(self, operation: Callable[[redis.Redis], T], client: redis.Redis) -> T:
        """Run what only reads, again if need be."""
        started = time.monotonic()
        try:
            return operation(client)
        except redis.ConnectionError as error:
            # A connection that the server has dropped costs nothing to find out; anything slower or more specific
            # would be as bad the second time.
            if type(error) is not redis.ConnectionError or time.monotonic() - started >= self.settings.cache_timeout:
                raise
        return operation(client)

    def _failure(
        self, lines: "Lines", breaker: CircuitBreaker, ticket: int, error: Exception, *, read: bool
    ) -> RedisError:
        self._count_error()
        facts = {"error": type(error).__name__, "reason": reason_of(error)}
        _log.debug("cache call failed", extra=facts)
        if is_demoted(error):
            # Where there is another primary, connections that are made from now on lead to it.
            lines.replace()
        if is_refusal(error):
            breaker.succeeded(ticket)
            return RedisError(reason=reason_of(error), code=code_of(error))
        if breaker.failed(ticket):
            _log.warning("cache breaker opened", extra=facts)
            lines.replace()
        return RedisUnavailable(
            reason=reason_of(error), code=code_of(error), ambiguous=not read and may_be_applied(error)
        )

    def _count_error(self) -> None:
        with self._lock:
            self._errors += 1

    def _probe(self, client: redis.Redis) -> bool:
        """Send a write that changes nothing, since there is no key of this name: locks have longer ones."""
        try:
            client.set(f"{self.settings.cache_prefix}lock:", "", xx=True, px=1)
        except NoPermissionError:
            # Not for this key at least.
            return True
        return True


def _ping(client: redis.Redis) -> bool:
    return client.ping() is True


def _reason(outcome: tuple[bool] | Exception) -> str | None:
    if isinstance(outcome, Exception):
        return reason_of(outcome)
    return None if outcome[0] else "unexpected reply"


def _topology(url: Secret) -> "Topology":
    # Not with this module: what knows of Sentinels and clusters is for those who have a Redis.
    from surf_data.kernel.redis.url import topology_of  # noqa: PLC0415

    return topology_of(url)
