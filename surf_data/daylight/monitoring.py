"""What the day planner observes of itself: a sample each minute, and what the rules are compared with."""

import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from surf_data.daylight.alerts import AlertService
from surf_data.daylight.queries import daylight_queries
from surf_data.daylight.query_log import MAX_EVENTS, QueryLog
from surf_data.daylight.records import as_json
from surf_data.errors import DatabaseError
from surf_data.kernel import forking, validation
from surf_data.kernel.health import Health
from surf_data.kernel.log_messages import error_facts, get_logger
from surf_data.kernel.monitoring import Figures, Observed, figures

#: Statements in a window below which there is no rate: one failure of two is no half.
MIN_STATEMENTS = 20
# Health checks that are remembered, and samples.
_MAX_CHECKS = 100
_MAX_SAMPLES = 24 * 60

_log = get_logger(__name__)


class MonitoringService:
    """Samples the data layer's own figures, and compares them with the rules.

    Arguments:
        observed: the data layer.
        health: asks the servers.
        log: the statements that were slow or failed.
        alerts: sends alerts.
        interval: seconds between two samples.
    """

    def __init__(
        self,
        observed: Observed,
        health: Callable[[], Health],
        log: QueryLog,
        alerts: AlertService,
        *,
        interval: float = 60.0,
    ) -> None:
        self._observed = observed
        self._health = health
        self._log = log
        #: Rules, and what was sent of them.
        self.alerts: AlertService = alerts
        self._interval = interval
        self.reset_after_fork()
        forking.register(self)

    def reset_after_fork(self) -> None:
        """In a forked child: no thread runs, and nothing was observed."""
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._last: Figures | None = None
        self._last_values: Figures | None = None
        self._samples: deque[tuple[float, Figures]] = deque(maxlen=_MAX_SAMPLES)
        #: What the servers answered last, with reasons; ``None`` before they were asked.
        self.last_health: Health | None = None
        self._checks: deque[tuple[datetime, dict[str, bool]]] = deque(maxlen=_MAX_CHECKS)
        self._process = f"{socket.gethostname()}:{os.getpid()}"

    @property
    def is_started(self) -> bool:
        """Whether the sampler runs."""
        return self._thread is not None

    def start_monitoring(self) -> None:
        """Sample and evaluate the rules each minute, in a thread. Idempotent."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._run, args=(self._stop,), name="surf_data-monitoring", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """End the thread, and send what waits, for 5 seconds at the most. Idempotent."""
        thread, self._thread = self._thread, None
        self._stop.set()
        if thread is not None:
            thread.join(self._interval)
        self._stop = threading.Event()
        self.alerts.close()

    def sample(self) -> int:
        """Write what each query did since the last sample; return of how many queries.

        Raises:
            DatabaseError: it could not be written; the next sample has it.
        """
        now = figures(self._observed)
        done = now if self._last is None else now.since(self._last)
        if done.queries:
            names = list(done.queries)
            queries = [done.queries[name] for name in names]
            daylight_queries().metric_insert_many(
                self._observed.database,
                queries=names,
                process=self._process,
                moment=datetime.now(UTC),
                calls=[query.count for query in queries],
                errors=[query.errors for query in queries],
                row_counts=[query.rows for query in queries],
                totals=[query.total_ms for query in queries],
                p95s=[query.percentile(95) for query in queries],
                longest=[query.durations[-1][0] for query in queries],
            )
        self._last = now
        return len(done.queries)

    def check_health(self) -> dict[str, bool]:
        """Ask the servers, and remember the answer; the last 100 are."""
        self.last_health = health = self._health()
        found = {"database": health.database.ok, "cache": health.cache.ok}
        self._checks.append((datetime.now(UTC), found))
        return found

    def get_metrics(self, hours: float = 1) -> dict[str, Any]:
        """Return what this process did in the last hours, as far as it was sampled, else since its start.

        Arguments:
            hours: above 0 and at most 24.

        Raises:
            ValidationError: ``hours`` is no such number.
        """
        span = validation.number("hours", hours)
        if not 0 < span <= 24:  # noqa: PLR2004 - a day
            raise validation.invalid("hours", "must be above 0 and at most 24")
        now, since = figures(self._observed), time.monotonic() - span * 3600
        earlier = next((sample for moment, sample in self._samples if moment >= since), None)
        done = now if earlier is None else now.since(earlier)
        reads = sum(query.count for name, query in done.queries.items() if _reads(name))
        pool = now.pool
        last = self._checks[-1] if self._checks else None
        return {
            "connectionPool": {
                "active": pool["size"] - pool["idle_size"],
                "idle": pool["idle_size"],
                "total": pool["size"],
                "pending": None,
                "utilization": now.pool_utilization,
            },
            "performance": {
                "avgQueryTime": done.average_ms,
                "slowQueries": len(self._log.slow(MAX_EVENTS)),
                "errorRate": done.errors / done.count if done.count else 0.0,
                "throughput": {"reads": reads, "writes": done.count - reads, "total": done.count},
            },
            # What this process cannot know is not made up.
            "resources": {"cpu": None, "memory": None, "disk": None},
            "health": {
                "status": "warning" if done.errors or (last and not all(last[1].values())) else "healthy",
                "lastCheck": None if last is None else as_json(last[0]),
                "uptime": self.uptime_share(),
                "errors": done.errors,
            },
        }

    def uptime_share(self) -> float:
        """Return in which share of the remembered health checks all was well; 1 without any."""
        good = sum(all(services.values()) for _, services in self._checks)
        return good / len(self._checks) if self._checks else 1.0

    def consecutive_failures(self) -> dict[str, int]:
        """Return for each server how many of the last health checks it has failed in a row."""
        failures: dict[str, int] = {"database": 0, "cache": 0}
        for name in failures:
            for _, services in reversed(self._checks):
                if services[name]:
                    break
                failures[name] += 1
        return failures

    def read_window(self, hours: float = 1) -> list[dict[str, Any]]:
        """Return what all processes did in the last hours, by query, as their samples say: the most time first.

        Raises:
            ValidationError: ``hours`` is not above 0 and at most 8,784.
            DatabaseError: the question could not be answered.
        """
        span = validation.number("hours", hours)
        if not 0 < span <= 8784:  # noqa: PLR2004 - a year
            raise validation.invalid("hours", "must be above 0 and at most 8784")
        since = datetime.now(UTC) - timedelta(hours=span)
        return [
            {"query": query, "calls": calls, "errors": errors, "averageMs": average, "maxMs": longest}
            for query, calls, errors, average, longest in daylight_queries().metric_window(
                self._observed.database, since=since
            )
        ]

    def get_slow_queries(self, limit: int = 10) -> list[dict[str, Any]]:
        """Return statements that were slow, slowest first, without a value.

        Raises:
            ValidationError: ``limit`` is no number from 1 to 1,000.
        """
        return self._log.slow(validation.integer("limit", limit, minimum=1, maximum=MAX_EVENTS))

    def get_error_queries(self, limit: int = 10) -> list[dict[str, Any]]:
        """Return statements that failed, newest first: the class of the error, and no value.

        Raises:
            ValidationError: ``limit`` is no number from 1 to 1,000.
        """
        return self._log.failed(validation.integer("limit", limit, minimum=1, maximum=MAX_EVENTS))

    def evaluate_rules(self) -> list[tuple[str, str]]:
        """Compare what happened since the last time with the rules, and send what this process is to send.

        The thread of `start_monitoring` does so each minute; call it for a timer of your own. Never raises because
        of a server.

        Returns:
            What was sent: ``("high_latency", "alert")``.
        """
        services = self.check_health()
        return self.alerts.evaluate(self._values(services), is_database_up=services["database"])

    def _values(self, services: Mapping[str, bool]) -> dict[str, float | None]:
        now = figures(self._observed)
        done = now if self._last_values is None else now.since(self._last_values)
        self._last_values = now
        self._samples.append((time.monotonic(), now))
        enough = done.count >= MIN_STATEMENTS
        overdue: float | None = None
        if services["database"]:
            try:
                overdue = daylight_queries().retention_overdue_days(self._observed.database) or 0.0
            except DatabaseError as error:
                _log.warning("retention not looked at", extra=error_facts(error))
        return {
            "average_query_ms": done.average_ms if enough else 0.0,
            "error_rate": done.errors / done.count if enough else 0.0,
            "pool_utilization": now.pool_utilization,
            "breaker_open": float(now.breaker_open),
            "database_down": 0.0 if services["database"] else 1.0,
            "retention_overdue_days": overdue,
        }

    def _run(self, stop: threading.Event) -> None:
        while not stop.wait(self._interval):
            self.evaluate_rules()
            try:
                self.sample()
            except DatabaseError as error:
                _log.warning("sample not written", extra=error_facts(error))


def _reads(name: str) -> bool:
    """Return whether a query of this domain returns rows without changing any, by its operator."""
    query: Any = getattr(daylight_queries(), name.rpartition(".")[2], None)
    return query is not None and query.operation.name.startswith("SELECT")
