"""The correlation id: one for a request, however it came, and none outside."""

import contextvars
import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from surf_data.kernel.correlation import correlation, correlation_id, new_correlation_id

TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_a_block_has_an_id_of_its_own() -> None:
    """Within a block there is a new one; an inner block has another, and after each the one before counts again."""
    assert correlation_id() is None
    with correlation() as outer:
        with correlation() as inner:
            assert correlation_id() == inner != outer
        assert correlation_id() == outer
    assert correlation_id() is None
    assert len(outer) == len(new_correlation_id()) == 32


def test_a_block_that_raises_ends_its_id() -> None:
    """An error leaves nothing behind."""
    with pytest.raises(ZeroDivisionError), correlation("a"):
        raise ZeroDivisionError
    assert correlation_id() is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("request-7", "request-7"),
        ("x" * 128, "x" * 128),
        (f"00-{TRACE}-b7ad6b7169203331-01", TRACE),
        (f"00-{TRACE.upper()}-b7ad6b7169203331-01", f"00-{TRACE.upper()}-b7ad6b7169203331-01"),
    ],
)
def test_an_id_that_came_is_taken(caplog: pytest.LogCaptureFixture, given: str, expected: str) -> None:
    """An id is taken as it is, and of a traceparent header the trace id."""
    with correlation(given) as taken:
        assert (taken, correlation_id()) == (expected, expected)
    assert caplog.records == []


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "a\nb", "é", "planted-7f3a;", 7, b"a", f"{TRACE}\0"], ids=repr)
def test_what_cannot_be_an_id_is_replaced(caplog: pytest.LogCaptureFixture, given: object) -> None:
    """A header is input: it is neither used nor repeated."""
    with caplog.at_level(logging.WARNING), correlation(given) as taken:
        assert len(taken) == 32
    assert [record.msg for record in caplog.records] == ["correlation id replaced"]
    assert "planted" not in caplog.text


def test_a_thread_has_the_id_of_the_context_it_runs_in() -> None:
    """Without a copy of the context there is none, with one it is the request's."""
    with ThreadPoolExecutor(1) as threads, correlation("a"):
        assert threads.submit(correlation_id).result() is None
        assert threads.submit(contextvars.copy_context().run, correlation_id).result() == "a"
