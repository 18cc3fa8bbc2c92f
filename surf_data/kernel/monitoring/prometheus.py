"""The figures of a data layer for Prometheus, read when they are scraped: nothing is added to any statement."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from surf_data.errors import ConfigurationError
from surf_data.kernel.histograms import QueryHistogram
from surf_data.kernel.monitoring.figures import Observed, figures

#: Where the buckets of the histograms end, in seconds.
BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class PrometheusCollector:
    """A collector for prometheus_client: ``registry.register(PrometheusCollector(data))``.

    The series are as many as there are queries.

    Arguments:
        observed: the data layer.
        prefix: what the names of the metrics begin with.

    Raises:
        ConfigurationError: the extra ``metrics`` is not installed.
    """

    def __init__(self, observed: Observed, prefix: str = "surf_data") -> None:
        self._observed = observed
        self._prefix = prefix
        self._core = _core()

    def describe(self) -> Iterable[Any]:
        """Return nothing: what there is, is known when it is collected."""
        return ()

    def collect(self) -> Iterator[Any]:
        """Yield the metrics as they are now."""
        core, prefix, now = self._core, self._prefix, figures(self._observed)
        yield from self._family("query", "statements", "query", now.queries)
        rows = core.CounterMetricFamily(f"{prefix}_query_rows", "Rows returned or changed.", labels=["query"])
        for name, query in now.queries.items():
            rows.add_metric([name], query.rows)
        yield rows
        yield from self._family("pool_wait", "callers waited for a connection", "query", now.waits)
        yield from self._family("retry", "pauses before something was run again", "query", now.retries)
        yield from self._family("transaction", "transactions", None, {"": now.transactions})
        yield from self._family("redis", "exchanges with Redis", "operation", now.redis)
        events = core.CounterMetricFamily(f"{prefix}_cache_events", "What the cache counts.", labels=["event"])
        for name, number in now.cache.items():
            events.add_metric([name], number)
        yield events
        connections = core.GaugeMetricFamily(f"{prefix}_pool_connections", "Connections.", labels=["state"])
        connections.add_metric(["idle"], now.pool["idle_size"])
        connections.add_metric(["used"], now.pool["size"] - now.pool["idle_size"])
        connections.add_metric(["max"], now.pool["max_size"])
        yield connections
        yield core.GaugeMetricFamily(
            f"{prefix}_cache_breaker_open", "Whether Redis is left alone.", value=float(now.breaker_open)
        )

    def _family(self, name: str, what: str, label: str | None, found: Mapping[str, QueryHistogram]) -> Iterator[Any]:
        """Yield how long something took, and how often it failed."""
        labels = [] if label is None else [label]
        durations = self._core.HistogramMetricFamily(
            f"{self._prefix}_{name}_duration_seconds", f"How long {what} took.", labels=labels
        )
        errors = self._core.CounterMetricFamily(f"{self._prefix}_{name}_errors", f"Failures: {what}.", labels=labels)
        for value, histogram in found.items():
            values = [value] if labels else []
            durations.add_metric(values, _buckets(histogram.durations), histogram.total_ms / 1000)
            errors.add_metric(values, histogram.errors)
        yield from (durations, errors)


def _buckets(durations: Iterable[tuple[float, int]]) -> list[tuple[str, float]]:
    counts = [0] * (len(BOUNDS) + 1)
    for milliseconds, number in durations:
        place = next((place for place, bound in enumerate(BOUNDS) if milliseconds <= bound * 1000), len(BOUNDS))
        counts[place] += number
    total, buckets = 0, []
    for bound, number in zip([*map(str, BOUNDS), "+Inf"], counts, strict=True):
        total += number
        buckets.append((bound, float(total)))
    return buckets


def _core() -> Any:
    # An extra: imported only where it is asked for.
    with suppress(ImportError):
        from prometheus_client import metrics_core  # noqa: PLC0415

        return metrics_core
    raise ConfigurationError('metrics need the extra metrics: pip install "surf-data[metrics]"')
