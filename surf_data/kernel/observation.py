"""What is known of each query: counts, errors, percentiles; and who else wants to know."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from time import perf_counter_ns
from types import TracebackType
from typing import Any, Literal

import attrs

from surf_data.kernel.histograms import QueryHistogram, bucket_of, middle
from surf_data.kernel.log_messages import error_facts, get_logger

_log = get_logger("surf_data.kernel.observation")

#: What an event is about; see `QueryEvent`.
Kind = Literal["statement", "transaction", "wait", "retry", "redis", "cache"]


@attrs.frozen(kw_only=True)
class QueryEvent:
    """One statement that was run; or, by its ``kind``, something else that took time or counts.

    ``statement``: a statement of a .sql file. ``transaction``: a transaction, named ``transaction``; its error is what
    rolled it back. ``wait``: a caller that had to wait a millisecond or more for a connection, named by the query it
    was for; its error says that it waited in vain. ``retry``: the pause before a statement or a transaction was run
    again, with the error that made it necessary. ``redis``: an exchange with Redis, ``read`` or ``write``. ``cache``:
    what `JsonCache.stats` counts, ``hits`` for example, and how many in ``rows``; it takes no time.
    """

    #: The name of the query with its namespace.
    query: str
    #: Milliseconds from sending the statement until its rows were read; of a stream, the time that its reader waited.
    duration_ms: float
    #: Rows returned or changed; -1 when the server did not say.
    rows: int
    #: The name of the error class, ``None`` when it worked.
    error: str | None = None
    #: What it is about.
    kind: Kind = "statement"


#: A function that is called with a `QueryEvent` after every statement, in the thread that ran it.
Observer = Callable[[QueryEvent], object]


class _QueryRecord:
    """The counters of one query. The lock is held for a few additions."""

    __slots__ = ("buckets", "errors", "lock", "rows")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.errors = 0
        self.rows = 0
        #: How often each duration was measured, by its bucket.
        self.buckets: dict[int, int] = {}

    def add(self, duration: int, rows: int, *, failed: bool) -> None:
        """Count one run, of so many nanoseconds."""
        bucket = bucket_of(duration)
        with self.lock:
            self.buckets[bucket] = self.buckets.get(bucket, 0) + 1
            if rows > 0:
                self.rows += rows
            if failed:
                self.errors += 1

    @property
    def count(self) -> int:
        """How often the query was run."""
        return sum(self.buckets.copy().values())

    def histogram(self) -> QueryHistogram:
        """Return what was counted."""
        with self.lock:
            buckets = sorted(self.buckets.items())
            errors, rows = self.errors, self.rows
        return QueryHistogram(
            errors=errors, rows=rows, durations=tuple((middle(bucket), number) for bucket, number in buckets)
        )


class Observation:
    """Collects what happens to queries; every statement of one `DatabaseManager` reports here.

    Arguments:
        slow_query_ms: milliseconds above which a statement is logged as a warning.
        observer: called with a `QueryEvent` after every statement. What it raises is logged and goes no further.
    """

    def __init__(self, *, slow_query_ms: float = 1000.0, observer: Observer | None = None) -> None:
        self._slow_ns = slow_query_ms * 1e6
        self._observer = observer
        self.reset_after_fork()

    def reset_after_fork(self) -> None:
        """In a forked child: begin anew; a thread of the parent may have held one of the locks."""
        self._records: dict[str, _QueryRecord] = {}
        #: What is no statement.
        self._others: dict[tuple[Kind, str], _QueryRecord] = {}

    def record(self, query: str, duration: int, rows: int, error: BaseException | None = None) -> None:
        """Record that ``query`` has ended.

        Arguments:
            query: its name.
            duration: nanoseconds that it took.
            rows: how many it returned or changed, -1 when unknown.
            error: why it failed.
        """
        record = self._records.get(query) or self._records.setdefault(query, _QueryRecord())
        record.add(duration, rows, failed=error is not None)
        if duration > self._slow_ns:
            _log.warning("slow query", extra={"query": query, "duration_ms": duration / 1e6, "rows": rows})
        if self._observer is not None:
            self.tell("statement", query, duration, rows, error)

    def note(self, kind: Kind, name: str, duration: int, error: BaseException | None = None) -> None:
        """Record what is no statement: its kind, its name, nanoseconds that it took, and why it failed."""
        record = self._others.get((kind, name)) or self._others.setdefault((kind, name), _QueryRecord())
        record.add(duration, 0, failed=error is not None)
        self.tell(kind, name, duration, -1, error)

    def timed(self, kind: Kind, name: str) -> AbstractContextManager[None]:
        """Note how long the block took, and what it raised."""
        return _Timed(self, kind, name)

    def tell(self, kind: Kind, name: str, duration: int, rows: int, error: BaseException | None = None) -> None:
        """Call the observer, if there is one, and count nothing."""
        if self._observer is None:
            return
        problem = None if error is None else type(error).__name__
        try:
            self._observer(QueryEvent(query=name, duration_ms=duration / 1e6, rows=rows, error=problem, kind=kind))
        except Exception as failure:  # noqa: BLE001 - whatever an observer does, the statement has been run
            _log.warning("observer failed", extra={"query": name, **error_facts(failure)})

    @property
    def queries_count(self) -> int:
        """How many statements have been run."""
        return sum(record.count for record in self._records.copy().values())

    def statistics(self, kind: Kind = "statement") -> dict[str, dict[str, Any]]:
        """Return ``count``, ``errors``, ``rows``, ``p50_ms``, ``p95_ms`` and ``p99_ms`` of what `histograms` returns.

        Percentiles are over the life of the process and exact to 1/32 of their value.
        """
        return {name: histogram.statistics() for name, histogram in self.histograms(kind).items()}

    def histograms(self, kind: Kind = "statement") -> dict[str, QueryHistogram]:
        """Return for each query that was run, or for what else there is of a kind, how long it took how often."""
        # Copied, because other threads add queries.
        if kind == "statement":
            records = self._records.copy()
        else:
            records = {name: record for (of, name), record in self._others.copy().items() if of == kind}
        return {query: record.histogram() for query, record in sorted(records.items()) if record.buckets}


class _Timed(AbstractContextManager[None]):
    """Notes how long a block took."""

    __slots__ = ("_facts", "_observation", "_started")

    def __init__(self, observation: Observation, kind: Kind, name: str) -> None:
        self._observation = observation
        self._facts = kind, name
        self._started = perf_counter_ns()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._observation.note(*self._facts, perf_counter_ns() - self._started, error)
