"""Streams: rows in batches from a cursor on the server, and what becomes of those who leave early."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from rig import eventually
from surf_data.errors import DatabaseError, DatabaseUnavailable, ValidationError
from surf_data.kernel.postgres import DatabaseManager, QueryEvent

Connection = psycopg.Connection[Any]
Opener = Callable[..., DatabaseManager]


@pytest.fixture
def queries(load: Callable[..., Any]) -> Any:
    """Load queries that return many rows."""
    return load(
        {
            # Not in FROM, where the function would run to its end first.
            "numbers(last)": "SELECT generate_series(1, :last::int8) AS i;",
            "fraying(last)": "SELECT 1 / (:last::int8 - i) AS i FROM generate_series(1, :last::int8) AS i;",
            "broken()": "SELECT nothing FROM nowhere;",
            "backend()$": "SELECT pg_backend_pid();",
            "endless(last)": (
                "SELECT CASE WHEN i < :last::int8 THEN now() ELSE 'infinity' END AS moment "
                "FROM generate_series(1, 2 * :last::int8) AS i;"
            ),
            "prepared()": "SELECT statement FROM pg_prepared_statements;",
            "cursors()$": "SELECT count(*) FROM pg_cursors WHERE name LIKE 'surf%';",
        }
    )


def idle(database: DatabaseManager) -> bool:
    """Return whether every connection of ``database`` has come back."""
    return database._pool._borrowers == {}


@pytest.mark.parametrize("batch_size", [1, 7, 10, 50, 120, 1000])
@pytest.mark.parametrize("last", [0, 9, 10, 11, 20, 50, 120, 251])
def test_a_stream_has_all_rows(database: DatabaseManager, queries: Any, batch_size: int, last: int) -> None:
    """However many rows a batch has, every row comes once and in order."""
    with queries.numbers_cursor(database, last=last) as rows:
        rows.batch_size = batch_size
        assert [number for (number,) in rows] == list(range(1, last + 1))
        assert rows.rows == last
        assert list(rows) == []
    assert idle(database)


def test_a_stream_fetches_what_is_read(database: DatabaseManager, queries: Any) -> None:
    """No more than a batch is fetched ahead of the reader."""
    with queries.numbers_cursor(database, last=10**9) as rows:
        rows.batch_size = 10
        assert [row for row, _ in zip(rows, range(25), strict=False)] == [(number,) for number in range(1, 26)]
        assert rows.rows == 30


def test_a_batch_size_can_change_on_the_way(database: DatabaseManager, queries: Any) -> None:
    """What is set counts from the next batch on."""
    with queries.numbers_cursor(database, last=100) as rows:
        rows.batch_size = 10
        reader = iter(rows)
        first = next(reader)
        rows.batch_size = 70
        assert [first, *reader] == [(number,) for number in range(1, 101)]


@pytest.mark.parametrize("batch_size", [0, -1, True, 1.5, "1", None])
def test_a_batch_has_rows(
    database: DatabaseManager, queries: Any, refused: Callable[..., Any], batch_size: Any
) -> None:
    """A batch size that cannot be is refused when rows are asked for, and ends nothing."""
    with queries.numbers_cursor(database, last=3) as rows:
        rows.batch_size = batch_size
        assert refused(lambda: list(rows), ValidationError).field == "batch_size"
        rows.batch_size = 1
        assert list(rows) == [(1,), (2,), (3,)]


def test_a_stream_prepares_only_what_it_declares(open_database: Opener, queries: Any) -> None:
    """Fetching leaves no statement of its own in the session, however many streams it has had."""
    database = open_database(pool_max_size=1)
    for size in (1, 2, 3):
        with queries.numbers_cursor(database, last=10) as rows:
            rows.batch_size = size
            assert len(list(rows)) == 10
    assert not [statement for (statement,) in queries.prepared(database) if "FETCH" in statement]


def test_a_stream_needs_no_transaction(database: DatabaseManager, queries: Any, watcher: Connection) -> None:
    """On a pooled connection, and on a held one, a stream brings its own transaction and ends it."""
    with database.connection() as held:
        for executor in (database, held):
            with queries.numbers_cursor(executor, last=3) as rows:
                assert len(list(rows)) == 3
        assert queries.backend(held) > 0
    states = "SELECT DISTINCT state FROM pg_stat_activity WHERE application_name = 'surf_data'"
    # Another connection may still be on its way.
    eventually(lambda: watcher.execute(states).fetchall() == [("idle",)])


def test_two_streams_share_a_transaction(database: DatabaseManager, queries: Any) -> None:
    """Two streams of one session can be read in turns, with other queries between."""
    with (
        database.transaction() as tx,
        queries.numbers_cursor(tx, last=5) as left,
        queries.numbers_cursor(tx, last=5) as right,
    ):
        left.batch_size = right.batch_size = 2
        assert queries.cursors(tx) == 2
        pairs = [(one, other, queries.backend(tx) > 0) for (one,), (other,) in zip(left, right, strict=True)]
    assert pairs == [(number, number, True) for number in range(1, 6)]


def test_a_batch_survives_what_is_run_between_its_rows(database: DatabaseManager, queries: Any) -> None:
    """Other statements and streams of the session take nothing away from a batch that is half read."""
    with (
        database.connection() as held,
        queries.numbers_cursor(held, last=250) as left,
        queries.numbers_cursor(held, last=250) as right,
    ):
        left.batch_size, right.batch_size = 120, 100
        pairs = []
        for (one,), (other,) in zip(left, right, strict=True):
            assert len(queries.numbers(held, last=3)) == 3
            pairs.append((one, other))
    assert pairs == [(number, number) for number in range(1, 251)]


def test_two_readers_share_a_stream(database: DatabaseManager, queries: Any) -> None:
    """The next one to ask gets the next batch: together they have every row once."""
    with queries.numbers_cursor(database, last=200) as rows:
        rows.batch_size = 60
        left, right = iter(rows), iter(rows)
        read = [next(left), next(right)]
        assert read == [(1,), (61,)]
        assert sorted([*read, *left, *right]) == [(number,) for number in range(1, 201)]


def test_a_stream_that_is_left_early_gives_its_connection_back(database: DatabaseManager, queries: Any) -> None:
    """Leaving the block, by a break or by an error of one's own, ends the cursor and releases the connection."""
    with queries.numbers_cursor(database, last=10**9) as rows:
        for _ in rows:
            break
    assert idle(database)
    with pytest.raises(ZeroDivisionError), queries.numbers_cursor(database, last=10**9) as rows:
        raise ZeroDivisionError
    assert idle(database)
    assert queries.cursors(database) == 0


