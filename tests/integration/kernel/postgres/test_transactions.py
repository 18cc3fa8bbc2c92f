"""Transactions and savepoints: committed as a whole or rolled back as a whole, and never reported otherwise."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from surf_data.errors import (
    ConstraintViolation,
    DatabaseError,
    DatabaseUnavailable,
    LockTimeout,
    StatementTimeout,
    TransactionConflict,
)
from surf_data.kernel.postgres import DatabaseManager

Connection = psycopg.Connection[Any]
Opener = Callable[..., DatabaseManager]

QUERIES = {
    "note_insert(id)!": "INSERT INTO note (id) VALUES (:id::int8);",
    "note_list()": "SELECT n.id FROM note AS n ORDER BY n.id;",
    "note_count()$": "SELECT count(*) FROM note;",
    "note_touch(id)!": "UPDATE note SET touched = touched + 1 WHERE id = :id::int8;",
    "note_lock(id)$": "SELECT n.id FROM note AS n WHERE n.id = :id::int8 FOR UPDATE;",
    "backend()$": "SELECT pg_backend_pid();",
    "die()$": "SELECT pg_terminate_backend(pg_backend_pid());",
    "fail()$": "SELECT 1 / 0;",
    "lock_timeout(seconds)$": "SELECT set_config('lock_timeout', :seconds::text || 's', true);",
    "sleep(seconds)$": "SELECT pg_sleep(:seconds::float8);",
    "serializable()#": "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;",
    "broken()$": "SELECT nothing FROM nowhere;",
}
TABLE = """
    CREATE TABLE note (id bigint PRIMARY KEY CHECK (id <> 13), touched int NOT NULL DEFAULT 0);
    CREATE TABLE reply (note_id bigint NOT NULL REFERENCES note DEFERRABLE INITIALLY DEFERRED);
