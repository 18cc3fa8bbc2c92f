"""A section without a transaction runs a statement at a time, and goes on where it was interrupted."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data.errors import MigrationError
from surf_data.migrate import MigrationStatus, Runner

Connection = psycopg.Connection[Any]
Make = Callable[..., Runner]
Ask = Callable[[str], Any]

TABLES = "CREATE TABLE lamps (id int, name text); CREATE TABLE steps (n int);"
ALONE = "-- migrate:up transaction:false\n"
NEXT = "-- migrate:next\n"
STEP = "INSERT INTO steps VALUES (nextval('step'));\n"
UNIQUE = "CREATE UNIQUE INDEX CONCURRENTLY lamps_id ON lamps (id);\n"

INVALID = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
VALID = "SELECT count(*) FROM pg_index WHERE indisvalid AND indexrelid = to_regclass('lamps_id')"


def last(runner: Runner) -> MigrationStatus:
    """Return how the last migration stands."""
    return runner.status()[-1]


def labels(migrations: list[MigrationStatus]) -> list[str]:
    """Return what the migrations are called."""
    return [migration.label for migration in migrations]


def twice(server: Connection) -> None:
    """Give two lamps the same id."""
    server.execute("INSERT INTO lamps VALUES (1), (1)")


def test_statements_that_need_no_transaction_are_applied(any_url: str, write: Callable[..., Path]) -> None:
    """What PostgreSQL refuses in a transaction is applied, on every version, and recorded like everything else."""
    folder = write(
        TABLES,
        f"{ALONE}CREATE INDEX CONCURRENTLY lamps_id ON lamps (id);\n{NEXT}VACUUM lamps;\n{NEXT}"
        "DO $$ BEGIN INSERT INTO lamps VALUES (1); COMMIT; INSERT INTO lamps VALUES (2); END $$;\n"
        f"{NEXT}DROP INDEX CONCURRENTLY lamps_id;\n"
        "-- migrate:down transaction:false\nDELETE FROM lamps;\n-- migrate:next\nVACUUM lamps;\n",
    )
    shop = Runner(partial(psycopg.connect, any_url), folder, "shop")
    assert labels(shop.up()) == ["0001_step", "0002_step"]
    assert [(status.state, status.unfinished) for status in shop.status()] == [("applied", None)] * 2
    with psycopg.connect(any_url) as server:
        assert server.execute("SELECT id FROM lamps").fetchall() == [(1,), (2,)]
        assert server.execute("SELECT to_regclass('lamps_id')").fetchone() == (None,)
    assert labels(shop.down(to=1)) == ["0002_step"]
    assert [status.state for status in shop.status()] == ["applied", "pending"]
    with psycopg.connect(any_url) as server:
        assert server.execute("SELECT id FROM lamps").fetchall() == []


def test_a_run_goes_on_with_the_statement_that_failed(runner: Make, server: Connection, ask: Ask) -> None:
    """What came before it stays done, is recorded, and is not done again; the status says how far it went."""
    twice_then_once = f"CREATE SEQUENCE step;{TABLES}", f"{ALONE}{STEP}{NEXT}{UNIQUE}{NEXT}{STEP}"
    shop = runner(*twice_then_once)
    shop.up(to=1)
    twice(server)
    with pytest.raises(MigrationError, match=r"0002_step.sql:4: .*UniqueViolation.*; the next run goes on here$"):
        shop.up()
    failed = last(shop)
    assert (failed.state, failed.unfinished, failed.statements_done, failed.applied_at) == ("unfinished", "up", 1, None)
    assert (ask("SELECT count(*) FROM steps"), ask(INVALID)) == (1, 0)
    server.execute("TRUNCATE lamps")
    assert labels(shop.up()) == ["0002_step"]
    assert (ask("SELECT count(*) FROM steps"), ask(VALID), last(shop).state) == (2, 1, "applied")


@pytest.mark.parametrize("statement", [UNIQUE, UNIQUE.replace("lamps_id", "IF NOT EXISTS lamps_id")])
def test_the_remains_of_a_build_are_dropped_before_the_next(
    runner: Make, server: Connection, ask: Ask, statement: str
) -> None:
    """An invalid index, left when a run was killed, is built anew instead of being passed over indefinitely."""
    runner(TABLES).up()
    twice(server)
    with pytest.raises(psycopg.errors.UniqueViolation):
        server.execute(UNIQUE.encode())
    server.execute("TRUNCATE lamps")
    assert ask(INVALID) == 1
    runner(TABLES, ALONE + statement).up()
    assert (ask(INVALID), ask(VALID)) == (0, 1)


def interrupted(server: Connection) -> None:
    """Leave the history as a run does that is killed while its second migration's first statement is under way."""
    server.execute(
        "INSERT INTO schema_migrations (domain, number, name, checksum, duration, unfinished, begun_at)"
        " SELECT domain, 2, name, %s, '0', 'up', now() FROM schema_migrations",
        ["-"],
    )


