"""The setting ``trace_context``: what is sent names the caller's span, and only then."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider, sampling
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState

from surf_data.errors import ConfigurationError, DatabaseError
from surf_data.kernel.postgres import DatabaseManager

Opener = Callable[..., DatabaseManager]

QUERIES = {
    "sent()$": "SELECT current_query();",
    "sent_with(value)^": "SELECT current_query(), :value::text;",
    "remark()$": "SELECT current_query() -- as it is sent\n;",
    "declared()": "SELECT c.statement FROM pg_cursors AS c WHERE c.name LIKE 'surf%';",
    "copied()#": "COPY (SELECT current_query()) TO STDOUT;",
    "prepared()$": "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'SELECT /* surf_data:sent%';",
}
COMMENT = re.compile(r"\n/\*traceparent='00-([0-9a-f]{32})-([0-9a-f]{16})-01'\*/")


@pytest.fixture
def queries(load: Callable[..., Any]) -> Any:
    """Return the queries."""
    return load(QUERIES)


@pytest.fixture
def traced(open_database: Opener) -> DatabaseManager:
    """Open a database that names spans, with one connection."""
    return open_database(trace_context=True, pool_max_size=1)


@pytest.fixture
def span() -> Iterator[Callable[..., AbstractContextManager[Any]]]:
    """Return a function that makes a span the current one, sampled or not."""
    providers = {kept: TracerProvider(sampling.StaticSampler(kept)) for kept in sampling.Decision}
    yield (
        lambda kept=sampling.Decision.RECORD_AND_SAMPLE: (
            providers[kept].get_tracer("test").start_as_current_span("request")
        )
    )
    for provider in providers.values():
        provider.shutdown()


def test_a_statement_names_the_span(traced: DatabaseManager, queries: Any, span: Any, watcher: Any) -> None:
    """It ends with the ids of the span, each span its own, and other sessions see it."""
    for _ in range(2):
        with span() as current:
            ids = current.get_span_context()
            text, value = queries.sent_with(traced, value="it's")
            assert (text[:10], value) == ("SELECT /* ", "it's")
            assert COMMENT.search(text).groups() == (f"{ids.trace_id:032x}", f"{ids.span_id:016x}")
            with traced.transaction() as session:
                shown = queries.sent(session)
                found = watcher.execute("SELECT query FROM pg_stat_activity WHERE state = 'idle in transaction'")
                assert found.fetchone() == (shown,)
            assert COMMENT.search(shown)


def test_every_way_to_run_a_statement(traced: DatabaseManager, queries: Any, span: Any) -> None:
    """A stream, a COPY and a statement that ends in a comment name it, too."""
    with span(), traced.transaction() as session:
        with queries.declared_cursor(session) as rows:
            [(declared,)] = rows
        with queries.copied(session) as reader:
            copied = reader.read().decode()
        assert COMMENT.search(declared)
        assert r"\n/*traceparent='00-" in copied
        assert queries.remark(session).partition("\n")[0].endswith("-- as it is sent")
        assert COMMENT.search(queries.remark(session))


def test_nothing_is_prepared_for_it(traced: DatabaseManager, queries: Any, span: Any) -> None:
    """Statements within a span leave no prepared statement behind; those outside are prepared as ever."""
    with traced.connection() as session:
        with span():
            for _ in range(7):
                queries.sent(session)
            assert queries.prepared(session) == 0
        queries.sent(session)
        assert queries.prepared(session) == 1
        with span():
            assert COMMENT.search(queries.sent(session))
            assert queries.prepared(session) == 1


@pytest.mark.parametrize("case", ["off", "no span", "not sampled", "recorded, not sampled"])
def test_otherwise_a_statement_is_what_it_is(open_database: Opener, queries: Any, span: Any, case: str) -> None:
    """Without the setting, without a span or with one that is not sampled, the same is sent, and prepared."""
    with open_database().connection() as session:
        expected = queries.sent(session)
    kept = {"not sampled": sampling.Decision.DROP, "recorded, not sampled": sampling.Decision.RECORD_ONLY}
    current = trace.use_span(trace.INVALID_SPAN) if case == "no span" else span(*filter(None, [kept.get(case)]))
    if case == "off":
        current = span()
    with current, open_database(trace_context=case != "off").connection() as session:
        assert queries.sent(session) == expected
        assert "traceparent" not in expected
        assert queries.prepared(session) == 1


@pytest.mark.parametrize("number", [1, 2**128 - 1])
def test_nothing_but_digits_comes_of_a_span(traced: DatabaseManager, queries: Any, number: int) -> None:
    """What came with a request is numbers by then; its state, which is text, is not sent."""
    state = TraceState([("shop", "*/; DROP TABLE item; --")])
    remote = SpanContext(number, number % 2**64, is_remote=True, trace_flags=TraceFlags(0xFF), trace_state=state)
    with trace.use_span(NonRecordingSpan(remote)):
        text = queries.sent(traced)
    _, found, rest = text.partition("\n")
    assert COMMENT.fullmatch(found + rest).groups() == (f"{number:032x}", f"{number % 2**64:016x}")


def test_without_opentelemetry(open_database: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is not installed, the setting is refused, and says what to install."""
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", None)
    with pytest.raises(ConfigurationError) as refused:
        open_database(trace_context=True)
    said = 'trace_context needs the extra metrics: pip install "surf-data[metrics]"'
    assert (refused.value.setting, str(refused.value)) == ("trace_context", said)


def test_an_error_is_the_query_s_own(traced: DatabaseManager, queries: Any, span: Any) -> None:
    """What cannot be sent, and what the server refuses, is said as ever."""
    with span(), pytest.raises(DatabaseError, match="value") as refused:
        queries.sent_with(traced, value="\0")
    assert "traceparent" not in str(refused.value)