def test_an_abandoned_generator_gives_its_connection_back(database: DatabaseManager, queries: Any) -> None:
    """A generator around a stream that is not read to the end releases the connection when it goes."""

    def numbers() -> Any:
        with queries.numbers_cursor(database, last=10**9) as rows:
            yield from rows

    reader = numbers()
    assert next(reader) == (1,)
    assert not idle(database)
    del reader
    assert idle(database)


def test_an_error_in_mid_stream_is_translated(
    database: DatabaseManager, queries: Any, refused: Callable[..., Any]
) -> None:
    """Rows before a failing one are delivered; the failure has the query's name, and the connection goes on."""
    read: list[Any] = []

    def reading() -> None:
        with queries.fraying_cursor(database, last=10) as rows:
            rows.batch_size = 4
            read.extend(rows)

    error = refused(reading, DatabaseError)
    assert (error.query, error.sqlstate) == ("fraying", "22012")
    assert len(read) == 8
    assert idle(database)
    assert queries.cursors(database) == 0
    assert str(refused(lambda: queries.broken_cursor(database).__enter__(), DatabaseError)).startswith("broken failed")
    assert idle(database)


def test_a_row_that_python_cannot_hold_ends_the_stream(
    open_database: Opener, queries: Any, refused: Callable[..., Any]
) -> None:
    """Of a batch the rows far before it are delivered; the failure has the query's name, and the connection goes on."""
    events: list[QueryEvent] = []
    database = open_database(pool_max_size=1, observer=events.append)
    backend = queries.backend(database)
    read: list[Any] = []

    def reading() -> None:
        with queries.endless_cursor(database, last=120) as rows:
            read.extend(rows)

    assert refused(reading, DatabaseError).query == "endless"
    assert 0 < len(read) < 120
    assert [(event.rows, event.error) for event in events if event.query == "endless"] == [(240, "DatabaseError")]
    assert idle(database)
    assert queries.backend(database) == backend


