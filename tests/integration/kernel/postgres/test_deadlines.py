"""Deadlines, and what ends a wait besides them."""

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import psutil
import psycopg
import pytest

from surf_data.errors import DatabaseUnavailable, DeadlineExceeded, PoolTimeout, ValidationError
from surf_data.kernel.postgres import DatabaseManager, connection, deadline

Connection = psycopg.Connection[Any]
Opener = Callable[..., DatabaseManager]

RUNNING = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query ~ 'pg_sleep' AND pid <> pg_backend_pid()"

FETCHING = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'PgSleep'"


@pytest.fixture
def queries(load: Callable[..., Any]) -> Any:
    """Load queries that take their time."""
    return load(
        {
            "backend()$": "SELECT pg_backend_pid();",
            "sleep(seconds)$": "SELECT pg_sleep(:seconds::float8);",
            # The last of sixty rows never comes.
            "slow_list()": "SELECT i FROM generate_series(1, 60) AS i WHERE i < 60 OR pg_sleep(600) IS NULL;",
        }
    )


def test_a_statement_ends_at_the_deadline(
    open_database: Opener, queries: Any, watcher: Connection, refused: Callable[..., Any], eventually: Any
) -> None:
    """The caller gets an error at the deadline, the server cancels the statement, and the next caller is served."""
    database = open_database(pool_max_size=1)
    backend = queries.backend(database)
    with deadline(0.3):
        error = refused(lambda: queries.sleep(database, seconds=600), DeadlineExceeded)
    assert (error.query, error.sqlstate, error.retryable) == ("sleep", None, False)
    assert str(error) == "sleep failed: no answer before the deadline"
    eventually(lambda: not watcher.execute(RUNNING).fetchone())
    assert queries.backend(database) != backend


def test_a_setting_is_the_deadline_of_every_statement(
    open_database: Opener, queries: Any, refused: Callable[..., Any]
) -> None:
    """Without a block the setting counts, for a pooled statement and for each statement of a held connection."""
    database = open_database(deadline=0.3, pool_max_size=2)
    refused(lambda: queries.sleep(database, seconds=600), DeadlineExceeded)
    with database.connection() as held:
        assert [queries.sleep(held, seconds=0.2) for _ in range(3)] == [""] * 3
        refused(lambda: queries.sleep(held, seconds=600), DeadlineExceeded)


def test_an_inner_deadline_cannot_be_later(
    database: DatabaseManager, queries: Any, refused: Callable[..., Any]
) -> None:
    """A block within a block can shorten the deadline, and the outer one counts again after it."""
    with deadline(600):
        with deadline(0.1):
            refused(lambda: queries.sleep(database, seconds=600), DeadlineExceeded)
        assert queries.backend(database) > 0
    with deadline(0.1), deadline(600):
        refused(lambda: queries.sleep(database, seconds=600), DeadlineExceeded)


def test_a_deadline_is_its_thread_s_own(database: DatabaseManager, queries: Any) -> None:
    """Another thread has all its time."""
    answers: list[int] = []
    with deadline(0.000001):
        other = threading.Thread(target=lambda: answers.append(queries.backend(database)))
        other.start()
        other.join()
    assert len(answers) == 1


def test_nothing_is_sent_after_the_deadline(
    database: DatabaseManager, queries: Any, watcher: Connection, refused: Callable[..., Any]
) -> None:
    """Once the deadline has passed, a held connection is closed without another word, and the pool lends none."""
    watcher.execute("CREATE TABLE note (id bigint)")
    with database.connection() as held:
        assert queries.backend(held) > 0
        with deadline(0.000001):
            refused(lambda: queries.sleep(held, seconds=0), DeadlineExceeded)
            error = refused(lambda: queries.backend(database), PoolTimeout)
        assert str(error).startswith("no connection for backend before the deadline; 1 of at most 5 in use; ")
        refused(lambda: queries.backend(held), DatabaseUnavailable)


