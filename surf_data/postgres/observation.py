"""What is known of each query: counts, errors, percentiles; and who else wants to know."""

import logging
import threading
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

import attrs

_log = logging.getLogger("surf_data.postgres.observation")

# A duration is filed under its leading five bits, so a bucket is at most 1/16 of its duration wide.
_SIGNIFICANT_BITS = 5


@attrs.frozen(kw_only=True)
class QueryEvent:
    """One statement that was run."""

    #: The name of the query with its namespace.
    query: str
    #: Milliseconds from sending the statement until its rows were read.
    duration_ms: float
    #: Rows returned or changed; -1 when the server did not say.
    rows: int
    #: The name of the error class, ``None`` when it worked.
    error: str | None = None


#: A function that is told of every statement, in the thread that ran it.
Observer = Callable[[QueryEvent], object]


class _QueryRecord:
    """The counters of one query. The lock is held for a few additions."""

    __slots__ = ("buckets", "count", "errors", "lock", "rows")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0
        self.errors = 0
        self.rows = 0
        self.buckets: dict[int, int] = {}

    def percentiles(self, *fractions: float) -> list[float]:
        """Return the middle of the bucket in which each fraction of the durations is reached, in milliseconds."""
        with self.lock:
            buckets = sorted(self.buckets.items())
            total = self.count
        results = []
        for fraction in fractions:
            wanted, seen = fraction * total, 0
            for bucket, number in buckets:
                seen += number
                if seen >= wanted:
                    results.append(_middle(bucket) / 1e6)
                    break
        return results


def _middle(bucket: int) -> float:
    shift, leading = divmod(bucket, 1 << _SIGNIFICANT_BITS)
    return (leading + 0.5) * (1 << shift) if shift else float(leading)


class Observation:
    """Collects what happens to queries; every statement of one `DatabaseManager` reports here.

    Arguments:
        slow_query_ms: milliseconds above which a statement is logged as a warning.
        observer: is told of every statement. What it raises is logged and goes no further.
    """

    def __init__(self, *, slow_query_ms: float = 1000.0, observer: Observer | None = None) -> None:
        self._slow_ns = slow_query_ms * 1e6
        self._observer = observer
        self._records: dict[str, _QueryRecord] = {}

    def forget_parent(self) -> None:
        """In a forked child: begin anew; a thread of the parent may have held one of the locks."""
        self._records = {}

    #: The clock for `record`.
    now = staticmethod(perf_counter_ns)

    def record(self, query: str, started: int, rows: int, error: BaseException | None = None) -> None:
        """Record that ``query``, begun at ``started`` of `now`, has ended."""
        duration = perf_counter_ns() - started
        # The leading bits are the bucket: a logarithmic histogram without a logarithm.
        shift = duration.bit_length() - _SIGNIFICANT_BITS
        bucket = (shift << _SIGNIFICANT_BITS) + (duration >> shift) if shift > 0 else duration
        record = self._records.get(query) or self._records.setdefault(query, _QueryRecord())
        with record.lock:
            record.count += 1
            record.rows += max(rows, 0)
            record.buckets[bucket] = record.buckets.get(bucket, 0) + 1
            if error is not None:
                record.errors += 1
        if duration > self._slow_ns:
            _log.warning("slow query", extra={"query": query, "duration_ms": duration / 1e6, "rows": rows})
        if self._observer is not None:
            self._tell(query, duration, rows, error)

    def _tell(self, query: str, duration: int, rows: int, error: BaseException | None) -> None:
        assert self._observer is not None
        name = None if error is None else type(error).__name__
        try:
            self._observer(QueryEvent(query=query, duration_ms=duration / 1e6, rows=rows, error=name))
        except Exception as problem:  # noqa: BLE001 - whatever an observer does, the statement has been run
            _log.warning("observer failed", extra={"query": query, "error": type(problem).__name__})

    @property
    def queries_count(self) -> int:
        """How many statements have been run."""
        return sum(record.count for record in list(self._records.values()))

    def statistics(self) -> dict[str, dict[str, Any]]:
        """Return for each query that was run: ``count``, ``errors``, ``rows``, ``p50_ms``, ``p95_ms``, ``p99_ms``.

        Percentiles are over the life of the process and exact to 1/32 of their value.
        """
        statistics = {}
        for query, record in sorted(self._records.items()):
            p50, p95, p99 = record.percentiles(0.5, 0.95, 0.99)
            statistics[query] = {
                "count": record.count,
                "errors": record.errors,
                "rows": record.rows,
                "p50_ms": p50,
                "p95_ms": p95,
                "p99_ms": p99,
            }
        return statistics
