"""The runner applies a folder of migrations once, whole and in order, or says why not."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from rig import Relay, as_pooler
from rig.migrations import objects, refusal, states
from surf_data.errors import DatabaseError, DatabaseUnavailable
from surf_data.migrate import MigrationStatus, Runner

Connection = psycopg.Connection[Any]
Write = Callable[..., Path]

FIRST = "-- migrate:up\nCREATE TABLE first (id int PRIMARY KEY);\n"
SECOND = "-- migrate:up\nCREATE TABLE second (id int REFERENCES first DEFERRABLE INITIALLY DEFERRED);\n"


def labels(migrations: list[MigrationStatus]) -> list[str]:
    """Return what the migrations are called."""
    return [migration.label for migration in migrations]


def recorded(server: Connection) -> list[tuple[str, int]]:
    """Return what the history holds."""
    return server.execute("SELECT domain, number FROM schema_migrations ORDER BY domain, number").fetchall()


# What is applied


def test_pending_migrations_are_applied_in_order(runner: Callable[..., Runner], server: Connection) -> None:
    """A run applies what is pending, tells of each, records it with its duration, and is a no-op the second time."""
    shop = runner(FIRST, SECOND)
    told: list[str] = []
    assert labels(shop.up(on_applied=lambda migration: told.append(migration.label))) == ["0001_step", "0002_step"]
    assert told == ["0001_step", "0002_step"]
    assert {"first", "second"} <= objects(server)
    assert shop.up() == []
    statuses = shop.status()
    assert [(status.number, status.name, status.label, status.state) for status in statuses] == [
        (1, "step", "0001_step", "applied"),
        (2, "step", "0002_step", "applied"),
    ]
    now = server.execute("SELECT now()").fetchone()
    assert now is not None
    assert all(status.applied_at is not None and status.applied_at <= now[0] for status in statuses)
    assert all(status.duration is not None and status.duration.total_seconds() > 0 for status in statuses)


def test_a_run_stops_where_it_is_told(runner: Callable[..., Runner]) -> None:
    """``to`` is the number of the last migration of the run; a later run goes on from there."""
    shop = runner(FIRST, SECOND, "SELECT 3;")
    assert labels(shop.up(to=2)) == ["0001_step", "0002_step"]
    assert shop.up(to=1) == []
    assert states(shop) == ["applied", "applied", "pending"]
    assert labels(shop.up(to=3)) == ["0003_step"]


def test_a_target_that_is_not_there_is_refused(runner: Callable[..., Runner], server: Connection) -> None:
    """A mistyped number applies nothing."""
    assert str(refusal(lambda: runner(FIRST).up(to=2))).endswith(": there is no migration 0002")
    assert objects(server) == set()


def test_domains_have_histories_of_their_own(
    database_url: str, runner: Callable[..., Runner], server: Connection, tmp_path: Path
) -> None:
    """Two domains share the table and nothing else."""
    runner(FIRST).up()
    other = tmp_path / "other"
    other.mkdir()
    (other / "0001_step.sql").write_text(SECOND, encoding="utf-8")
    assert labels(Runner(partial(psycopg.connect, database_url), other, "garden").up()) == ["0001_step"]
    assert recorded(server) == [("garden", 1), ("shop", 1)]


def test_a_section_is_sent_as_it_stands(runner: Callable[..., Runner], server: Connection) -> None:
    """Dollar quotes, function bodies, per cent signs, colons and any letter reach the server unchanged."""
    runner(
        """
        CREATE TABLE texts (t text);
        DO $$ BEGIN INSERT INTO texts VALUES ('100 % of :it; %s $1'); END $$;
        CREATE FUNCTION classic() RETURNS text LANGUAGE plpgsql AS $f$ BEGIN RETURN 'a;b'; END; $f$;
        CREATE FUNCTION modern(n int) RETURNS int
        BEGIN ATOMIC SELECT 1; SELECT CASE WHEN n % 2 = 0 THEN 2 ELSE 3 END; END;
        INSERT INTO texts SELECT classic() || modern(4) || 'é😀';
        """
    ).up()
    assert server.execute("SELECT t FROM texts").fetchall() == [("100 % of :it; %s $1",), ("a;b2é😀",)]


def test_files_are_utf_8_whatever_the_client_is(database_url: str, write: Write, server: Connection) -> None:
    """A client with another encoding sends the same letters."""
    folder = write("CREATE TABLE texts AS SELECT 'é😀' AS t;")
    Runner(partial(psycopg.connect, database_url, client_encoding="LATIN1"), folder, "shop").up()
    assert server.execute("SELECT t FROM texts").fetchall() == [("é😀",)]


def test_what_a_migration_sets_ends_with_it(runner: Callable[..., Runner], server: Connection) -> None:
    """Neither its role nor its search path reaches the record or the next migration, however it was set."""
    server.execute("CREATE ROLE shop_nobody")
    try:
        shop = runner(
            "CREATE SCHEMA aside; SET search_path = aside; CREATE TABLE apart (); SET LOCAL ROLE shop_nobody;",
            "SELECT set_config('search_path', '', false);",
            "CREATE TABLE here ();",
        )
        assert len(shop.up()) == 3
        assert "here" in objects(server)
        assert "apart" not in objects(server)
        assert recorded(server) == [("shop", 1), ("shop", 2), ("shop", 3)]
    finally:
        server.execute("DROP ROLE shop_nobody")


def test_the_next_migration_finds_the_session_as_it_was(any_url: str, write: Write) -> None:
    """No setting, owner or temporary table of one migration reaches the next, as if the run began with that one."""
    dirty = """
        SET timezone = 'Asia/Tokyo';
        SET session_replication_role = replica;
        SET default_transaction_read_only = on;
        SET shop.secret = 'x';
        RESET client_connection_check_interval;
        RESET datestyle;
        CREATE TEMPORARY TABLE temporary ();
        CREATE ROLE shop_other; SET SESSION AUTHORIZATION shop_other;
    """
    clean = """
        DROP ROLE shop_other;
        DO $$ BEGIN
            ASSERT current_setting('timezone') <> 'Asia/Tokyo';
            ASSERT current_setting('session_replication_role') = 'origin';
            ASSERT coalesce(current_setting('shop.secret', true), '') = '';
            ASSERT current_setting('client_connection_check_interval') = '1s';
            ASSERT current_setting('datestyle') = 'German, DMY';
            ASSERT to_regclass('temporary') IS NULL;
        END $$;
    """

    def connect() -> Connection:
        connection = psycopg.connect(any_url, autocommit=True)
        connection.execute("SET datestyle = 'German'")
        return connection

    try:
        assert len(Runner(connect, write(dirty, clean), "shop").up()) == 2
    finally:
        with psycopg.connect(any_url) as server:
            server.execute("DROP ROLE IF EXISTS shop_other")


def test_a_migration_may_forget_prepared_statements(database_url: str, write: Write, server: Connection) -> None:
    """The run itself uses none, however the connection is set up."""

    def connect() -> Connection:
        return psycopg.connect(database_url, prepare_threshold=0)

    assert len(Runner(connect, write("DEALLOCATE ALL;", "DEALLOCATE ALL;"), "shop").up()) == 2
    assert recorded(server) == [("shop", 1), ("shop", 2)]


def test_the_work_itself_has_no_time_limit(database_url: str, write: Write) -> None:
    """The limits that a service sets for its statements do not cut a migration; locks are given up after 3 seconds."""
    folder = write(
        """
        DO $$ BEGIN
            ASSERT current_setting('statement_timeout') = '0';
            ASSERT current_setting('lock_timeout') = '3s';
            ASSERT current_setting('transaction_timeout') = '0';
        END $$;
        """
    )
    connect = partial(
        psycopg.connect, database_url, options="-c statement_timeout=60s -c transaction_timeout=60s -c lock_timeout=0"
    )
    assert len(Runner(connect, folder, "shop").up()) == 1


def test_each_migration_is_logged(runner: Callable[..., Runner], caplog: pytest.LogCaptureFixture) -> None:
    """One record a migration, with its domain, its name and its duration."""
    with caplog.at_level(logging.INFO, logger="surf_data.migrate"):
        runner(FIRST, SECOND).up()
    facts = [(entry.msg, vars(entry)["domain"], vars(entry)["migration"]) for entry in caplog.records]
    assert facts == [("migration applied", "shop", "0001_step"), ("migration applied", "shop", "0002_step")]
    assert all(vars(entry)["duration_ms"] > 0 for entry in caplog.records)


# Looking changes nothing


def test_the_status_creates_nothing(runner: Callable[..., Runner], server: Connection) -> None:
    """On an empty database everything is pending, and the database stays empty."""
    shop = runner(FIRST, SECOND)
    assert states(shop) == ["pending", "pending"]
    assert objects(server) == set()


def test_the_status_needs_no_more_than_the_right_to_read(
    database_url: str, runner: Callable[..., Runner], write: Write, server: Connection
) -> None:
    """It is read by a role that may only look, and while another session holds the migration lock."""
    runner(FIRST).up()
    server.execute("CREATE ROLE shop_reader")
    try:
        server.execute("GRANT SELECT ON schema_migrations TO shop_reader")
        server.execute("SELECT pg_advisory_lock(hashtextextended(current_database() || '.schema_migrations', 0))")
        connect = partial(psycopg.connect, database_url, options="-c role=shop_reader")
        assert states(Runner(connect, write(FIRST, SECOND), "shop")) == ["applied", "pending"]
    finally:
        server.execute("DROP OWNED BY shop_reader")
        server.execute("DROP ROLE shop_reader")


# Several at once


@pytest.mark.parametrize("runners", [2, 8])
def test_competing_runs_apply_everything_once(
    database_url: str, write: Write, server: Connection, runners: int
) -> None:
    """However many start together, each migration is applied by one of them, and none of them fails."""
    folder = write(*(f"CREATE TABLE t{number} ();" for number in range(1, 11)))
    start = threading.Barrier(runners)

    def compete() -> list[str]:
        runner = Runner(partial(psycopg.connect, database_url), folder, "shop")
        start.wait()
        return labels(runner.up())

    with ThreadPoolExecutor(runners) as pool:
        applied = [label for each in [pool.submit(compete) for _ in range(runners)] for label in each.result()]
    assert sorted(applied) == [f"{number:04d}_step" for number in range(1, 11)]
    assert recorded(server) == [("shop", number) for number in range(1, 11)]


def test_a_run_that_does_not_end_is_named(runner: Callable[..., Runner], server: Connection) -> None:
    """When the lock is not to be had in time, the error says which backend holds it, and nothing was done."""
    server.execute("SELECT pg_advisory_lock(hashtextextended(current_database() || '.schema_migrations', 0))")
    error = refusal(runner(FIRST, lock_wait=0).up)
    backend = server.info.backend_pid
    assert str(error) == f"another run holds the migration lock of this database (backend {backend})"
    assert objects(server) == set()


def test_a_run_whose_lock_was_taken_away_says_so(runner: Callable[..., Runner]) -> None:
    """A migration that gives the lock away lets others in, which the run cannot know; so it fails."""
    error = refusal(runner("SELECT pg_advisory_unlock_all();").up)
    assert str(error) == "the migration lock was lost during the run, so another run may have interfered"


def test_a_failed_run_gives_the_lock_back(runner: Callable[..., Runner]) -> None:
    """The next run can start at once."""
    shop = runner("SELECT nothing;", lock_wait=0)
    refusal(shop.up)
    assert refusal(shop.up).sqlstate == "42703"


def test_what_the_listener_raises_ends_the_run(runner: Callable[..., Runner], server: Connection) -> None:
    """A migration is recorded before on_progress is called, and the next run goes on behind it."""

    def interrupt(_: MigrationStatus) -> None:
        raise KeyboardInterrupt

    shop = runner(FIRST, SECOND, lock_wait=0)
    with pytest.raises(KeyboardInterrupt):
        shop.up(on_applied=interrupt)
    assert recorded(server) == [("shop", 1)]
    assert labels(shop.up()) == ["0002_step"]


def test_a_pooler_is_refused(database_url: str, write: Write, server: Connection) -> None:
    """A pooler cannot hold the lock, so the run stops before it has done anything."""
    folder = write(FIRST)
    with Relay(f"{server.info.host}/.s.PGSQL.{server.info.port}", replies=as_pooler) as pooler:
        connect = partial(
            psycopg.connect, database_url, host="127.0.0.1", port=pooler.port, sslmode="disable", gssencmode="disable"
        )
        error = refusal(Runner(connect, folder, "shop").up)
    assert str(error) == "migrations need a direct connection to the server: a connection pooler sits between"
    assert objects(server) == set()


# When a migration fails


def test_a_failing_migration_leaves_nothing(runner: Callable[..., Runner], server: Connection) -> None:
    """Neither its objects nor its record; those before it stay, and the repaired file is applied by the next run."""
    error = refusal(runner(FIRST, "CREATE TABLE second ();\n\nSELECT 1 FROM missing;").up)
    assert recorded(server) == [("shop", 1)]
    assert "second" not in objects(server)
    assert (error.line, error.sqlstate) == (4, "42P01")
    assert str(error) == (
        f'{error.file}:4: UndefinedTable (SQLSTATE 42P01): relation "missing" does not exist; '
        "nothing of this file was applied"
    )
    assert labels(runner(FIRST, SECOND).up()) == ["0002_step"]


def test_a_violation_at_commit_leaves_nothing(runner: Callable[..., Runner], server: Connection) -> None:
    """A constraint that is checked only at commit fails the migration like any other."""
    error = refusal(runner(FIRST, SECOND, "INSERT INTO second VALUES (7);").up)
    assert str(error) == (
        f"{error.file}: ForeignKeyViolation (SQLSTATE 23503, constraint second_id_fkey); "
        "nothing of this file was applied"
    )
    assert recorded(server) == [("shop", 1), ("shop", 2)]


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        ("RAISE '% rows', 3 USING HINT = 'Mend them'", "RaiseException (SQLSTATE P0001): 3 rows. Mend them"),
        ("RAISE 'no'", "RaiseException (SQLSTATE P0001): no"),
        ("RAISE 'first' USING ERRCODE = 'SD001', HINT = 'see'", "(SQLSTATE SD001): first. see"),
        ("RAISE 'first' USING ERRCODE = 'unique_violation', HINT = 'see'", "(SQLSTATE 23505): first. see"),
        ("RAISE 'first' USING ERRCODE = '22023', HINT = 'see'", "(SQLSTATE 22023): first. see"),
        ("RAISE no_data_found USING MESSAGE = 'none'", "(SQLSTATE P0002): none"),
        ("RAISE SQLSTATE 'SD002' USING HINT = 'see'", "(SQLSTATE SD002): SD002. see"),
        ("BEGIN RAISE 'a'; EXCEPTION WHEN OTHERS THEN RAISE 'within %', SQLERRM; END", ": within a"),
        ("RAISE 'first' USING DETAIL = 'Row 7', HINT = 'see'", "(SQLSTATE P0001): first. Row 7. see"),
        ("RAISE 'taken' USING ERRCODE = '55P03'", "(SQLSTATE 55P03): taken"),
        ("RAISE unique_violation USING DETAIL = 'twice'", "(SQLSTATE 23505): unique_violation. twice"),
        ("ASSERT 1 = 2, 'one is not two'", "(SQLSTATE P0004): one is not two"),
    ],
)
def test_a_migration_may_refuse_to_run(runner: Callable[..., Runner], raised: str, said: str) -> None:
    """What a DO block raises, its author has chosen: message, detail and hint are passed on."""
    error = refusal(runner(f"DO $$ BEGIN {raised}; END $$;", attempts=1).up)
    assert f"{said}; nothing of this file was applied" in str(error)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("check_it", "SELECT check_it(1)"),
        ("pg_temp.check_it", "SELECT pg_temp.check_it(1)"),
        ("public.Check_It", "DO $$ BEGIN PERFORM check_it(1); END $$"),
        ('"Check it"', 'SELECT "Check it"(1)'),
        ('"check_it"', "SELECT check_it(1)"),
    ],
)
def test_a_function_of_the_file_may_refuse(runner: Callable[..., Runner], name: str, call: str) -> None:
    """What a function raises that the file itself creates is of the same author."""
    body = "BEGIN RAISE '% is missing', n USING DETAIL = 'Since 7', HINT = 'Add it'; END"
    made = f"CREATE FUNCTION {name}(n int) RETURNS void LANGUAGE plpgsql AS $$ {body} $$;"
    error = refusal(runner(f"{made}\n{call};").up)
    assert ": 1 is missing. Since 7. Add it; nothing of this file was applied" in str(error)


@pytest.mark.parametrize(
    ("statement", "sqlstate"),
    [
        ("CREATE UNIQUE INDEX ON vault (kind)", "23505"),
        ("ALTER TABLE vault ADD CHECK (word = '')", "23514"),
        ("ALTER TABLE vault ALTER word TYPE int USING word::int", "22P02"),
        ("SELECT to_tsquery(word || ' &') FROM vault", "42601"),
        ("SELECT word::regclass FROM vault", "42P01"),
        ("DO $$ BEGIN EXECUTE (SELECT word FROM vault LIMIT 1); END $$", "42601"),
        ("DO $$ BEGIN EXECUTE format('DROP TABLE %I', (SELECT word FROM vault LIMIT 1)); END $$", "42P01"),
        ("UPDATE vault SET kind = 2", "P0001"),
        ("CREATE FUNCTION rearguard() RETURNS int LANGUAGE sql AS 'SELECT 1'; UPDATE vault SET kind = 2", "P0001"),
        ("DO $$ BEGIN UPDATE vault SET kind = 2; END $$", "P0001"),
        ("SELECT to_tsquery('\"' || word || ' &') FROM vault", "42601"),
        ("SELECT to_tsquery('{\"kind\": \"' || word || ' 1\"}') FROM vault", "42601"),
        ("SELECT to_regtype('shop.' || word || '.lamp') FROM vault", "0A000"),
        ("SELECT ('int ' || word)::regtype FROM vault", "42601"),
        ("DO $$ BEGIN EXECUTE (SELECT 'SELECT ' || word || '(1)' FROM vault LIMIT 1); END $$", "42883"),
        ("SELECT query_to_xml('SELECT \"' || word, true, true, '') FROM vault", "42601"),
    ],
)
def test_no_error_repeats_a_row(
    runner: Callable[..., Runner], server: Connection, statement: str, sqlstate: str
) -> None:
    """What the server says of the data it met stays on the server; the SQLSTATE remains."""
    server.execute("CREATE TABLE vault (kind int, word text)")
    server.execute("INSERT INTO vault VALUES (1, 'sesame'), (1, 'sesame')")
    server.execute(
        "CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%', OLD.word; END $$"
    )
    server.execute("CREATE TRIGGER guard BEFORE UPDATE ON vault FOR EACH ROW EXECUTE FUNCTION guard()")
    error = refusal(runner(f"{statement};").up)
    assert error.sqlstate == sqlstate
    assert "sesame" not in str(error)


def test_a_lock_is_given_up_soon(runner: Callable[..., Runner], server: Connection, database_url: str) -> None:
    """A table that is in use is not waited for while the service queues behind; the error says what to do about it."""
    runner(FIRST).up()
    with psycopg.connect(database_url) as other:
        other.execute("SELECT * FROM first")
        error = refusal(runner(FIRST, "ALTER TABLE first ADD COLUMN more int;", lock_timeout=0.01, attempts=1).up)
    assert error.sqlstate == "55P03"
    assert "another session holds a lock that it needs; nothing of this file was applied" in str(error)
    assert recorded(server) == [("shop", 1)]


def test_a_lost_connection_leaves_the_answer_to_the_status(runner: Callable[..., Runner], server: Connection) -> None:
    """The run cannot know whether the server had committed, and says so."""
    shop = runner("SELECT pg_terminate_backend(pg_backend_pid());")
    error = refusal(shop.up)
    assert error.sqlstate == "57P01"
    assert str(error).endswith("; the status shows whether it was applied")
    assert states(shop) == ["pending"]


def test_a_file_that_ends_its_transaction_unseen_is_refused(
    database_url: str, write: Write, server: Connection
) -> None:
    """Where a server reads strings in another way than the check of the file, the run notices before it records."""
    folder = write("SELECT '\\'; SELECT '; COMMIT; --';")
    connect = partial(
        psycopg.connect, database_url, options="-c standard_conforming_strings=off -c escape_string_warning=off"
    )
    error = refusal(Runner(connect, folder, "shop").up)
    assert str(error).endswith(": it ended its own transaction, so what it did is not recorded")
    assert recorded(server) == []


def test_a_history_that_cannot_be_written_fails_the_migration(
    runner: Callable[..., Runner], server: Connection
) -> None:
    """Without its record a migration is not applied."""
    error = refusal(runner(FIRST, "DROP TABLE schema_migrations;").up)
    assert "it drops schema_migrations, the table with the history of all migrations" in str(error)
    assert recorded(server) == [("shop", 1)]


def test_a_role_without_rights_changes_nothing(database_url: str, write: Write, server: Connection) -> None:
    """The error names what was refused."""
    server.execute("CREATE ROLE shop_reader")
    try:
        connect = partial(psycopg.connect, database_url, options="-c role=shop_reader")
        error = refusal(Runner(connect, write(FIRST), "shop").up, DatabaseError)
        assert (error.query, error.sqlstate) == ("migrate.history_create", "42501")
        assert objects(server) == set()
    finally:
        server.execute("DROP ROLE shop_reader")


def test_a_server_that_cannot_be_reached_is_named_as_such(write: Write, tmp_path: Path) -> None:
    """Neither the status nor a run shows anything of a connection that is not made as the library makes its own."""
    shop = Runner(partial(psycopg.connect, host=str(tmp_path), password="sesame"), write(FIRST), "shop")
    for call in (shop.status, shop.up):
        error = refusal(call, DatabaseUnavailable)
        assert str(error) == "connecting for migrations failed: no connection"
