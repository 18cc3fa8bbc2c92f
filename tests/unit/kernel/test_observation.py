"""Observation: counts, percentiles, slow queries, and observers."""

import logging
import math
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surf_data.errors import LockTimeout
from surf_data.kernel.observation import Observation, _QueryRecord
from surf_data.kernel.postgres import QueryEvent

MILLISECOND = 1_000_000
SLOW = ("surf_data.kernel.observation", logging.WARNING, "slow query")


def exact(durations: list[int], percent: int) -> float:
    """Return the nearest-rank percentile in milliseconds."""
    return sorted(durations)[math.ceil(percent * len(durations) / 100) - 1] / MILLISECOND


@given(durations=st.lists(st.integers(min_value=0, max_value=10**13), min_size=1, max_size=300))
def test_percentiles_are_exact_to_a_thirty_second_part(durations: list[int]) -> None:
    """Each percentile lies within 1/32 of the exact one, from nanoseconds to hours."""
    observation = Observation(slow_query_ms=math.inf)
    for duration in durations:
        observation.record("q", duration, 1)
    found = observation.statistics()["q"]
    assert len(durations) == found["count"] == observation.queries_count
    for percent in (50, 95, 99):
        assert found[f"p{percent}_ms"] == pytest.approx(exact(durations, percent), rel=1 / 32, abs=0)


def test_statistics_are_by_query() -> None:
    """Every query has its own count, errors and rows; unknown row counts are not counted."""
    observation = Observation()
    observation.record("b", 20, 3)
    observation.record("b", 20, -1)
    observation.record("a", 31, 0, LockTimeout())
    assert observation.statistics() == {
        "a": {"count": 1, "errors": 1, "rows": 0, "p50_ms": 31e-6, "p95_ms": 31e-6, "p99_ms": 31e-6},
        "b": {"count": 2, "errors": 0, "rows": 3, "p50_ms": 20e-6, "p95_ms": 20e-6, "p99_ms": 20e-6},
    }
    assert list(observation.statistics()) == ["a", "b"]
    assert observation.queries_count == 3


def test_a_query_that_has_begun_to_be_recorded_is_not_there_yet() -> None:
    """Statistics asked for between the first sight of a query and its first number leave it out."""
    observation = Observation()
    observation._records["a"] = _QueryRecord()
    observation.record("b", 1, 1)
    assert list(observation.statistics()) == ["b"]
    assert observation.queries_count == 1


def test_nothing_is_lost_between_threads() -> None:
    """Eight threads that record at once, while a ninth reads, lose no number."""
    observation = Observation()
    barrier = threading.Barrier(9)
    done = threading.Event()

    def record(thread: int) -> None:
        barrier.wait()
        for number in range(2000):
            observation.record(f"q{(number + thread) % 50}", number, 1, LockTimeout() if number % 10 == 0 else None)

    def read() -> None:
        barrier.wait()
        while not done.is_set():
            for found in observation.statistics().values():
                assert found["count"] >= found["rows"] - 1

    with ThreadPoolExecutor(9) as threads:
        reader = threads.submit(read)
        for future in [threads.submit(record, thread) for thread in range(8)]:
            future.result()
        done.set()
        reader.result()
    statistics = observation.statistics().values()
    assert sum(found["count"] for found in statistics) == 16_000
    assert sum(found["rows"] for found in statistics) == 16_000
    assert sum(found["errors"] for found in statistics) == 1600


def test_a_slow_query_is_a_warning_with_its_name(caplog: pytest.LogCaptureFixture) -> None:
    """Above the limit, and not at it, one warning names the query, its duration and its rows."""
    observation = Observation(slow_query_ms=1.5)
    observation.record("fast", 1_500_000, 1)
    observation.record("slow", 1_500_001, 7)
    [record] = caplog.records
    assert (record.name, record.levelno, record.msg) == SLOW
    assert {"query": "slow", "duration_ms": 1.500001, "rows": 7}.items() <= vars(record).items()


def test_an_observer_is_told_of_every_query() -> None:
    """An observer gets name, milliseconds and rows, and the name of the error, if there was one."""
    events: list[QueryEvent] = []
    observation = Observation(observer=events.append)
    observation.record("a", 2_500_000, 3)
    observation.record("b", 0, 0, LockTimeout("with a text of its own"))
    assert events == [
        QueryEvent(query="a", duration_ms=2.5, rows=3),
        QueryEvent(query="b", duration_ms=0.0, rows=0, error="LockTimeout"),
    ]


def test_an_observer_that_fails_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """What an observer raises is a warning without its text, and the query counts."""

    def broken(event: QueryEvent) -> None:
        raise ValueError(f"planted-7f3a {event}")

    observation = Observation(observer=broken)
    observation.record("a", 1, 1)
    [record] = caplog.records
    assert record.msg == "observer failed"
    assert {"query": "a", "error": "ValueError"}.items() <= vars(record).items()
    assert "planted-7f3a" not in caplog.text
    assert observation.queries_count == 1


def test_a_child_process_begins_anew() -> None:
    """After a fork nothing is left, not even a lock that a thread of the parent held."""
    observation = Observation()
    observation.record("a", 1, 1)
    observation._records["a"].lock.acquire()
    observation.reset_after_fork()
    assert observation.statistics() == {}
    observation.record("a", 1, 1)
    assert observation.queries_count == 1


def test_a_histogram_says_how_often_a_query_took_how_long() -> None:
    """What percentiles cannot be added up from is there too: durations, each with its number."""
    observation = Observation()
    for _ in range(2):
        observation.record("a", 2_000_000, 3)
    observation.record("a", 64_000_000, 0, LockTimeout("slow"))
    [(name, histogram)] = observation.histograms().items()
    assert (name, histogram.errors, histogram.rows, histogram.count) == ("a", 1, 6, 3)
    assert [number for _, number in histogram.durations] == [2, 1]
    assert pytest.approx(68, rel=1 / 32) == histogram.total_ms


def test_what_is_no_statement_is_counted_by_itself() -> None:
    """Waits, retries, transactions and exchanges reach the observer with their kind, and no query's figures."""
    events: list[QueryEvent] = []
    observation = Observation(slow_query_ms=0, observer=events.append)
    observation.note("wait", "a", 2_000_000)
    observation.note("wait", "a", 4_000_000, LockTimeout())
    with observation.timed("transaction", "transaction"):
        pass
    with pytest.raises(ValueError, match="mine"), observation.timed("transaction", "transaction"):
        raise ValueError("mine")
    observation.tell("cache", "hits", 0, 3)
    assert [(event.kind, event.query, event.rows, event.error) for event in events] == [
        ("wait", "a", -1, None),
        ("wait", "a", -1, "LockTimeout"),
        ("transaction", "transaction", -1, None),
        ("transaction", "transaction", -1, "ValueError"),
        ("cache", "hits", 3, None),
    ]
    assert (observation.statistics(), observation.queries_count) == ({}, 0)
    waits = observation.statistics("wait")["a"]
    assert (waits["count"], waits["errors"]) == (2, 1)
    assert observation.statistics("transaction")["transaction"]["count"] == 2
    assert observation.statistics("cache") == {}
    observation.reset_after_fork()
    assert observation.statistics("wait") == {}