"""


@pytest.fixture
def queries(load: Callable[..., Any], watcher: Connection) -> Any:
    """Load queries for a table of notes, and create it."""
    watcher.execute(TABLE)
    return load(QUERIES)


def noted(watcher: Connection) -> list[int]:
    """Return the ids that others see."""
    return [id_ for (id_,) in watcher.execute("SELECT id FROM note ORDER BY id").fetchall()]


def test_a_block_that_ends_is_committed(database: DatabaseManager, queries: Any, watcher: Connection) -> None:
    """Others see what was done when the block has ended, and not before."""
    with database.transaction() as tx:
        assert queries.note_insert(tx, id=1) == 1
        assert queries.note_count(tx) == 1
        assert noted(watcher) == []
    assert noted(watcher) == [1]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_block_that_raises_is_rolled_back(
    database: DatabaseManager, queries: Any, watcher: Connection, error: type[BaseException]
) -> None:
    """Whatever is raised in the block undoes it, comes out as it was, and gives the connection back."""
    with pytest.raises(error) as caught, database.transaction() as tx:
        queries.note_insert(tx, id=1)
        raise error("mine")
    assert caught.value.args == ("mine",)
    assert noted(watcher) == []
    assert database._pool._borrowers == {}


def test_a_failing_statement_undoes_the_others(database: DatabaseManager, queries: Any, watcher: Connection) -> None:
    """A statement that the server refuses leaves nothing of those before it."""
    with pytest.raises(ConstraintViolation), database.transaction() as tx:
        queries.note_insert(tx, id=1)
        queries.note_insert(tx, id=13)
    assert noted(watcher) == []


def test_savepoints_nest(database: DatabaseManager, queries: Any, watcher: Connection) -> None:
    """A block within a block that raises is rolled back alone, at any depth."""
    with database.transaction() as tx:
        queries.note_insert(tx, id=1)
        with suppress(ZeroDivisionError), tx.transaction() as inner:
            queries.note_insert(inner, id=2)
            with inner.transaction() as innermost:
                queries.note_insert(innermost, id=3)
            raise ZeroDivisionError
        with tx.transaction() as inner:
            queries.note_insert(inner, id=4)
            with suppress(ConstraintViolation), inner.savepoint() as innermost:
                queries.note_insert(innermost, id=4)
            queries.note_insert(inner, id=5)
    assert noted(watcher) == [1, 4, 5]


def test_one_statement_needs_no_savepoint(database: DatabaseManager, queries: Any, watcher: Connection) -> None:
    """Outside a transaction a savepoint is nothing, because each statement is a transaction by itself."""
    with suppress(ZeroDivisionError), database.savepoint() as same:
        assert same is database
        queries.note_insert(same, id=1)
        raise ZeroDivisionError
    assert noted(watcher) == [1]


def test_a_held_connection_is_no_transaction(database: DatabaseManager, queries: Any, watcher: Connection) -> None:
    """Statements on a held connection share it, and each counts at once."""
    with database.connection() as held, held.connection() as same:
        assert same is held
        assert queries.backend(held) == queries.backend(held)
        queries.note_insert(held, id=1)
        assert noted(watcher) == [1]
        with suppress(ZeroDivisionError), held.transaction() as tx:
            queries.note_insert(tx, id=2)
            raise ZeroDivisionError
        queries.note_insert(held, id=3)
    assert noted(watcher) == [1, 3]


def test_a_caught_error_does_not_pass_for_success(
    database: DatabaseManager, queries: Any, watcher: Connection, refused: Callable[..., Any]
) -> None:
    """A transaction in which a statement failed cannot be committed, and says so even if the error was caught."""

    def careless() -> None:
        with database.transaction() as tx:
            queries.note_insert(tx, id=1)
            with suppress(DatabaseError):
                queries.fail(tx)

    error = refused(careless, DatabaseError)
    assert str(error) == "transaction failed: a statement in it failed, so it was rolled back"
    assert noted(watcher) == []
    assert queries.note_insert(database, id=2) == 1


def test_a_caught_error_in_a_savepoint_undoes_it_alone(
    database: DatabaseManager, queries: Any, watcher: Connection
) -> None:
    """A savepoint in which a statement failed says so at its end, and the transaction around it goes on."""
    with database.transaction() as tx:
        queries.note_insert(tx, id=1)
        with pytest.raises(DatabaseError, match="so it was rolled back"), tx.transaction() as inner:
            queries.note_insert(inner, id=2)
            with suppress(DatabaseError):
                queries.fail(inner)
        queries.note_insert(tx, id=3)
    assert noted(watcher) == [1, 3]


def test_a_connection_lost_in_the_block_does_not_pass_for_success(
    database: DatabaseManager, queries: Any, watcher: Connection, refused: Callable[..., Any]
) -> None:
    """A transaction whose connection was lost was not committed, and says so even if the error was caught."""

    def careless() -> None:
        with database.transaction() as tx:
            queries.note_insert(tx, id=1)
            with suppress(DatabaseError):
                queries.die(tx)

    assert str(refused(careless, DatabaseUnavailable)) == "transaction failed: connection lost"
    assert noted(watcher) == []


def test_a_connection_lost_at_commit_is_unavailable(
    database: DatabaseManager, queries: Any, watcher: Connection, refused: Callable[..., Any]
) -> None:
    """When the server is gone at the end of the block, the error says so, and the pool recovers."""

    def unlucky() -> None:
        with database.transaction() as tx:
            queries.note_insert(tx, id=1)
            # Returns when the server process has ended.
            watcher.execute("SELECT pg_terminate_backend(%s, 10000)", [queries.backend(tx)])

    error = refused(unlucky, DatabaseUnavailable)
    assert error.query == "transaction"
    assert noted(watcher) == []
    assert queries.note_insert(database, id=2) == 1


def test_an_error_at_commit_is_translated(
    database: DatabaseManager, queries: Any, watcher: Connection, load: Callable[..., Any], refused: Callable[..., Any]
) -> None:
    """A constraint that is checked at the end raises there, with its name."""
    reply = load({"reply(id)!": "INSERT INTO reply (note_id) VALUES (:id::int8);"}).reply

    def dangling() -> None:
        with database.transaction() as tx:
            reply(tx, id=99)

    error = refused(dangling, ConstraintViolation)
    assert (error.query, error.constraint) == ("transaction", "reply_note_id_fkey")


def test_nothing_runs_after_the_block(database: DatabaseManager, queries: Any, refused: Callable[..., Any]) -> None:
    """A transaction that is kept beyond its end raises an error, in every way of using it."""
    with database.transaction() as tx:
        pass
    uses: list[Callable[[], object]] = [
        lambda: queries.note_count(tx),
        lambda: queries.note_list_cursor(tx).__enter__(),
        lambda: tx.transaction().__enter__(),
        lambda: tx.savepoint().__enter__(),
    ]
    for use in uses:
        assert "has ended" in str(refused(use, DatabaseError))


def test_a_savepoint_left_open_disturbs_nobody(
    open_database: Opener, queries: Any, watcher: Connection, refused: Callable[..., Any]
) -> None:
    """A savepoint that outlives its transaction ends it with an error, and its connection serves no caller after it."""
    database = open_database(pool_max_size=1)
    kept: list[Any] = []

    def forgetful() -> None:
        with database.transaction() as tx:
            kept.append(tx.transaction())
            queries.note_insert(kept[0].__enter__(), id=1)

    assert "transaction failed" in str(refused(forgetful, DatabaseError))
    with database.transaction() as tx:
        queries.note_insert(tx, id=2)
        with suppress(DatabaseError):
            kept.pop().__exit__(None, None, None)
    assert noted(watcher) == [2]


def test_a_deadlock_is_a_conflict(
    database: DatabaseManager, queries: Any, watcher: Connection, refused: Callable[..., Any]
) -> None:
    """Of two transactions that wait for one another, one gets a conflict error, and the other goes on."""
    watcher.execute("INSERT INTO note VALUES (1), (2)")
    barrier = threading.Barrier(2)

    def touch(first: int, second: int) -> str:
        try:
            with database.transaction() as tx:
                queries.note_touch(tx, id=first)
                barrier.wait()
                queries.note_touch(tx, id=second)
        except TransactionConflict as error:
            return str(error.sqlstate)
        return "committed"

    with ThreadPoolExecutor(2) as threads:
        outcomes = [threads.submit(touch, *order) for order in ((1, 2), (2, 1))]
        assert sorted(outcome.result() for outcome in outcomes) == ["40P01", "committed"]
    assert watcher.execute("SELECT touched FROM note").fetchall() == [(1,), (1,)]


def test_a_serialization_failure_is_a_conflict(database: DatabaseManager, queries: Any) -> None:
    """Of two serializable transactions that depend on one another's reads, one gets a conflict error."""

    def count_and_insert(tx: Any, id_: int) -> Iterator[None]:
        queries.serializable(tx)
        queries.note_count(tx)
        yield
        queries.note_insert(tx, id=id_)

    with pytest.raises(TransactionConflict) as caught, database.transaction() as one, database.transaction() as other:
        for step in zip(count_and_insert(one, 1), count_and_insert(other, 2), strict=True):
            assert step == (None, None)
    assert caught.value.sqlstate == "40001"


