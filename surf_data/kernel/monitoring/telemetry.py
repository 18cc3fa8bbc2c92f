"""The figures of a data layer as OpenTelemetry's instruments, under the names of its semantic conventions."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from surf_data.errors import ConfigurationError
from surf_data.kernel.monitoring.figures import Figures, Observed, figures


def instrument(observed: Observed, meter: Any = None) -> None:
    """Register observable instruments that read the figures whenever the application's SDK collects them.

    Arguments:
        observed: the data layer.
        meter: a meter; that of the global provider when not given.

    Raises:
        ConfigurationError: the extra ``metrics`` is not installed.
    """
    metrics = _metrics()
    meter = meter or metrics.get_meter("surf_data")

    def observe(read: Callable[[Figures], Iterable[tuple[float, dict[str, str]]]]) -> list[Any]:
        def callback(_options: object) -> Iterator[Any]:
            for value, attributes in read(figures(observed)):
                yield metrics.Observation(value, attributes)

        return [callback]

    meter.create_observable_gauge(
        "db.client.connection.count", observe(_connections), "{connection}", "Connections by state."
    )
    meter.create_observable_gauge(
        "db.client.connection.max",
        observe(lambda now: [(now.pool["max_size"], {})]),
        "{connection}",
        "Connections allowed.",
    )
    meter.create_observable_counter(
        "surf_data.query.count", observe(lambda now: [(q.count, _of(n)) for n, q in now.queries.items()]), "{query}"
    )
    meter.create_observable_counter(
        "surf_data.query.errors", observe(lambda now: [(q.errors, _of(n)) for n, q in now.queries.items()]), "{query}"
    )
    meter.create_observable_counter(
        "surf_data.query.duration",
        observe(lambda now: [(q.total_ms / 1000, _of(n)) for n, q in now.queries.items()]),
        "s",
    )
    meter.create_observable_gauge(
        "surf_data.cache.breaker_open", observe(lambda now: [(float(now.breaker_open), {})]), "1"
    )


def _connections(now: Figures) -> list[tuple[float, dict[str, str]]]:
    idle = now.pool["idle_size"]
    return [
        (idle, {"db.client.connection.state": "idle"}),
        (now.pool["size"] - idle, {"db.client.connection.state": "used"}),
    ]


def _of(name: str) -> dict[str, str]:
    return {"db.query.summary": name}


def _metrics() -> Any:
    # An extra: imported only where it is asked for.
    with suppress(ImportError):
        from opentelemetry import metrics  # noqa: PLC0415

        return metrics
    raise ConfigurationError('metrics need the extra metrics: pip install "surf-data[metrics]"')
