"""What a function does to its session is not felt by the next caller of the connection."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from surf_data.errors import DatabaseError
from surf_data.kernel.postgres import DatabaseManager, Session

Open = Callable[..., DatabaseManager]
Load = Callable[..., Any]

BACKEND = "SELECT pg_backend_pid() AS backend;"
FUNCTION = "CREATE FUNCTION change() RETURNS int LANGUAGE plpgsql AS $f$ BEGIN {} RETURN 1; END $f$"

#: What a function does, and what of it the next caller would read.
CHANGES = {
    "search_path": ("SET search_path = pg_catalog;", "current_setting('search_path')"),
    "time zone": ("SET timezone = 'Asia/Tokyo';", "current_setting('timezone')"),
    "timeout": ("PERFORM set_config('statement_timeout', '7s', false);", "current_setting('statement_timeout')"),
    "jit": ("EXECUTE 'set jit ' || '= on';", "current_setting('jit')"),
    "tenant": ("PERFORM set_config('shop.tenant', 'a', false);", "current_setting('shop.tenant', true)"),
    "tenant by SET": ("SET shop.tenant = 'a';", "current_setting('shop.tenant', true)"),
    "role": ("SET ROLE pg_monitor;", "current_user"),
    "user": ("SET SESSION AUTHORIZATION pg_monitor;", "session_user"),
    "lock": (
        "PERFORM pg_advisory_lock(7);",
        "(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid())",
    ),
    "table": ("CREATE TEMP TABLE scrap (n int);", "to_regclass('scrap')::text"),
    "prepared": (
        "EXECUTE 'PREPARE shop AS SELECT 1';",
        "(SELECT count(*) FROM pg_prepared_statements WHERE name = 'shop')",
    ),
    "cursor": (
        "EXECUTE 'DECLARE shop CURSOR WITH HOLD FOR SELECT 1';",
        "(SELECT count(*) FROM pg_cursors WHERE name = 'shop')",
    ),
    "channel": ("LISTEN shop;", "(SELECT count(*) FROM pg_listening_channels())"),
}
#: What changes only its transaction.
LOCAL = {
    "set local": "SET LOCAL timezone = 'Asia/Tokyo';",
    "set_config": "PERFORM set_config('shop.tenant', 'a', true);",
    "lock": "PERFORM pg_advisory_xact_lock(7);",
    "table": "CREATE TEMP TABLE scrap (n int) ON COMMIT DROP;",
    "update": "UPDATE pg_temp_none SET n = 1; EXCEPTION WHEN undefined_table THEN NULL;",
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_function_changes_is_not_felt(
    watcher: psycopg.Connection[Any], open_database: Open, load: Load, change: str
) -> None:
    """A connection whose session a function has changed is renewed before it serves another caller."""
    body, seen = CHANGES[change]
    watcher.execute(FUNCTION.format(body).encode())
    database = open_database(pool_max_size=1)
    queries = load({"change()$": "SELECT change();", "seen()$": f"SELECT {seen} AS seen;"})
    before = queries.seen(database)
    for _ in range(2):
        queries.change(database)
        assert queries.seen(database) == before
    with database.transaction() as tx:
        queries.change(tx)
    assert queries.seen(database) == before


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_block_changes_is_not_felt(open_database: Open, load: Load, change: str) -> None:
    """The same of what a block does by itself."""
    body, seen = CHANGES[change]
    database = open_database(pool_max_size=1)
    queries = load({"change()!": f"DO $f$ BEGIN {body} END $f$;", "seen()$": f"SELECT {seen} AS seen;"})
    before = queries.seen(database)
    queries.change(database)
    assert queries.seen(database) == before


@pytest.mark.parametrize("local", [True, False])
def test_a_setting_for_as_long_as_a_parameter_says(open_database: Open, load: Load, local: bool) -> None:  # noqa: FBT001
    """An invented setting is not felt, whether it is set for the transaction or for longer."""
    database = open_database(pool_max_size=1)
    queries = load(
        {
            "change(local)$": "SELECT set_config('shop.tenant', 'a', :local::boolean);",
            "seen()$": "SELECT current_setting('shop.tenant', true) AS seen;",
        }
    )
    assert queries.change(database, local=local) == "a"
    assert not queries.seen(database)


@pytest.mark.parametrize("change", LOCAL)
def test_what_ends_with_the_transaction_costs_no_connection(
    watcher: psycopg.Connection[Any], open_database: Open, load: Load, change: str
) -> None:
    """A function that changes only its transaction leaves the connection in the pool."""
    watcher.execute(FUNCTION.format(f"BEGIN {LOCAL[change]} END;").encode())
    database = open_database(pool_max_size=1)
    queries = load({"change()$": "SELECT change();", "backend()$": BACKEND})
    backend = queries.backend(database)
    queries.change(database)
    assert queries.backend(database) == backend


def test_functions_that_cannot_change_the_session_are_asked_for_once(
    watcher: psycopg.Connection[Any], open_database: Open, load: Load
) -> None:
    """The server is asked once for each connection and statement, and statements without functions cost nothing."""
    watcher.execute("CREATE FUNCTION tide() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TABLE t (n int)")
    database = open_database(pool_max_size=1)
    queries = load(
        {
            "tide()$": "SELECT tide();",
            "tide_put(n)!": "INSERT INTO t (n) VALUES (:n::int4) ON CONFLICT DO NOTHING;",
            "tide_id()$": "SELECT gen_random_uuid();",
        }
    )
    with database.connection() as session:
        connection = session._connection
        queries.tide(session)
        assert len(connection.doubtful) == 1
    queries.tide(database)
    queries.tide_put(database, n=1)
    queries.tide_id(database)
    with database.connection() as session:
        assert session._connection is connection
        queries.tide(session)
        assert not connection.doubtful


def test_a_function_that_another_calls_counts(
    watcher: psycopg.Connection[Any], open_database: Open, load: Load
) -> None:
    """A function is looked for in the source of the one that is called, and a DO block is as good as one."""
    watcher.execute(FUNCTION.format("SET timezone = 'Asia/Tokyo';").encode())
    watcher.execute("CREATE FUNCTION outermost() RETURNS int LANGUAGE sql AS 'SELECT change()'")
    database = open_database(pool_max_size=1)
    queries = load(
        {
            "outermost()$": "SELECT outermost();",
            "block()#": "DO $$ BEGIN PERFORM set_config('timezone', 'Asia/Tokyo', false); END $$;",
            "given(value, is_local)$": "SELECT set_config('timezone', :value::text, :is_local::boolean);",
            "zone()$": "SELECT current_setting('timezone') AS zone;",
        }
    )
    queries.outermost(database)
    assert queries.zone(database) == "UTC"
    queries.block(database)
    assert queries.zone(database) == "UTC"
    queries.given(database, value="Asia/Tokyo", is_local=False)
    assert queries.zone(database) == "UTC"


def test_streams_and_copies_count_too(watcher: psycopg.Connection[Any], open_database: Open, load: Load) -> None:
    """What a function does that runs in a stream or in a COPY is not felt either."""
    watcher.execute(FUNCTION.format("SET timezone = 'Asia/Tokyo';").encode())
    database = open_database(pool_max_size=1)
    queries = load(
        {
            "change()": "SELECT change();",
            "change_out()#": "COPY (SELECT change()) TO STDOUT;",
            "zone()$": "SELECT current_setting('timezone') AS zone;",
        }
    )
    with queries.change_cursor(database) as rows:
        list(rows)
    assert queries.zone(database) == "UTC"
    with queries.change_out(database) as reader:
        list(reader)
    assert queries.zone(database) == "UTC"


def test_what_is_meant_to_stay_stays_with_its_holder(open_database: Open, load: Load) -> None:
    """A query that says ``-- session: keeps`` works for a connection that is held, and the next one is fresh."""
    database = open_database(pool_max_size=1)
    queries = load(
        {
            "lock()$": "-- session: keeps\nSELECT pg_try_advisory_lock(7);",
            "locks()$": "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();",
        }
    )
    with database.connection() as session:
        assert queries.lock(session)
        assert queries.locks(session) == 1
    assert queries.locks(database) == 0
    with database.connect() as connection:
        assert queries.lock(Session(connection))
        assert queries.locks(Session(connection)) == 1


def test_a_session_that_cannot_be_asked_is_given_up(
    watcher: psycopg.Connection[Any], open_database: Open, load: Load
) -> None:
    """A connection that does not answer the question is renewed."""
    watcher.execute(FUNCTION.format("SET search_path = nowhere;").encode())
    watcher.execute("CREATE FUNCTION end_me() RETURNS int LANGUAGE sql AS 'SELECT 1'")
    database = open_database(pool_max_size=1)
    queries = load({"end_me()$": "SELECT end_me();", "backend()$": BACKEND})
    with database.connection() as session:
        queries.end_me(session)
        backend = queries.backend(session)
        watcher.execute("SELECT pg_terminate_backend(%s, 5000)", (backend,))
    assert queries.backend(database) != backend


def test_a_transaction_that_ended_within_is_not_said_to_be_rolled_back(
    watcher: psycopg.Connection[Any], open_database: Open
) -> None:
    """A COMMIT that came in past the files is reported as what it is."""
    watcher.execute("CREATE TABLE t (n int)")
    database = open_database(pool_max_size=1)
    with (
        pytest.raises(DatabaseError, match="may have been committed"),
        database.transaction() as tx,
    ):
        tx._connection.execute("INSERT INTO t VALUES (1)")
        tx._connection.execute("COMMIT")
    assert watcher.execute("SELECT count(*) FROM t").fetchall() == [(1,)]