@pytest.fixture
def killed(runner: Make, server: Connection, tmp_path: Path) -> Callable[[str], Runner]:
    """Return a function that makes a runner whose second migration was begun, and its process killed."""

    def make(statement: str) -> Runner:
        runner(TABLES).up()
        shop = runner(TABLES, ALONE + statement)
        interrupted(server)
        shop.repair("0002_step.sql")
        return shop

    return make


@pytest.mark.parametrize(
    ("before", "statement"),
    [
        ("CREATE UNIQUE INDEX lamps_id ON lamps (id)", UNIQUE),
        ('CREATE SCHEMA "A"; CREATE TABLE "A".b (); ALTER TABLE "A".b ADD c int; CREATE INDEX "D e" ON "A".b (c)',
         'create index concurrently "D e" on only "A" . b using btree (c);\n'),
        ("SELECT", "DROP INDEX CONCURRENTLY lamps_id;\n"),
        ("SELECT", 'drop index concurrently public."Lamps_id" cascade;\n'),
    ],
)  # fmt: skip
def test_what_was_done_before_the_interruption_is_not_done_again(
    killed: Callable[[str], Runner], server: Connection, before: str, statement: str
) -> None:
    """A process may die between the end of a statement and its record; the index tells."""
    shop = killed(statement)
    server.execute(before.encode())
    assert labels(shop.up()) == ["0002_step"]


@pytest.mark.parametrize("statement", [UNIQUE, "DROP INDEX CONCURRENTLY IF EXISTS lamps_name;\n", "VACUUM;\n"])
def test_what_was_not_done_before_the_interruption_is_done(
    killed: Callable[[str], Runner], server: Connection, ask: Ask, statement: str
) -> None:
    """What the statement was to make is not there, so it is run again."""
    server.execute("CREATE TABLE other (name text); CREATE INDEX lamps_name ON other (name)")
    shop = killed(statement)
    assert labels(shop.up()) == ["0002_step"]
    assert ask("SELECT to_regclass('lamps_name')") == (None if "DROP" in statement else "lamps_name")


def test_an_index_of_another_session_is_not_taken_for_ours(runner: Make, server: Connection, ask: Ask) -> None:
    """It stands in the way until an operator decides, however often the run is repeated."""
    runner(TABLES).up()
    server.execute("CREATE INDEX lamps_id ON lamps (name)")
    shop = runner(TABLES, ALONE + UNIQUE)
    for _ in range(2):
        with pytest.raises(MigrationError, match=r"42P07.*relation .lamps_id. already exists"):
            shop.up()
        assert (last(shop).state, ask(VALID)) == ("unfinished", 1)


@contextmanager
def building(database_url: str, server: Connection) -> Iterator[int]:
    """Build the index in another session, which waits for a transaction of a third; yields its backend."""
    with psycopg.connect(database_url) as blocker, psycopg.connect(database_url, autocommit=True) as builder:
        blocker.execute("INSERT INTO lamps VALUES (1)")
        thread = threading.Thread(target=builder.execute, args=(UNIQUE.encode(),))
        thread.start()
        while not server.execute("SELECT 1 FROM pg_stat_progress_create_index WHERE index_relid <> 0").fetchone():
            assert thread.is_alive()
        yield builder.info.backend_pid
        blocker.rollback()
        thread.join()


def test_an_index_that_is_being_built_is_left_alone(
    runner: Make, server: Connection, database_url: str, ask: Ask
) -> None:
    """Until it is complete it looks like the remains of a build; the error says who builds it."""
    runner(TABLES).up()
    shop = runner(TABLES, ALONE + UNIQUE)
    with building(database_url, server) as backend:
        with pytest.raises(MigrationError) as caught:
            shop.up()
        assert str(caught.value).endswith(
            f"0002_step.sql:2: backend {backend} is building the index lamps_id: wait for it, or end it"
        )
    assert ask(VALID) == 1


