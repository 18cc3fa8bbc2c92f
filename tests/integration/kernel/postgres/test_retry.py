"""Trying again: what a .sql file may declare, and what a held connection says of a write that was lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from rig.harmless_functions import FILE, harmless
from surf_data.errors import CommitUnknown, DatabaseError, DatabaseUnavailable, QueryFileError
from surf_data.kernel.postgres import DatabaseManager, Session, effects, load_queries

Connection = psycopg.Connection[Any]
Opener = Callable[..., DatabaseManager]

#: The newest server that this is tested with.
NEWEST = 180_000
WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
QUERIES = """\
-- name: note_count()$
-- How many notes there are.
SELECT count(*) FROM note;

-- name: note_few()
-- Some notes.
WITH few AS NOT MATERIALIZED (SELECT n.id FROM note AS n WHERE n.id IN (0, 1))
SELECT
    f.id,
    count(*) OVER (PARTITION BY (f.id)) AS notes
FROM few AS f (id)
WHERE EXISTS (SELECT 1 AS found FROM note AS o WHERE o.id = ANY (ARRAY[f.id]));

-- name: note_insert(id)!
-- Adds a note.
INSERT INTO note (id) VALUES (:id::int8);

-- name: note_put(id)!
-- Adds a note unless it is there.
-- retry: idempotent
INSERT INTO note (id) VALUES (:id::int8) ON CONFLICT DO NOTHING;

-- name: note_take()$
-- A number, and a note.
SELECT nextval('number') FROM note;

-- name: backend()$
-- Who serves us.
SELECT pg_backend_pid();

