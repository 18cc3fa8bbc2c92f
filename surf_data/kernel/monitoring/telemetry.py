"""The figures and events of a data layer as OpenTelemetry's instruments and spans, by its semantic conventions."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from surf_data.errors import ConfigurationError
from surf_data.kernel.histograms import QueryHistogram
from surf_data.kernel.monitoring.figures import Figures, Observed, figures
from surf_data.kernel.observation import Kind, Observer, QueryEvent

#: The attribute that names the query.
SUMMARY = "db.query.summary"


def instrument(observed: Observed, meter: Any = None) -> None:
    """Register observable instruments that read the figures whenever the application's SDK collects them.

    Arguments:
        observed: the data layer.
        meter: a meter; that of the global provider when not given.

    Raises:
        ConfigurationError: the extra ``metrics`` is not installed.
    """
    metrics, _ = _api()
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
    for name, unit, read in _COUNTED:
        meter.create_observable_counter(f"surf_data.{name}.count", observe(_each(read, _count)), unit)
        meter.create_observable_counter(f"surf_data.{name}.errors", observe(_each(read, _errors)), unit)
        meter.create_observable_counter(f"surf_data.{name}.duration", observe(_each(read, _seconds)), "s")
    meter.create_observable_counter(
        "surf_data.cache.events",
        observe(lambda now: [(number, {"surf_data.cache.event": name}) for name, number in now.cache.items()]),
        "{event}",
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


# What has histograms: its name, its unit, and where it is.
_COUNTED: tuple[tuple[str, str, Callable[[Figures], Mapping[str, QueryHistogram]]], ...] = (
    ("query", "{query}", lambda now: now.queries),
    ("pool.wait", "{wait}", lambda now: now.waits),
    ("retry", "{retry}", lambda now: now.retries),
    ("transaction", "{transaction}", lambda now: {"transaction": now.transactions}),
    ("redis", "{exchange}", lambda now: now.redis),
)


def _each(
    read: Callable[[Figures], Mapping[str, QueryHistogram]], value: Callable[[QueryHistogram], float]
) -> Callable[[Figures], Iterable[tuple[float, dict[str, str]]]]:
    return lambda now: [(value(found), {SUMMARY: name}) for name, found in read(now).items()]


def _count(found: QueryHistogram) -> float:
    return found.count


def _errors(found: QueryHistogram) -> float:
    return found.errors


def _seconds(found: QueryHistogram) -> float:
    return found.total_ms / 1000


def spans(tracer: Any = None) -> Observer:
    """Return an observer that makes a span of each event: ``surf_data.open(observer=spans())``.

    A span has the name of its query and is a child of the span that is current where the query is run. It begins and
    ends when the statement did, but is made when it has ended: it has no children. A retry, and what the cache counts,
    are events of the current span.

    Arguments:
        tracer: a tracer; that of the global provider when not given.

    Raises:
        ConfigurationError: the extra ``metrics`` is not installed.
    """
    _, trace = _api()
    tracer = tracer or trace.get_tracer("surf_data")

    def observe(event: QueryEvent) -> None:
        attributes: dict[str, Any] = {SUMMARY: event.query}
        if event.error is not None:
            attributes["error.type"] = event.error
        if event.rows >= 0:
            attributes["surf_data.rows"] = event.rows
        if event.kind in {"retry", "cache"}:
            trace.get_current_span().add_event(f"surf_data.{event.kind}", attributes)
            return
        name, system = _SPANS[event.kind]
        if system is not None:
            attributes["db.system.name"] = system
        ended = time.time_ns()
        span = tracer.start_span(
            name.format(event.query),
            kind=trace.SpanKind.INTERNAL if system is None else trace.SpanKind.CLIENT,
            attributes=attributes,
            start_time=ended - int(event.duration_ms * 1e6),
        )
        if event.error is not None:
            span.set_status(trace.StatusCode.ERROR)
        span.end(ended)

    return observe


# The name of a span, and what it is a client of, by the kind of its event.
_SPANS: dict[Kind, tuple[str, str | None]] = {
    "statement": ("{}", "postgresql"),
    "transaction": ("transaction", None),
    "wait": ("wait for a connection", None),
    "redis": ("redis {}", "redis"),
}


def _api() -> tuple[Any, Any]:
    # An extra: imported only where it is asked for.
    with suppress(ImportError):
        from opentelemetry import metrics, trace  # noqa: PLC0415

        return metrics, trace
    raise ConfigurationError('OpenTelemetry needs the extra metrics: pip install "surf-data[metrics]"')