def test_an_index_that_another_role_is_building_is_left_alone(
    runner: Make, server: Connection, database_url: str, write: Callable[..., Path], ask: Ask
) -> None:
    """The server shows a role without special rights that a session builds an index, but not which."""
    runner(TABLES).up()
    server.execute("CREATE ROLE shop_owner")
    try:
        server.execute("ALTER TABLE lamps OWNER TO shop_owner")
        server.execute("GRANT ALL ON schema_migrations TO shop_owner")
        connect = partial(psycopg.connect, database_url, options="-c role=shop_owner")
        shop = Runner(connect, write(TABLES, ALONE + UNIQUE), "shop")
        with building(database_url, server) as backend, pytest.raises(MigrationError, match=f"backend {backend} is"):
            shop.up()
        assert ask(VALID) == 1
    finally:
        server.execute("DROP OWNED BY shop_owner")
        server.execute("DROP ROLE shop_owner")


@pytest.mark.parametrize("table", ['"Lamp; shop"."ON"', '"Lamp; shop" . "ON" *', 'ONLY "Lamp; shop"."ON"'])
@pytest.mark.parametrize("name", ['"a "".b"', "é" * 40, "Using_"])
def test_remains_are_found_by_any_name(runner: Make, server: Connection, ask: Ask, table: str, name: str) -> None:
    """Names may be quoted, qualified, too long, in upper case or like keywords."""
    server.execute('CREATE SCHEMA "Lamp; shop"; CREATE TABLE "Lamp; shop"."ON" AS SELECT 1 AS id UNION ALL SELECT 1')
    build = f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} (id);\n"
    with pytest.raises(psycopg.errors.UniqueViolation):
        server.execute(build.encode())
    server.execute('TRUNCATE "Lamp; shop"."ON"')
    runner(ALONE + build).up()
    assert ask(INVALID) == 0


def test_a_service_does_not_limit_the_drop_of_remains(
    runner: Make, server: Connection, database_url: str, write: Callable[..., Path], ask: Ask
) -> None:
    """It waits as the build does, for every session that uses the table, whatever statement timeout a service has."""
    runner(TABLES).up()
    twice(server)
    with pytest.raises(psycopg.errors.UniqueViolation):
        server.execute(UNIQUE.encode())
    server.execute("TRUNCATE lamps")
    connect = partial(psycopg.connect, database_url, options="-c statement_timeout=100ms")
    shop = Runner(connect, write(TABLES, ALONE + UNIQUE), "shop")
    waiting = "SELECT 1 FROM pg_stat_activity WHERE query ~ '^DROP INDEX' AND now() - query_start > '0.3s'"
    with psycopg.connect(database_url) as other:
        other.execute("INSERT INTO lamps VALUES (1)")
        thread = threading.Thread(target=shop.up)
        thread.start()
        while not server.execute(waiting.encode()).fetchone():
            assert thread.is_alive()
    thread.join()
    assert (last(shop).state, ask(VALID)) == ("applied", 1)


def test_what_is_done_concurrently_waits_without_limit(runner: Make, server: Connection, database_url: str) -> None:
    """It blocks no session, so the limit for locks, which would leave its remains, is not for it."""
    runner(TABLES).up()
    shop = runner(TABLES, ALONE + UNIQUE, lock_timeout=0.001, attempts=1)
    with psycopg.connect(database_url) as other:
        other.execute("INSERT INTO lamps VALUES (1)")
        thread = threading.Thread(target=shop.up)
        thread.start()
        while not server.execute("SELECT 1 FROM pg_stat_progress_create_index WHERE lockers_total > 0").fetchone():
            assert thread.is_alive()
    thread.join()
    assert last(shop).state == "applied"


def test_a_statement_that_can_is_done_together_with_its_record(runner: Make, ask: Ask) -> None:
    """A backfill in a section without a transaction shares one with its record, and is rolled back without it."""
    refuse = "ALTER TABLE schema_migrations ADD CHECK (statements_done = 0);"
    block = f"DO $$ BEGIN INSERT INTO steps VALUES (1); {refuse} END $$;\n"
    shop = runner(TABLES, f"{ALONE}{block}{NEXT}SELECT 1;\n")
    with pytest.raises(MigrationError, match=r"migrate.history_advance failed: .*23514"):
        shop.up()
    assert (ask("SELECT count(*) FROM steps"), last(shop).statements_done) == (0, 0)


def test_a_procedure_that_commits_is_run_again(runner: Make, server: Connection, ask: Ask) -> None:
    """It ends its transactions itself, so what it did before it failed stays, and all of it is run again."""
    block = (
        "DO $$ BEGIN INSERT INTO steps VALUES (1); COMMIT; INSERT INTO lamps SELECT 1 / n FROM steps; COMMIT; END $$;\n"
    )
    shop = runner(TABLES, ALONE + block)
    shop.up(to=1)
    server.execute("INSERT INTO steps VALUES (0)")
    with pytest.raises(MigrationError, match="22012"):
        shop.up()
    server.execute("DELETE FROM steps WHERE n = 0")
    assert labels(shop.up()) == ["0002_step"]
    assert ask("SELECT array_agg(n) FROM steps") == [1, 1]


