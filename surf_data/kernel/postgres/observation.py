"""What is known of each query: counts, errors, percentiles; and who else wants to know."""

import logging
import threading
from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate
from typing import Any

import attrs

_log = logging.getLogger("surf_data.kernel.postgres.observation")

# A duration is filed under its leading five bits, so a bucket is at most 1/16 of its duration wide.
_SIGNIFICANT_BITS = 5


@attrs.frozen(kw_only=True)
class QueryEvent:
    """One statement that was run."""

    #: The name of the query with its namespace.
    query: str
    #: Milliseconds from sending the statement until its rows were read; of a stream, the time that its reader waited.
    duration_ms: float
    #: Rows returned or changed; -1 when the server did not say.
    rows: int
    #: The name of the error class, ``None`` when it worked.
    error: str | None = None


@attrs.frozen(kw_only=True)
class QueryHistogram:
    """How long one query took, and what it did, over the life of the process."""

    errors: int
    rows: int
    #: Milliseconds, exact to 1/32, and how often it took so long; in ascending order.
    durations: tuple[tuple[float, int], ...]

    @property
    def count(self) -> int:
        """How often the query was run."""
        return sum(number for _, number in self.durations)

    @property
    def total_ms(self) -> float:
        """Milliseconds that it took in all."""
        return sum(milliseconds * number for milliseconds, number in self.durations)


#: A function that is called with a `QueryEvent` after every statement, in the thread that ran it.
Observer = Callable[[QueryEvent], object]


class _QueryRecord:
    """The counters of one query. The lock is held for a few additions."""

    __slots__ = ("buckets", "errors", "lock", "rows")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.errors = 0
        self.rows = 0
        #: How often each duration was measured, by `_bucket`.
        self.buckets: dict[int, int] = {}

    @property
    def count(self) -> int:
        """How often the query was run."""
        return sum(self.buckets.copy().values())

    def statistics(self) -> dict[str, Any]:
        """Return what `Observation.statistics` says of one query."""
        with self.lock:
            buckets = sorted(self.buckets.items())
            errors, rows = self.errors, self.rows
        count = sum(number for _, number in buckets)
        percentiles = {f"p{percent}_ms": _percentile(buckets, percent) for percent in (50, 95, 99)}
        return {"count": count, "errors": errors, "rows": rows, **percentiles}

    def histogram(self) -> QueryHistogram:
        """Return the same without percentiles, which cannot be added up."""
        with self.lock:
            buckets = sorted(self.buckets.items())
            errors, rows = self.errors, self.rows
        return QueryHistogram(
            errors=errors, rows=rows, durations=tuple((_middle(bucket) / 1e6, number) for bucket, number in buckets)
        )


def _percentile(buckets: list[tuple[int, int]], percent: int) -> float:
    """Return the milliseconds within which ``percent`` of the measurements lie."""
    reached = list(accumulate(100 * number for _, number in buckets))
    # Of the sum in hundredths, so that the arithmetic is exact.
    bucket, _ = buckets[bisect_left(reached, percent * reached[-1] // 100)]
    return _middle(bucket) / 1e6


def _middle(bucket: int) -> float:
    shift, leading = divmod(bucket, 1 << _SIGNIFICANT_BITS)
    # Durations are whole nanoseconds, so the last one in the bucket is one less than the first of the next.
    return (leading << shift) + ((1 << shift) - 1) / 2


class Observation:
    """Collects what happens to queries; every statement of one `DatabaseManager` reports here.

    Arguments:
        slow_query_ms: milliseconds above which a statement is logged as a warning.
        observer: called with a `QueryEvent` after every statement. What it raises is logged and goes no further.
    """

    def __init__(self, *, slow_query_ms: float = 1000.0, observer: Observer | None = None) -> None:
        self._slow_ns = slow_query_ms * 1e6
        self._observer = observer
        self._records: dict[str, _QueryRecord] = {}

    def reset_after_fork(self) -> None:
        """In a forked child: begin anew; a thread of the parent may have held one of the locks."""
        self._records = {}

    def record(self, query: str, duration: int, rows: int, error: BaseException | None = None) -> None:
        """Record that ``query`` has ended.

        Arguments:
            query: its name.
            duration: nanoseconds that it took.
            rows: how many it returned or changed, -1 when unknown.
            error: why it failed.
        """
        # The leading bits are the bucket: a logarithmic histogram without a logarithm.
        shift = duration.bit_length() - _SIGNIFICANT_BITS
        bucket = (shift << _SIGNIFICANT_BITS) + (duration >> shift) if shift > 0 else duration
        record = self._records.get(query) or self._records.setdefault(query, _QueryRecord())
        with record.lock:
            record.buckets[bucket] = record.buckets.get(bucket, 0) + 1
            if rows > 0:
                record.rows += rows
            if error is not None:
                record.errors += 1
        if duration > self._slow_ns:
            _log.warning("slow query", extra={"query": query, "duration_ms": duration / 1e6, "rows": rows})
        if self._observer is not None:
            self._tell(self._observer, query, duration, rows, error)

    def _tell(self, observer: Observer, query: str, duration: int, rows: int, error: BaseException | None) -> None:
        name = None if error is None else type(error).__name__
        try:
            observer(QueryEvent(query=query, duration_ms=duration / 1e6, rows=rows, error=name))
        except Exception as problem:  # noqa: BLE001 - whatever an observer does, the statement has been run
            _log.warning("observer failed", extra={"query": query, "error": type(problem).__name__})

    @property
    def queries_count(self) -> int:
        """How many statements have been run."""
        return sum(record.count for record in self._records.copy().values())

    def statistics(self) -> dict[str, dict[str, Any]]:
        """Return for each query that was run: ``count``, ``errors``, ``rows``, ``p50_ms``, ``p95_ms``, ``p99_ms``.

        Percentiles are over the life of the process and exact to 1/32 of their value.
        """
        # Copied, because other threads add queries.
        records = sorted(self._records.copy().items())
        return {query: record.statistics() for query, record in records if record.buckets}

    def histograms(self) -> dict[str, QueryHistogram]:
        """Return for each query that was run how long it took how often."""
        return {query: record.histogram() for query, record in sorted(self._records.copy().items())}
