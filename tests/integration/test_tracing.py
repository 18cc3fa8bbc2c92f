"""Spans by the name of the query, and OpenTelemetry's own instrumentation of psycopg beside them."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

import surf_data
from rig.users import user_data
from rig.waiting import eventually
from surf_data import ConstraintViolation, PoolTimeout
from surf_data.kernel.monitoring import spans

Admin = psycopg.Connection[Any]
Spans = Callable[[], list[ReadableSpan]]


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """Return what keeps finished spans."""
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> Iterator[TracerProvider]:
    """Return where tracers come from."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider
    provider.shutdown()


@pytest.fixture(params=[False, True], ids=["plain", "commenter"])
def instrumented(request: pytest.FixtureRequest, provider: TracerProvider) -> Iterator[None]:
    """Instrument psycopg, without and with comments in statements."""
    instrumentor = PsycopgInstrumentor()
    methods = [(cls, vars(cls)["connect"]) for cls in (psycopg.Connection, psycopg.AsyncConnection)]
    instrumentor.instrument(tracer_provider=provider, enable_commenter=request.param)
    yield
    instrumentor.uninstrument()
    # It leaves methods that ignore which class they are called on.
    for cls, method in methods:
        cls.connect = method


def test_every_statement_is_a_span(
    migrated_url: str, redis_url: str, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    """Statements, COPY, cached cursors and transactions are spans by name, below that of the caller."""
    tracer = provider.get_tracer("test")
    with surf_data.open(migrated_url, redis_url, observer=spans(tracer), pool_max_size=1, cache_timeout=20) as data:
        data.lamps.get_all_active_lamps()
        exporter.clear()
        user = user_data()
        with tracer.start_as_current_span("request"):
            for _ in range(2):
                data.lamps.get_all_active_lamps()
            data.activity.log_activities([{"activity_type": "a", "status": "b"}] * 3)
            with pytest.raises(ConstraintViolation), data.transaction() as tx:
                tx.users.register_user(user)
                tx.activity.log_activities([{"lamp_id": user_data()["lamp_id"], "activity_type": "a", "status": "b"}])
            data.cache.get_surf_data_cache(1)
    *below, request = exporter.get_finished_spans()
    assert [span.name for span in below] == [
        "lamps.lamp_active_list",
        "lamps.lamp_active_list",
        "lamps.activity_copy",
        "lamps.lamp_insert",
        "lamps.activity_copy",
        "transaction",
        "redis read",
    ]
    assert {span.parent.span_id for span in below if span.parent} == {request.get_span_context().span_id}
    assert all(span.start_time < span.end_time for span in below)
    copied, failed, rolled_back = below[2], below[4], below[5]
    assert dict(copied.attributes or {}) == {
        "db.query.summary": "lamps.activity_copy",
        "surf_data.rows": 3,
        "db.system.name": "postgresql",
    }
    assert (copied.kind, rolled_back.kind) == (SpanKind.CLIENT, SpanKind.INTERNAL)
    assert (copied.status.status_code, failed.status.status_code) == (StatusCode.UNSET, StatusCode.ERROR)
    assert (rolled_back.attributes or {})["error.type"] == "ConstraintViolation"
    assert [(event.name, dict(event.attributes or {})) for event in request.events] == [
        ("surf_data.cache", {"db.query.summary": "misses", "surf_data.rows": 1})
    ]


def test_a_wait_is_a_span(migrated_url: str, provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    """A caller that waits for a connection has a span of that, with what it was for."""
    observer = spans(provider.get_tracer("test"))
    with surf_data.open(migrated_url, observer=observer, pool_max_size=1) as data:
        data.lamps.get_all_active_lamps()
        exporter.clear()
        with data.transaction(), pytest.raises(PoolTimeout):
            data.lamps.get_all_active_lamps()
        [waited, _] = exporter.get_finished_spans()
    assert (waited.name, waited.status.status_code) == ("wait for a connection", StatusCode.ERROR)
    assert (waited.attributes or {})["db.query.summary"] == "lamps.lamp_active_list"


def test_the_instrumentation_of_psycopg_does_no_harm(
    migrated_url: str, instrumented: None, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    """With it, and with its comments in statements, everything works; a statement has one span, which is ours."""
    observer = spans(provider.get_tracer("test"))
    with surf_data.open(migrated_url, observer=observer, pool_max_size=2) as data, ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda _: data.lamps.get_all_active_lamps(), range(20))) == [[]] * 20
        assert data.users.register_user(user_data())
        assert len(list(data.lamps.iter_active_lamps())) == 1
        assert data.activity.log_activities([{"activity_type": "a", "status": "b"}] * 2) == 2
        assert data.migrations.status()[0].state == "applied"
        assert data.health().overall.ok
        eventually(lambda: len([s for s in exporter.get_finished_spans() if s.name == "lamps.lamp_active_list"]) == 20)
    ours = [span for span in exporter.get_finished_spans() if span.instrumentation_scope.name == "test"]  # type: ignore[union-attr]
    assert ours == list(exporter.get_finished_spans())


@pytest.mark.parametrize(
    "lines", ["instrument(enable_commenter=True)", "instrument(); PsycopgInstrumentor().uninstrument()"]
)
def test_instrumented_before_it_is_imported(migrated_url: str, lines: str) -> None:
    """As ``opentelemetry-instrument`` does it: psycopg is instrumented, and may no longer be, when we are imported."""
    program = f"""
import sys
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
PsycopgInstrumentor().{lines}
import surf_data
with surf_data.open(sys.argv[1], pool_min_size=0) as data:
    print(data.lamps.get_all_active_lamps(), data.lamps.get_all_active_lamps(), data.health().database.ok)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, migrated_url], check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.returncode) == ("[] [] True\n", 0), done.stderr


def test_the_application_s_own_connections_are_instrumented_as_before(
    migrated_url: str, instrumented: None, exporter: InMemorySpanExporter
) -> None:
    """What the application connects to by itself keeps the spans that it asked for."""
    with surf_data.open(migrated_url) as data, psycopg.connect(migrated_url) as own:
        data.lamps.get_all_active_lamps()
        own.execute("SELECT 1")
        own.cursor().execute("SELECT 2")
    assert [span.name for span in exporter.get_finished_spans()] == ["SELECT", "SELECT"]
