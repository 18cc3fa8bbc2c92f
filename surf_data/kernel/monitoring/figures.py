"""The figures of a data layer at one moment, and what happened between two."""

from collections.abc import Mapping
from typing import Any, Protocol, Self

import attrs

from surf_data.kernel.histograms import NOTHING, QueryHistogram
from surf_data.kernel.postgres import DatabaseManager
from surf_data.kernel.redis import RedisManager


class Observed(Protocol):
    """What has figures: a data layer of whatever domain."""

    def stats(self) -> dict[str, Any]:
        """Return what has happened in this process so far."""
        ...

    @property
    def database(self) -> DatabaseManager:
        """PostgreSQL."""
        ...

    @property
    def redis(self) -> RedisManager:
        """Redis."""
        ...


@attrs.frozen(kw_only=True)
class Figures:
    """What a data layer has counted."""

    #: By query.
    queries: Mapping[str, QueryHistogram]
    #: Of waiting for a connection, by what it was for; an error is a wait in vain.
    waits: Mapping[str, QueryHistogram]
    #: Of the pauses before something was run again, by query; ``transaction`` for whole transactions.
    retries: Mapping[str, QueryHistogram]
    #: Of transactions; an error is one that was rolled back.
    transactions: QueryHistogram
    #: Of exchanges with Redis: ``read`` and ``write``.
    redis: Mapping[str, QueryHistogram]
    #: What the cache counts: ``hits``, ``misses`` and others.
    cache: Mapping[str, int]
    #: Connections: ``size``, ``idle_size``, ``max_size`` and others.
    pool: Mapping[str, int]
    #: Whether Redis is left alone because it failed.
    breaker_open: bool

    def since(self, earlier: Self) -> "Figures":
        """Return what queries have done since ``earlier``; all else is that of now."""
        queries: dict[str, QueryHistogram] = {}
        for name, now in self.queries.items():
            done = now - earlier.queries.get(name, NOTHING)
            if done.durations:
                queries[name] = done
        return attrs.evolve(self, queries=queries)

    @property
    def count(self) -> int:
        """Statements in all."""
        return sum(query.count for query in self.queries.values())

    @property
    def errors(self) -> int:
        """Statements that failed."""
        return sum(query.errors for query in self.queries.values())

    @property
    def average_ms(self) -> float:
        """Milliseconds of the average statement; 0 without one."""
        return sum(query.total_ms for query in self.queries.values()) / self.count if self.count else 0.0

    @property
    def pool_utilization(self) -> float:
        """Share of the connections allowed that are in use, 0 to 1."""
        return (self.pool["size"] - self.pool["idle_size"]) / self.pool["max_size"]


def figures(observed: Observed) -> Figures:
    """Return the figures of a data layer as they are now; no server is asked."""
    database, cache = observed.database, observed.stats()["cache"]
    return Figures(
        queries=database.histograms(),
        waits=database.histograms("wait"),
        retries=database.histograms("retry"),
        transactions=database.histograms("transaction").get("transaction", NOTHING),
        redis=observed.redis.observation.histograms("redis"),
        cache={name: value for name, value in cache.items() if isinstance(value, int)},
        pool=database.get_pool_status(),
        breaker_open=cache["breaker"] == "open",
    )