-- name: note_copy()#
-- Takes notes.
COPY note FROM STDIN;
"""


@pytest.fixture
def queries(sql_folder: Callable[..., Path], watcher: Connection) -> Any:
    """Load queries for a table of notes, and create it."""
    watcher.execute("CREATE TABLE note (id bigint PRIMARY KEY); CREATE SEQUENCE number; INSERT INTO note VALUES (0)")
    return load_queries(sql_folder(note=QUERIES))


@pytest.fixture
def interrupted(database_url: str, watcher: Connection, eventually: Any) -> Callable[[Callable[[], Any]], Any]:
    """Return a function that ends, at the server, the connection of a call that waits for a lock."""

    def interrupt(call: Callable[[], Any]) -> Any:
        with ThreadPoolExecutor(1) as threads:
            with psycopg.connect(database_url) as other:
                other.execute("LOCK TABLE note IN ACCESS EXCLUSIVE MODE")
                called = threads.submit(call)
                eventually(lambda: watcher.execute(WAITING).fetchone())
                watcher.execute(f"SELECT pg_terminate_backend(pid, 10000) FROM ({WAITING}) AS w".encode())
            return called.result()

    return interrupt


def test_a_read_is_tried_again(database: DatabaseManager, queries: Any, interrupted: Callable[..., Any]) -> None:
    """A query that reads, and calls no function that could write, is tried again."""
    assert interrupted(lambda: queries.note_count(database)) == 1
    assert database.statistics()["note_count"]["errors"] == 1


def test_a_read_with_keywords_before_parentheses_is_tried_again(
    database: DatabaseManager, queries: Any, interrupted: Callable[..., Any]
) -> None:
    """WITH, IN, EXISTS, OVER and the like are no functions, and the alias of a table is none either."""
    assert interrupted(lambda: queries.note_few(database)) == [(0, 1)]
    assert database.statistics()["note_few"]["errors"] == 1


def test_a_query_that_calls_what_may_write_is_not(
    database: DatabaseManager, queries: Any, interrupted: Callable[..., Any], refused: Callable[..., Any]
) -> None:
    """A SELECT with a volatile function in it is not read-only: its caller learns that it may have been applied."""
    interrupted(lambda: refused(lambda: queries.note_take(database), CommitUnknown))
    assert database.statistics()["note_take"]["count"] == 1


@pytest.mark.parametrize(("query", "error"), [("note_count", DatabaseUnavailable), ("note_take", CommitUnknown)])
def test_where_the_server_stays_away(
    open_database: Opener,
    queries: Any,
    watcher: Connection,
    interrupted: Callable[..., Any],
    refused: Callable[..., Any],
    query: str,
    error: type[DatabaseError],
) -> None:
    """Without a server to ask, only the functions that are known to write nothing leave a query out of doubt."""
    watcher.execute("CREATE ROLE diver LOGIN SUPERUSER")
    try:
        database = open_database(
            database_url=make_conninfo(watcher.info.dsn, user="diver"), pool_max_size=1, pool_timeout=0.1
        )
        assert queries.note_count(database) == 1
        watcher.execute("ALTER ROLE diver NOLOGIN")
        assert type(interrupted(lambda: refused(partial(getattr(queries, query), database), DatabaseError))) is error
    finally:
        watcher.execute("DROP ROLE diver")


def test_a_write_that_is_declared_idempotent_is_tried_again(
    database: DatabaseManager, queries: Any, interrupted: Callable[..., Any]
) -> None:
    """`-- retry: idempotent` in the header says that running a write twice is as good as once."""
    assert interrupted(lambda: queries.note_put(database, id=1)) == 1
    assert "retry" not in str(queries.driver_adapter.sources["note_put"][0].description)


@pytest.mark.parametrize("option", ["-- retry: always", "-- retry: no"])
def test_an_unknown_option_is_refused(
    sql_folder: Callable[..., Path], refused: Callable[..., Any], option: str
) -> None:
    """A misspelt option is an error with file and line, and not a comment."""
    folder = sql_folder(note=f"-- name: a()\n-- A.\n{option}\nSELECT 1;")
    error = refused(lambda: load_queries(folder), QueryFileError)
    assert error.line == 3
    assert str(error).endswith("retry can only be idempotent")


def test_a_description_may_have_colons(sql_folder: Callable[..., Path]) -> None:
    """A sentence that only looks like an option is a sentence; an option is no description."""
    folder = sql_folder(note="-- name: a()\n-- note: this\n-- Retry: never.\nSELECT 1;")
    assert load_queries(folder).a.__doc__ is not None


def test_a_lost_write_on_a_held_connection_is_in_doubt_once(
    database: DatabaseManager, queries: Any, interrupted: Callable[..., Any], refused: Callable[..., Any]
) -> None:
    """On a held connection the write that was lost may have been applied; what came after it was never sent."""

    def write() -> None:
        with database.connection() as held:
            refused(lambda: queries.note_insert(held, id=1), CommitUnknown)
            assert type(refused(lambda: queries.note_insert(held, id=2), DatabaseError)) is DatabaseUnavailable

    interrupted(write)


def test_a_lost_read_on_a_held_connection_is_not_in_doubt(
    database: DatabaseManager, queries: Any, interrupted: Callable[..., Any], refused: Callable[..., Any]
) -> None:
    """A read that was lost on a held connection has changed nothing, unless it calls what may write."""

    def read(query: Callable[..., Any], error: type[Exception]) -> None:
        with database.connection() as held:
            assert type(refused(lambda: query(held), error)) is error

    interrupted(lambda: read(queries.note_count, DatabaseUnavailable))
    interrupted(lambda: read(queries.note_take, CommitUnknown))
    interrupted(lambda: read(partial(queries.note_put, id=1), DatabaseUnavailable))


def test_the_functions_that_write_nothing_are_known_without_a_server(watcher: Connection) -> None:
    """The list is that of the newest server, and right for older ones; functions that are not on it may write."""
    known = FILE.read_text("ascii").split()
    assert known == harmless(watcher) or watcher.info.server_version < NEWEST
    volatile = (
        "SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND provolatile = 'v'"
    )
    assert not {*known} & {name for (name,) in watcher.execute(volatile)}
    assert not effects.may_write(["count", "jsonb_agg"])
    assert effects.may_write(["count", "nextval"])
    assert effects.may_write(["count", "of_somebody_s_own"])


def test_a_lost_write_in_a_transaction_is_not_in_doubt(
    database: DatabaseManager, queries: Any, interrupted: Callable[..., Any], refused: Callable[..., Any]
) -> None:
    """A transaction that was lost before its end was not applied, and says no less."""

    def write() -> None:
        with database.transaction() as tx:
            queries.note_insert(tx, id=1)

    assert type(interrupted(lambda: refused(write, DatabaseError))) is DatabaseUnavailable
    assert queries.note_count(database) == 1


def test_a_lost_copy_is_in_doubt(
    database: DatabaseManager, queries: Any, interrupted: Callable[..., Any], refused: Callable[..., Any]
) -> None:
    """A COPY whose connection is lost at its end may have been applied."""

    def copy() -> None:
        with queries.note_copy(database) as writer:
            writer.write_row((1,))

    assert interrupted(lambda: refused(copy, CommitUnknown)).query == "note_copy"


def test_run_tries_three_times(database: DatabaseManager, queries: Any, watcher: Connection) -> None:
    """A unit of work that the server undoes each time is run three times, and its caller gets the last error."""
    tries = []

    def unlucky(session: Session) -> None:
        tries.append(queries.note_insert(session, id=len(tries) + 1))
        watcher.execute("SELECT pg_terminate_backend(%s, 10000)", [queries.backend(session)])

    with pytest.raises(DatabaseUnavailable):
        database.run_transaction(unlucky)
    assert tries == [1, 1, 1]
    assert queries.note_count(database) == 1


def test_run_does_not_try_again_what_is_wrong(database: DatabaseManager, queries: Any) -> None:
    """What the server refuses is refused once; what the work itself raises comes out as it is."""
    tries = []

    def wrong(session: Session) -> None:
        tries.append(queries.note_insert(session, id=1))
        queries.note_insert(session, id=1)

    with pytest.raises(DatabaseError):
        database.run_transaction(wrong)
    with pytest.raises(ZeroDivisionError):
        database.run_transaction(lambda _: 1 // 0)
    assert tries == [1]
    assert database.run_transaction(queries.note_count) == 1


def test_a_transaction_of_one_s_own_connection_cannot_be_looked_up(
    database: DatabaseManager, queries: Any, watcher: Connection, refused: Callable[..., Any]
) -> None:
    """Outside the pool the server is not asked what became of a COMMIT; the error says that it is not known."""

    def write() -> None:
        with database.connect() as own, Session(own).transaction() as tx:
            queries.note_insert(tx, id=1)
            watcher.execute("SELECT pg_terminate_backend(%s, 10000)", [own.info.backend_pid])

    assert refused(write, CommitUnknown).query == "transaction"


def test_a_statement_that_a_pooler_has_lost_is_prepared_again(
    open_database: Opener, queries: Any, load: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    """A prepared statement that the session does not know is run on a new connection, and there is a warning."""
    database = open_database(pool_max_size=1)
    forget = load({"forget()#": "DO 'BEGIN EXECUTE ''DEALLOCATE ALL''; END';"}).forget
    assert queries.note_put(database, id=1) == 1
    forget(database)
    assert queries.note_put(database, id=2) == 1
    assert "prepared statements are mixed up by a pooler; set prepared_statements=off" in [
        record.msg for record in caplog.records
    ]
    assert queries.note_count(database) == 3


def test_a_database_that_may_only_be_read_says_so(
    open_database: Opener, queries: Any, watcher: Connection, refused: Callable[..., Any]
) -> None:
    """A write that is refused as read-only is tried on new connections, and then refused."""
    watcher.execute(f"ALTER DATABASE {watcher.info.dbname} SET default_transaction_read_only = on".encode())
    database = open_database(pool_max_size=2)
    for _ in range(2):
        error = refused(lambda: queries.note_insert(database, id=1), DatabaseError)
        assert (error.sqlstate, error.retryable) == ("25006", True)
    assert database.statistics()["note_insert"]["errors"] == 6
    assert queries.note_count(database) == 1