def test_an_error_in_mid_stream_aborts_the_transaction(
    database: DatabaseManager, queries: Any, refused: Callable[..., Any]
) -> None:
    """Within a transaction a failing stream undoes the transaction, as any failing statement does."""

    def reading() -> None:
        with database.transaction() as tx, queries.fraying_cursor(tx, last=3) as rows:
            list(rows)

    assert refused(reading, DatabaseError).query == "fraying"
    assert queries.cursors(database) == 0


def test_a_lost_connection_in_mid_stream_is_unavailable(
    database: DatabaseManager, queries: Any, watcher: Connection, refused: Callable[..., Any]
) -> None:
    """A reader whose server goes away gets an error, and the next one is served."""

    def reading() -> None:
        with database.connection() as held, queries.numbers_cursor(held, last=10**6) as rows:
            rows.batch_size = 10
            for (number,) in rows:
                if number == 5:
                    # Returns when the server process has ended.
                    watcher.execute("SELECT pg_terminate_backend(%s, 10000)", [queries.backend(held)])

    assert refused(reading, DatabaseUnavailable).query == "numbers"
    assert len(queries.numbers(database, last=3)) == 3


def test_a_stream_cannot_be_begun_again_on_a_lost_connection(
    database: DatabaseManager, queries: Any, watcher: Connection, refused: Callable[..., Any]
) -> None:
    """Every attempt to read on is an error."""
    with database.connection() as held, queries.numbers_cursor(held, last=9) as rows:
        watcher.execute("SELECT pg_terminate_backend(%s, 10000)", [queries.backend(held)])
        for _ in range(2):
            assert refused(lambda: list(rows), DatabaseUnavailable).query == "numbers"


def test_a_stream_does_not_outlive_its_transaction(
    open_database: Opener, queries: Any, refused: Callable[..., Any]
) -> None:
    """An iterator kept beyond the transaction raises an error, and never touches the connection's next user."""
    database = open_database(pool_max_size=1)
    with database.transaction() as tx:
        context = queries.numbers_cursor(tx, last=100)
        rows = context.__enter__()
        rows.batch_size = 2
        reader = iter(rows)
        assert next(reader) == (1,)
    with database.transaction() as other, queries.numbers_cursor(other, last=100) as theirs:
        theirs.batch_size = 2
        others = iter(theirs)
        assert next(others) == (1,)
        assert next(reader) == (2,)
        assert "has ended" in str(refused(lambda: next(reader), DatabaseError))
        context.__exit__(None, None, None)
        assert [number for (number,) in others] == list(range(2, 101))


def test_a_stream_can_be_handed_to_another_thread(database: DatabaseManager, queries: Any) -> None:
    """The thread that reads need not be the one that opened the stream."""
    read: list[Any] = []
    with queries.numbers_cursor(database, last=2500) as rows:
        reader = threading.Thread(target=lambda: read.extend(rows))
        reader.start()
        reader.join()
    assert len(read) == 2500


def test_a_stream_is_observed_for_the_time_the_server_takes(open_database: Opener, queries: Any) -> None:
    """One event tells of a stream: rows that were fetched, and neither the reader's own time nor its errors."""
    events: list[QueryEvent] = []
    database = open_database(observer=events.append)
    with queries.numbers_cursor(database, last=10) as rows:
        rows.batch_size = 5
        reader = iter(rows)
        assert next(reader) == (1,)
        waited = rows.waited
        assert [next(reader) for _ in range(4)] == [(2,), (3,), (4,), (5,)]
        assert rows.waited == waited > 0
    with pytest.raises(ZeroDivisionError), queries.numbers_cursor(database, last=1):
        raise ZeroDivisionError
    with pytest.raises(DatabaseError), queries.fraying_cursor(database, last=1) as rows:
        list(rows)
    assert [(event.query, event.rows, event.error) for event in events if event.kind == "statement"] == [
        ("numbers", 5, None),
        ("numbers", 0, None),
        ("fraying", 0, "DatabaseError"),
    ]