def test_a_half_reverted_migration_goes_on_down_and_not_up(runner: Make, server: Connection, ask: Ask) -> None:
    """Up is refused until the way down is at its end."""
    shop = runner(
        TABLES,
        f"{ALONE}INSERT INTO steps VALUES (1);\n-- migrate:down transaction:false\nDELETE FROM steps;\n"
        f"{NEXT}DROP TABLE toys;\n",
    )
    shop.up()
    with pytest.raises(MigrationError, match=r"0002_step.sql:6: .*42P01.*; the next run goes on here$"):
        shop.down(to=1)
    failed = last(shop)
    assert (failed.state, failed.unfinished, failed.statements_done) == ("unfinished", "down", 1)
    with pytest.raises(MigrationError, match=r"0002_step.sql: is half reverted: go down to 1 first"):
        shop.up()
    server.execute("CREATE TABLE toys (); INSERT INTO steps VALUES (7)")
    assert labels(shop.down(to=1)) == ["0002_step"]
    assert (ask("SELECT n FROM steps"), ask("SELECT to_regclass('toys')"), last(shop).state) == (7, None, "pending")


def test_a_half_applied_migration_can_be_reverted(runner: Make, ask: Ask) -> None:
    """Its whole way down is run, which may be more than was done; what it says IF EXISTS of does no harm."""
    shop = runner(
        TABLES,
        f"{ALONE}INSERT INTO steps VALUES (1);\n{NEXT}SELECT nothing;\n-- migrate:down\nDELETE FROM steps;\n",
    )
    with pytest.raises(MigrationError, match="42703"):
        shop.up()
    assert labels(shop.down(to=1)) == ["0002_step"]
    assert (ask("SELECT count(*) FROM steps"), last(shop).state) == (0, "pending")


def test_the_rest_of_an_unfinished_migration_may_be_repaired(runner: Make, ask: Ask) -> None:
    """The statement that cannot succeed is rewritten, the file accepted, and the run goes on with it."""
    begin = f"{ALONE}INSERT INTO steps VALUES (1);\n{NEXT}"
    with pytest.raises(MigrationError):
        runner(TABLES, f"{begin}SELECT nothing;\n").up()
    shop = runner(TABLES, f"{begin}INSERT INTO steps VALUES (2);\n")
    with pytest.raises(MigrationError, match="0002_step was edited after it was applied"):
        shop.up()
    assert shop.repair("0002_step.sql").state == "edited"
    assert labels(shop.up()) == ["0002_step"]
    assert ask("SELECT array_agg(n) FROM steps") == [1, 2]


@pytest.mark.parametrize("text", [f"{ALONE}INSERT INTO steps VALUES (1);\n", "INSERT INTO steps VALUES (1);"])
def test_what_is_done_of_an_unfinished_migration_cannot_be_repaired_away(runner: Make, text: str) -> None:
    """A file that has not more statements than were done, or has a transaction now, cannot be gone on with."""
    with pytest.raises(MigrationError):
        runner(TABLES, f"{ALONE}INSERT INTO steps VALUES (1);\n{NEXT}SELECT nothing;\n").up()
    with pytest.raises(MigrationError, match="is unfinished: the 1 statements that are done must stay"):
        runner(TABLES, text).repair("0002_step.sql")


def test_a_clean_up_that_fails_is_left_to_the_next_run(runner: Make, server: Connection, ask: Ask) -> None:
    """The error is the one that matters; the remains are dropped when the next run begins."""
    shop = runner(TABLES, ALONE + UNIQUE)
    shop.up(to=1)
    server.execute(
        "CREATE FUNCTION end_it(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN 1; END $$"
    )
    lost = runner(TABLES, ALONE + UNIQUE.replace("(id)", "(end_it(id))"))
    server.execute("INSERT INTO lamps VALUES (1)")
    with pytest.raises(MigrationError, match=r"57P01.*the next run goes on here"):
        lost.up()
    assert ask(INVALID) == 1
    shop = runner(TABLES, ALONE + UNIQUE)
    shop.repair("0002_step.sql")
    assert labels(shop.up()) == ["0002_step"]
    assert (ask(INVALID), ask(VALID)) == (0, 1)