def test_a_stream_may_take_longer_than_a_statement(open_database: Opener, load: Callable[..., Any]) -> None:
    """The setting is for each answer of the server: the reader's own time between two batches does not count."""
    numbers = load({"number_list()": "SELECT generate_series(1, 10);"}).number_list_cursor
    with numbers(open_database(deadline=0.5)) as rows:
        rows.batch_size = 5
        reader = iter(rows)
        first = next(reader)
        time.sleep(0.6)
        assert [first, *reader] == [(number,) for number in range(1, 11)]


def test_a_fetch_ends_at_the_deadline(
    open_database: Opener, queries: Any, watcher: Connection, eventually: Any
) -> None:
    """A reader gets an error at the deadline, after the rows that came in time, and the next caller is served."""
    database = open_database(pool_max_size=1)
    backend = queries.backend(database)
    read: list[Any] = []
    with (
        pytest.raises(DeadlineExceeded, match="slow_list failed: no answer before the deadline"),
        queries.slow_list_cursor(database) as rows,
    ):
        rows.batch_size = 55
        with deadline(0.5):
            read.extend(rows)
    assert len(read) == 55
    eventually(lambda: not watcher.execute(FETCHING).fetchone())
    assert queries.backend(database) != backend


def test_an_interrupted_fetch_leaves_the_connection(
    open_database: Opener, queries: Any, watcher: Connection, eventually: Any
) -> None:
    """Ctrl-C ends a stream and what the server does for it; its transaction is rolled back, its connection goes on."""
    database = open_database(pool_max_size=1)
    backend = queries.backend(database)

    def interrupt() -> None:
        eventually(lambda: watcher.execute(FETCHING).fetchone())
        os.kill(os.getpid(), signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    with queries.slow_list_cursor(database) as rows:
        rows.batch_size = 55
        interrupter.start()
        with pytest.raises(KeyboardInterrupt):
            list(rows)
        interrupter.join()
    assert queries.backend(database) == backend


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), True, "1"])
def test_a_deadline_is_a_number_of_seconds(refused: Callable[..., Any], seconds: Any) -> None:
    """What is no time to come is refused."""
    assert refused(lambda: deadline(seconds).__enter__(), ValidationError).field == "seconds"


def test_migrations_have_no_deadline_but_the_block_s(open_database: Opener, refused: Callable[..., Any]) -> None:
    """A connection of one's own may work for as long as it takes, and heeds a block."""
    database = open_database(deadline=0.1)
    with database.connect() as own:
        own.execute("SELECT pg_sleep(0.3)")
        with deadline(0.1), pytest.raises(psycopg.OperationalError, match="deadline"):
            own.execute("SELECT pg_sleep(600)")
        assert own.closed


def test_a_wait_for_notifications_may_end_early(database: DatabaseManager) -> None:
    """Psycopg's own time-outs work as ever, and leave the connection as it is."""
    with database.connect() as own:
        assert list(own.notifies(timeout=0.01)) == []
        assert own.execute("SELECT 1").fetchone() == (1,)


def test_an_interrupted_query_that_cannot_be_cancelled_is_left(
    open_database: Opener, queries: Any, watcher: Connection, eventually: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while a session hangs returns after a while, and its connection serves no other caller."""
    monkeypatch.setattr(connection, "_CANCELLATION", 0.1)
    database = open_database(pool_max_size=1)
    backend = queries.backend(database)
    session = psutil.Process(backend)

    def interrupt() -> None:
        eventually(lambda: watcher.execute(RUNNING).fetchone())
        session.suspend()
        os.kill(os.getpid(), signal.SIGINT)

    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            queries.sleep(database, seconds=600)
    finally:
        interrupter.join()
        session.resume()
    assert queries.backend(database) != backend


def test_a_connection_of_ones_own_ends_at_its_deadline(database: DatabaseManager) -> None:
    """A connection whose time is over before it has asked anything is closed, with nothing to cancel."""
    with database.connect() as own:
        own.deadline = time.monotonic() - 1
        with pytest.raises(psycopg.OperationalError, match="deadline"):
            own.execute("SELECT 1")
        assert own.closed