def test_a_lock_that_cannot_be_had_is_a_lock_timeout(
    database: DatabaseManager, queries: Any, watcher: Connection
) -> None:
    """Waiting for a lock longer than the lock timeout is an error of its own."""
    watcher.execute("INSERT INTO note VALUES (1)")
    with database.transaction() as holder, pytest.raises(LockTimeout) as caught, database.transaction() as tx:
        queries.note_lock(holder, id=1)
        queries.lock_timeout(tx, seconds=0.05)
        queries.note_lock(tx, id=1)
    assert (caught.value.query, caught.value.sqlstate) == ("note_lock", "55P03")


@pytest.mark.parametrize("timeout", [0.05, 0.0001])
def test_a_statement_that_runs_too_long_is_a_statement_timeout(
    open_database: Opener, queries: Any, timeout: float
) -> None:
    """The setting ends a statement, however small it is, and the connection goes on."""
    database = open_database(pool_max_size=1, statement_timeout=timeout)
    with pytest.raises(StatementTimeout) as caught:
        queries.sleep(database, seconds=60)
    assert (caught.value.query, caught.value.sqlstate) == ("sleep", "57014")
    with suppress(StatementTimeout):
        assert queries.backend(database) > 0


def test_no_statement_timeout_is_none(open_database: Opener, load: Callable[..., Any]) -> None:
    """Zero means without limit."""
    shown = load({"shown()$": "SELECT current_setting('statement_timeout');"}).shown
    assert shown(open_database(statement_timeout=0)) == "0"


@pytest.mark.parametrize(
    ("name", "sqlstate"), [("broken", "42P01"), ("fail", "22012")], ids=["missing table", "division by zero"]
)
def test_other_errors_are_database_errors(
    database: DatabaseManager, queries: Any, refused: Callable[..., Any], name: str, sqlstate: str
) -> None:
    """What is wrong with the statement itself is a plain database error with its SQLSTATE."""
    error = refused(lambda: getattr(queries, name)(database), DatabaseError)
    assert (type(error), error.query, error.sqlstate) == (DatabaseError, name, sqlstate)
