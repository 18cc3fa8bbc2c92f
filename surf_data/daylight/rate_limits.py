"""Rate limits: counted in Redis, in PostgreSQL while Redis is away, and decided without counting while both are."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs

from surf_data.daylight import checks, rate_limit_script
from surf_data.daylight.errors import RateLimitExceededError
from surf_data.daylight.operation_records import RateLimit
from surf_data.daylight.patterns import fits
from surf_data.daylight.queries import daylight_queries
from surf_data.daylight.records import Record
from surf_data.errors import DatabaseError
from surf_data.kernel import forking, validation
from surf_data.kernel.log_messages import error_facts, get_logger
from surf_data.kernel.postgres import Executor, bulk
from surf_data.kernel.redis import RedisManager

ALGORITHMS = ("token_bucket", "leaky_bucket", "fixed_window", "sliding_window")
SCOPES = ("global", "api_key", "user", "ip", "endpoint")
#: Seconds for which a process goes by the limits that it has read.
POLICY_SECONDS = 5.0
# All keys are in one slot of a cluster, because all limits of a call are decided by one script.
_TAG = "{daylight:limits}"
_PORTION = 5_000

_log = get_logger(__name__)


def _patterns(field: str, value: object) -> list[str]:
    if not isinstance(value, (list, tuple)):
        raise validation.invalid(field, "must be a list")
    return [validation.text(f"{field}[{number}]", each, maximum=500) for number, each in enumerate(value)]


def _whole(low: int, high: int) -> Callable[[str, object], int]:
    return lambda field, value: validation.integer(field, value, minimum=low, maximum=high)


def _one_of(*choices: str) -> Callable[[str, object], str]:
    return lambda field, value: checks.choice(field, value, choices)


_LIMIT: dict[str, Callable[[str, object], Any]] = {
    "id": checks.identifier,
    "name": checks.text(255),
    "algorithm": _one_of(*ALGORITHMS),
    "requests": _whole(1, 10_000_000),
    "window_ms": _whole(1, 2_592_000_000),
    "scope": _one_of(*SCOPES),
    "endpoints": _patterns,
    "methods": _patterns,
    # The original's third action, queue, would need a worker.
    "action": _one_of("block", "throttle"),
    "block_ms": _whole(0, 2_592_000_000),
    "enabled": checks.flag,
    "priority": _whole(0, 1_000_000),
    "on_failure": _one_of("postgresql", "allow", "deny"),
    "on_failure_last": _one_of("allow", "deny"),
}
_DEFAULTS: dict[str, Any] = {
    "scope": "global",
    "endpoints": [],
    "methods": [],
    "action": "block",
    "block_ms": 0,
    "enabled": True,
    "priority": 100,
    "on_failure": "postgresql",
    "on_failure_last": "allow",
}


@attrs.frozen(kw_only=True)
class Decision(Record):
    """Whether a call may go on."""

    allowed: bool
    #: The limit that is nearest to its end, or refuses; ``None`` when none applies.
    limit_id: str | None = None
    #: What that limit still allows; ``None`` when none applies, or nothing was counted.
    remaining: int | None = None
    #: Seconds until it is worth another try; of a limit that throttles, seconds to wait before going on.
    retry_after: float = 0.0
    #: When all of the limit is there again.
    reset_at: datetime | None = None
    #: What decided: ``redis``, ``postgresql``, ``default`` while both are away, ``none`` when no limit applies.
    source: str = "none"


class RateLimiter:
    """Decides whether something may be done once more. Thread-safe; any number of processes share the counts.

    Arguments:
        database: runs the statements.
        redis: counts; ``None`` to count in PostgreSQL alone.
        prefix: what keys in Redis begin with.
    """

    def __init__(self, database: Executor, redis: RedisManager | None = None, prefix: str = "") -> None:
        self._database = database
        self._redis = redis
        self._prefix = f"{prefix}{_TAG}"
        self._limits: list[RateLimit] = []
        self._read_at: float | None = None
        self._source = "redis"
        self.reset_after_fork()
        forking.register(self)

    def reset_after_fork(self) -> None:
        """In a forked child: do not wait for a thread that is not there."""
        self._reading = threading.Lock()

    def check(
        self, identifier: str | Mapping[str, str], *, endpoint: str = "*", method: str = "*", cost: int = 1
    ) -> Decision:
        """Decide about a call, and count it if it may go on.

        All limits that apply are decided at once: a call that one of them refuses counts in none.

        Arguments:
            identifier: who calls: one text for limits of whatever scope, or by scope:
                ``{"ip": "10.0.0.1", "user": "kai"}``; limits of a scope that is not named do not apply then. Limits
                of the scopes ``global`` and ``endpoint`` need none.
            endpoint: what is called.
            method: how, in upper case.
            cost: what it counts for, 0 to 10,000,000; 0 only looks.

        Raises:
            ValidationError: an argument is refused, or the cost is more than a limit ever allows.
        """
        endpoint = validation.text("endpoint", endpoint, maximum=500)
        method = validation.text("method", method, maximum=20)
        cost = validation.integer("cost", cost, minimum=0, maximum=10_000_000)
        identifiers = _identifiers(identifier)
        found = [
            (limit, key)
            for limit in self._current()
            if (key := _key(limit, identifiers, endpoint)) is not None and _applies(limit, endpoint, method)
        ]
        if not found:
            return Decision(allowed=True)
        limits, keys = [limit for limit, _ in found], [key for _, key in found]
        if any(cost > limit.requests for limit in limits):
            raise validation.invalid("cost", "must not be more than a limit allows")
        return self._decide(limits, keys, cost)

    def enforce(
        self, identifier: str | Mapping[str, str], *, endpoint: str = "*", method: str = "*", cost: int = 1
    ) -> Decision:
        """Decide as `check` does, and raise if the call may not go on.

        Raises:
            RateLimitExceededError: it may not; ``retry_after`` says when it is worth another try.
            ValidationError: an argument is refused.
        """
        decision = self.check(identifier, endpoint=endpoint, method=method, cost=cost)
        if not decision.allowed:
            raise RateLimitExceededError(f"rate limit {decision.limit_id} exceeded", retry_after=decision.retry_after)
        return decision

    def reset(self, identifier: str | Mapping[str, str], *, endpoint: str = "*") -> None:
        """Forget what an identifier has used of all limits, here and in PostgreSQL.

        Raises:
            ValidationError: an argument is refused.
            DatabaseError: PostgreSQL cannot forget it.
        """
        identifiers = _identifiers(identifier)
        keys = [key for limit in self._current() if (key := _key(limit, identifiers, endpoint)) is not None]
        if self._redis is not None and keys:
            names = [name for key in keys for name in self._names(key)]
            self._redis.call(lambda client: client.delete(*names), read=False, otherwise=None)
        daylight_queries().rate_limit_reset(self._database, limit_keys=keys)

    def set_limit(self, limit_data: Mapping[str, Any]) -> RateLimit:
        """Store a limit, also in place of the one with its id. Other processes go by it after five seconds.

        Arguments:
            limit_data: ``name``, ``algorithm``, ``requests`` (1 to 10,000,000) and ``window_ms`` (up to 30 days);
                optionally the other attributes of a `RateLimit`.

        Raises:
            ValidationError: the data is refused.
            DatabaseError: it could not be stored.
        """
        checked = checks.record("limit_data", limit_data, _LIMIT)
        checks.require("limit_data", checked, ("name", "algorithm", "requests", "window_ms"))
        values: dict[str, Any] = {"id": checks.new_id("rl"), **_DEFAULTS, **checked}
        stored: RateLimit | None = daylight_queries().rate_limit_upsert(self._database, **values)
        assert stored is not None, "an upsert has a row"  # noqa: S101
        self._read_at = None
        return stored

    def delete_limit(self, limit_id: str) -> bool:
        """Delete a limit; return whether there was one.

        Raises:
            ValidationError: ``limit_id`` cannot be an id.
            DatabaseError: it could not be deleted.
        """
        deleted = daylight_queries().rate_limit_delete(self._database, limit_id=checks.identifier("limit_id", limit_id))
        self._read_at = None
        return bool(deleted)

    def list_limits(self) -> list[RateLimit]:
        """Return all limits, those of the highest priority first.

        Raises:
            DatabaseError: the question could not be answered.
        """
        return daylight_queries().rate_limit_list(self._database)

    def clean_up(self) -> int:
        """Delete states in PostgreSQL that have no meaning any more, in portions; return how many.

        Raises:
            DatabaseError: they could not be deleted.
        """
        return bulk.in_batches(
            lambda rows: daylight_queries().rate_limit_clean(self._database, row_limit=rows), _PORTION
        )

    def _current(self) -> list[RateLimit]:
        """Return the limits that are enabled, as they were five seconds ago at most unless they cannot be read."""
        now = time.monotonic()
        first = self._read_at is None
        if self._read_at is not None and now - self._read_at < POLICY_SECONDS:
            return self._limits
        # Others go by the old ones meanwhile, if there are any.
        if self._reading.acquire(blocking=first):
            try:
                if self._read_at is None or now - self._read_at >= POLICY_SECONDS:
                    self._limits = [limit for limit in self.list_limits() if limit.enabled]
            except DatabaseError as error:
                _log.warning("rate limits not read", extra={**error_facts(error), "first": first})
            finally:
                self._read_at = time.monotonic()
                self._reading.release()
        return self._limits

    def _names(self, key: str) -> tuple[str, str]:
        return f"{self._prefix}{key}", f"{self._prefix}{key}:log"

    def _decide(self, limits: list[RateLimit], keys: list[str], cost: int) -> Decision:
        answers = self._ask_redis(limits, keys, cost)
        if answers is not None:
            return self._decision(limits, answers, "redis")
        counted = [number for number, limit in enumerate(limits) if limit.on_failure == "postgresql"]
        denied = next((limit for limit in limits if limit.on_failure == "deny"), None)
        if denied is not None:
            return self._without_counting(denied, allowed=False)
        if not counted:
            return self._without_counting(limits[0], allowed=True)
        limits, keys = [limits[number] for number in counted], [keys[number] for number in counted]
        try:
            answers = daylight_queries().rate_limit_hit(
                self._database,
                limit_keys=keys,
                algorithms=[limit.algorithm for limit in limits],
                requests=[limit.requests for limit in limits],
                windows=[limit.window_ms * 1000 for limit in limits],
                blocks=[limit.block_ms * 1000 for limit in limits],
                cost=cost,
            )
            return self._decision(limits, answers, "postgresql")
        except DatabaseError:
            denied = next((limit for limit in limits if limit.on_failure_last == "deny"), None)
            return self._without_counting(denied or limits[0], allowed=denied is None)

    def _ask_redis(self, limits: list[RateLimit], keys: list[str], cost: int) -> Any:
        if self._redis is None:
            return None
        names = [name for key in keys for name in self._names(key)]
        arguments: list[str | int] = [cost]
        for limit in limits:
            arguments += [limit.algorithm, limit.requests, limit.window_ms * 1000, limit.block_ms * 1000]
        return self._redis.call(
            lambda client: rate_limit_script.hit(client, names, arguments), read=False, otherwise=None
        )

    def _decision(self, limits: list[RateLimit], answers: Sequence[Any], source: str) -> Decision:
        self._note(source)
        decided = [
            (bool(answer[0]), int(answer[1]), int(answer[2]), int(answer[3]), limit)
            for answer, limit in zip(answers, limits, strict=True)
        ]
        refusing = [each for each in decided if not each[0]]
        blocking = [each for each in refusing if each[4].action == "block"]
        # Of those that refuse, the one that does so the longest; else the one with the least left.
        chosen = (
            max(blocking or refusing, key=lambda each: each[2]) if refusing else min(decided, key=lambda each: each[1])
        )
        return Decision(
            allowed=not blocking,
            limit_id=chosen[4].id,
            remaining=max(chosen[1], 0),
            retry_after=chosen[2] / 1_000_000,
            reset_at=datetime.fromtimestamp(chosen[3] / 1_000_000, UTC),
            source=source,
        )

    def _without_counting(self, limit: RateLimit, *, allowed: bool) -> Decision:
        self._note("default")
        return Decision(allowed=allowed, limit_id=limit.id, source="default")

    def _note(self, source: str) -> None:
        if source != self._source:
            previous, self._source = self._source, source
            _log.warning("rate limits decided elsewhere", extra={"source": source, "previous": previous})

    setLimit = set_limit  # noqa: N815 - the original's way to name things
    checkRateLimit = check  # noqa: N815


def _identifiers(identifier: object) -> dict[str, str]:
    if isinstance(identifier, str):
        return dict.fromkeys(SCOPES, validation.text("identifier", identifier, maximum=500))
    given = validation.mapping("identifier", identifier)
    for scope, value in given.items():
        checks.choice("identifier", scope, SCOPES)
        validation.text(f"identifier.{scope}", value, maximum=500)
    return dict(given)


def _applies(limit: RateLimit, endpoint: str, method: str) -> bool:
    return (not limit.endpoints or any(fits(each, endpoint) for each in limit.endpoints)) and (
        not limit.methods or method in limit.methods
    )


def _key(limit: RateLimit, identifiers: Mapping[str, str], endpoint: str) -> str | None:
    """Return what an identifier's use of a limit is counted under; ``None`` when the limit is for another scope."""
    if limit.scope == "global":
        return limit.id
    if limit.scope == "endpoint":
        return f"{limit.id}:{endpoint}"
    identifier = identifiers.get(limit.scope)
    return None if identifier is None else f"{limit.id}:{identifier}"
