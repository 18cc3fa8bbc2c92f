"""The figures of a data layer at one moment, and what happened between two."""

from collections import Counter
from collections.abc import Mapping
from typing import Protocol, Self

import attrs

from surf_data.kernel.postgres import DatabaseManager, QueryHistogram
from surf_data.kernel.redis import RedisManager


class Observed(Protocol):
    """What has figures: a data layer of whatever domain."""

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
    #: Connections: ``size``, ``idle_size``, ``max_size`` and others.
    pool: Mapping[str, int]
    #: Whether Redis is left alone because it failed.
    breaker_open: bool

    def since(self, earlier: Self) -> "Figures":
        """Return what has happened since ``earlier``; connections are those of now."""
        queries: dict[str, QueryHistogram] = {}
        for name, now in self.queries.items():
            before = earlier.queries.get(name)
            if before is None:
                queries[name] = now
                continue
            counts = Counter(dict(now.durations))
            counts.subtract(dict(before.durations))
            durations = tuple((milliseconds, number) for milliseconds, number in sorted(counts.items()) if number > 0)
            if durations:
                errors, rows = now.errors - before.errors, now.rows - before.rows
                queries[name] = QueryHistogram(errors=errors, rows=rows, durations=durations)
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
    return Figures(
        queries=observed.database.histograms(),
        pool=observed.database.get_pool_status(),
        breaker_open=observed.redis.stats()["breaker"] == "open",
    )
