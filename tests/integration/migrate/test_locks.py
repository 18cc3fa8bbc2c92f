"""What a migration does to tables is measured: locks, rewrites, scans, index builds; on PostgreSQL 16 and 18."""

from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data import embedded
from surf_data.errors import MigrationError
from surf_data.kernel import resources
from surf_data.migrate import MigrationEffect, StatementEffect, TableEffect, measure_locks, read_folder

Connection = psycopg.Connection[Any]
Connect = Callable[..., Connection]
Write = Callable[..., Path]

BASE = """
CREATE TABLE spot (id integer PRIMARY KEY, name text);
CREATE TABLE visit (
    spot_id integer,
    day date,
    note varchar(10),
    CONSTRAINT day_given CHECK (day IS NOT NULL)
);
ALTER TABLE visit ADD CONSTRAINT note_given CHECK (note IS NOT NULL) NOT VALID;
CREATE INDEX visit_day ON visit (day);
CREATE TABLE wave (day date NOT NULL, height numeric) PARTITION BY RANGE (day);
CREATE TABLE wave_2026 PARTITION OF wave FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE wave_2027 PARTITION OF wave FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');
CREATE TABLE wave_2028 (LIKE wave);
CREATE MATERIALIZED VIEW spots AS SELECT count(*) FROM spot;
CREATE SEQUENCE ticket;
CREATE PROCEDURE settle() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO spot VALUES (1); COMMIT; END $$;
"""

# What can run in a transaction, and what it does to each table: the lock, or - if the transaction has one as strong.
MEASURED = [
    ("ALTER TABLE visit ADD COLUMN size integer DEFAULT 1", ["visit: ACCESS EXCLUSIVE"]),
    (
        "ALTER TABLE visit ADD COLUMN mark uuid DEFAULT gen_random_uuid()",
        ["visit: ACCESS EXCLUSIVE, rewrites, scans, builds visit_day"],
    ),
    ("ALTER TABLE visit ALTER COLUMN note TYPE text", ["visit: ACCESS EXCLUSIVE"]),
    (
        "ALTER TABLE visit ALTER COLUMN note TYPE varchar(5)",
        ["visit: ACCESS EXCLUSIVE, rewrites, scans, builds visit_day"],
    ),
    (
        "ALTER TABLE visit ALTER COLUMN spot_id TYPE bigint",
        ["visit: ACCESS EXCLUSIVE, rewrites, scans, builds visit_day"],
    ),
    ("ALTER TABLE visit ALTER COLUMN note SET NOT NULL", ["visit: ACCESS EXCLUSIVE, scans"]),
    ("ALTER TABLE visit ALTER COLUMN day SET NOT NULL", ["visit: ACCESS EXCLUSIVE"]),
    ("ALTER TABLE visit ALTER COLUMN note SET DEFAULT ''", ["visit: ACCESS EXCLUSIVE"]),
    ("ALTER TABLE visit ADD CHECK (note <> '')", ["visit: ACCESS EXCLUSIVE, scans"]),
    ("ALTER TABLE visit ADD CHECK (note <> '') NOT VALID", ["visit: ACCESS EXCLUSIVE"]),
    ("ALTER TABLE visit VALIDATE CONSTRAINT note_given", ["visit: SHARE UPDATE EXCLUSIVE, scans"]),
    (
        "ALTER TABLE visit ADD FOREIGN KEY (spot_id) REFERENCES spot",
        ["spot: SHARE ROW EXCLUSIVE", "visit: SHARE ROW EXCLUSIVE, scans"],
    ),
    (
        "ALTER TABLE visit ADD FOREIGN KEY (spot_id) REFERENCES spot NOT VALID",
        ["spot: SHARE ROW EXCLUSIVE", "visit: SHARE ROW EXCLUSIVE"],
    ),
    ("ALTER TABLE visit ADD UNIQUE (note)", ["visit: ACCESS EXCLUSIVE, scans, builds visit_note_key"]),
    ("ALTER TABLE visit SET (fillfactor = 70)", ["visit: SHARE UPDATE EXCLUSIVE"]),
    ("ALTER TABLE visit SET UNLOGGED", ["visit: ACCESS EXCLUSIVE, rewrites, scans, builds visit_day"]),
    ("ALTER TABLE visit RENAME TO old_visit", ["visit: ACCESS EXCLUSIVE"]),
    (
        "ALTER TABLE wave ADD COLUMN size integer",
        ["wave: ACCESS EXCLUSIVE", "wave_2026: ACCESS EXCLUSIVE", "wave_2027: ACCESS EXCLUSIVE"],
    ),
    (
        "ALTER TABLE wave ATTACH PARTITION wave_2028 FOR VALUES FROM ('2028-01-01') TO ('2029-01-01')",
        ["wave: SHARE UPDATE EXCLUSIVE", "wave_2028: ACCESS EXCLUSIVE, scans"],
    ),
    ("CREATE INDEX visit_note ON visit (note)", ["visit: SHARE, scans, builds visit_note"]),
    ("DROP INDEX visit_day", ["visit: ACCESS EXCLUSIVE"]),
    ("REINDEX INDEX visit_day", ["visit: ACCESS EXCLUSIVE, scans, builds visit_day"]),
    ("ALTER INDEX visit_day RENAME TO visit_days", ["visit: SHARE UPDATE EXCLUSIVE"]),
    ("CLUSTER visit USING visit_day", ["visit: ACCESS EXCLUSIVE, rewrites, scans, builds visit_day"]),
    ("TRUNCATE visit", ["visit: ACCESS EXCLUSIVE"]),
    ("DROP TABLE visit", ["visit: ACCESS EXCLUSIVE"]),
    ("CREATE TABLE stay (spot_id integer REFERENCES spot)", ["spot: SHARE ROW EXCLUSIVE"]),
    ("CREATE VIEW days AS SELECT day FROM visit", ["visit: ACCESS SHARE"]),
    (
        "CREATE TABLE copy AS SELECT v.day FROM visit AS v JOIN spot AS s ON v.note = s.name",
        ["spot: ACCESS SHARE, scans", "visit: ACCESS SHARE, scans"],
    ),
    ("REFRESH MATERIALIZED VIEW spots", ["spot: ACCESS SHARE, scans", "spots: ACCESS EXCLUSIVE, rewrites"]),
    (
        "CREATE TRIGGER keep BEFORE UPDATE ON visit FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        ["visit: SHARE ROW EXCLUSIVE"],
    ),
    ("COMMENT ON TABLE visit IS 'x'", ["visit: SHARE UPDATE EXCLUSIVE"]),
    ("LOCK TABLE wave IN SHARE MODE", ["wave: SHARE", "wave_2026: SHARE", "wave_2027: SHARE"]),
    ("UPDATE visit SET note = ''", ["visit: ROW EXCLUSIVE, scans"]),
    ("UPDATE visit SET note = '' WHERE day = '2026-01-01'", ["visit: ROW EXCLUSIVE"]),
    (
        "INSERT INTO visit SELECT s.id FROM spot AS s JOIN visit AS v ON v.day = '2026-01-01'",
        ["spot: ACCESS SHARE, scans", "visit: ROW EXCLUSIVE"],
    ),
    ("SELECT * FROM spot FOR UPDATE", ["spot: ROW SHARE, scans"]),
    (
        "UPDATE spot SET name = '' WHERE id IN (SELECT s.id FROM spot AS s ORDER BY s.id LIMIT 100)",
        ["spot: ROW EXCLUSIVE"],
    ),
    (
        "INSERT INTO visit SELECT s.id FROM spot AS s ORDER BY s.id",
        ["spot: ACCESS SHARE, scans", "visit: ROW EXCLUSIVE"],
    ),
    ("DO $$ BEGIN PERFORM count(*) FROM spot; END $$", ["spot: ACCESS SHARE, scans"]),
    ("DO $$ BEGIN UPDATE visit SET note = '' WHERE day = '2026-01-01'; END $$", ["visit: ROW EXCLUSIVE"]),
    ("ALTER SEQUENCE ticket INCREMENT 2", ["ticket: SHARE ROW EXCLUSIVE"]),
    ("SET LOCAL search_path = public", []),
    (
        "ALTER TABLE visit ADD COLUMN size integer, ALTER COLUMN note SET NOT NULL; CREATE INDEX ON visit (note)",
        ["visit: ACCESS EXCLUSIVE, scans", "visit: -, scans, builds visit_note_idx"],
    ),
]

# What cannot, and where its lock is known from.
OUTSIDE = [
    (
        "CREATE INDEX CONCURRENTLY visit_note ON visit (note)",
        ["visit: SHARE UPDATE EXCLUSIVE, scans, builds visit_note"],
        "manual",
    ),
    (
        "CREATE UNIQUE INDEX CONCURRENTLY spot_name ON spot (name)",
        ["spot: SHARE UPDATE EXCLUSIVE, scans, builds spot_name"],
        "manual",
    ),
    ("DROP INDEX CONCURRENTLY visit_day", ["visit: SHARE UPDATE EXCLUSIVE"], "manual"),
    ("REINDEX TABLE CONCURRENTLY visit", ["visit: SHARE UPDATE EXCLUSIVE, scans, builds visit_day"], "manual"),
    (
        "REINDEX SCHEMA public",
        ["spot: ACCESS EXCLUSIVE, scans, builds spot_pkey", "visit: ACCESS EXCLUSIVE, scans, builds visit_day"],
        "manual",
    ),
    ("VACUUM (ANALYZE) visit", ["visit: SHARE UPDATE EXCLUSIVE, scans"], "manual"),
    ("VACUUM FULL visit", ["visit: ACCESS EXCLUSIVE, rewrites, scans, builds visit_day"], "manual"),
    ("VACUUM (ANALYZE, FULL) visit", ["visit: ACCESS EXCLUSIVE, rewrites, scans, builds visit_day"], "manual"),
    ("VACUUM (FULL FALSE) visit", ["visit: SHARE UPDATE EXCLUSIVE, scans"], "manual"),
    (
        "ALTER TABLE wave DETACH PARTITION wave_2026 CONCURRENTLY",
        ["wave: SHARE UPDATE EXCLUSIVE", "wave_2026: ACCESS EXCLUSIVE"],
        "manual",
    ),
    ("CALL settle()", [], "unknown"),
    ("ALTER TABLE visit ADD COLUMN size integer", ["visit: ACCESS EXCLUSIVE"], "measured"),
]


# Of these one for each way of finding out.
ON_16 = [
    "ALTER TABLE visit ALTER COLUMN note TYPE varchar(5)",
    "ALTER TABLE visit ADD FOREIGN KEY (spot_id) REFERENCES spot",
    "REINDEX INDEX visit_day",
    "CREATE TABLE copy AS SELECT v.day FROM visit AS v JOIN spot AS s ON v.note = s.name",
    "DO $$ BEGIN PERFORM count(*) FROM spot; END $$",
    "CREATE INDEX CONCURRENTLY visit_note ON visit (note)",
    "DROP INDEX CONCURRENTLY visit_day",
    "VACUUM (ANALYZE) visit",
    "ALTER TABLE wave DETACH PARTITION wave_2026 CONCURRENTLY",
]


def measured(server: Connect, folder: Path, done: int = 0) -> MigrationEffect:
    """Return what the last migration of a folder does to what the others have made."""
    *applied, last = read_folder(folder)
    [effect] = measure_locks(server, server, applied, [(last, done)])
    return effect


@pytest.fixture
def connect(servers: embedded.EmbeddedServers) -> Connect:
    """Return what connects to a server with PostgreSQL 18."""
    return partial(psycopg.connect, servers.database_url, autocommit=True)


@pytest.fixture
def measure(connect: Connect, write: Write) -> Callable[..., MigrationEffect]:
    """Return a function that measures the last one of several migrations given as text, with `BASE` before them."""
    return lambda *ups, done=0: measured(connect, write(BASE, *ups), done)


def told(table: TableEffect) -> str:
    """Return what happens to a table, in a line."""
    facts = [
        table.lock or "-",
        *(["rewrites"] if table.rewrites else []),
        *(["scans"] if table.scans else []),
        *(f"builds {index}" for index in table.builds),
    ]
    return f"{table.table}: {', '.join(facts)}".replace("public.", "")


def effects(statements: tuple[StatementEffect, ...]) -> list[str]:
    """Return what happens to all tables."""
    return [told(table) for statement in statements for table in statement.tables]


@pytest.mark.parametrize(("statement", "expected"), MEASURED, ids=[statement for statement, _ in MEASURED])
def test_what_a_statement_does(measure: Callable[..., MigrationEffect], statement: str, expected: list[str]) -> None:
    """A statement's locks, rewrites, scans and index builds are those that it shows in a transaction."""
    effect = measure(statement)
    assert effects(effect.statements) == expected
    assert {each.source for each in effect.statements} == {"measured"}


@pytest.mark.parametrize(("statement", "expected", "source"), OUTSIDE, ids=[statement for statement, _, _ in OUTSIDE])
def test_what_a_statement_does_outside_a_transaction(
    measure: Callable[..., MigrationEffect], statement: str, expected: list[str], source: str
) -> None:
    """The locks of a statement that cannot run in a transaction are the manual's, on the tables that it has changed."""
    [effect] = measure(f"-- migrate:up transaction:false\n{statement}").statements
    assert (effects((effect,)), effect.source) == (expected, source)


@pytest.mark.parametrize("statement", ON_16)
def test_what_a_statement_does_on_16(older_server: str, write: Write, statement: str) -> None:
    """PostgreSQL 16 shows the same."""
    mark = "" if statement in dict(MEASURED) else " transaction:false"
    effect = measured(partial(psycopg.connect, older_server), write(BASE, f"-- migrate:up{mark}\n{statement}"))
    known = {**dict(MEASURED), **{outside: expected for outside, expected, _ in OUTSIDE}}
    assert effects(effect.statements) == known[statement]


def test_statements_have_their_lines(measure: Callable[..., MigrationEffect]) -> None:
    """Each statement comes with its line and its text; a lock that the transaction has already is not told again."""
    effect = measure(
        "-- why\n\nALTER TABLE visit\n    ADD COLUMN size integer;\n\nLOCK TABLE visit; SELECT '%';"
        "CREATE TABLE mine (); ALTER TABLE mine ADD COLUMN id serial PRIMARY KEY; DROP TABLE visit;"
    )
    assert [(each.line, each.sql) for each in effect.statements] == [
        (4, "ALTER TABLE visit\n    ADD COLUMN size integer"),
        (7, "LOCK TABLE visit"),
        (7, "SELECT '%'"),
        (7, "CREATE TABLE mine ()"),
        (7, "ALTER TABLE mine ADD COLUMN id serial PRIMARY KEY"),
        (7, "DROP TABLE visit"),
    ]
    assert effects(effect.statements) == ["visit: ACCESS EXCLUSIVE"]
    assert effect.migration.number == 2


@pytest.mark.parametrize(
    ("statement", "waits"),
    [
        ("SELECT FROM spot", "reads and writes go on"),
        ("DELETE FROM spot", "writes of the same rows wait"),
        ("CREATE INDEX ON spot (name)", "writes wait"),
        ("DROP TABLE visit", "reads and writes wait"),
    ],
)
def test_who_waits(measure: Callable[..., MigrationEffect], statement: str, waits: str) -> None:
    """What a lock means for others is said in words."""
    [table] = measure(statement).statements[0].tables
    assert table.waits == waits


def test_a_lock_that_is_there_keeps_nobody_more(measure: Callable[..., MigrationEffect]) -> None:
    """Of a lock that the transaction has already nothing is said."""
    [_, effect] = measure("LOCK TABLE visit; UPDATE visit SET note = '';").statements
    assert [(table.lock, table.waits, table.scans) for table in effect.tables] == [(None, None, True)]


def test_migrations_build_on_each_other(connect: Connect, write: Write) -> None:
    """Each migration is measured after the ones before it were applied, and nothing of that reaches the database."""
    base, *pending = read_folder(
        write(
            BASE,
            "ALTER TABLE visit ADD COLUMN size integer;",
            "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY visit_size ON visit (size);"
            "\n-- migrate:next\nALTER TABLE visit ADD COLUMN depth integer;",
            "DROP INDEX visit_size; SET search_path = pg_catalog;",
            "ALTER TABLE visit DROP COLUMN depth;",
        )
    )
    started: list[int] = []
    found = measure_locks(
        connect, connect, [base], [(migration, 0) for migration in pending], lambda each: started.append(each.number)
    )
    assert [effects(effect.statements) for effect in found] == [
        ["visit: ACCESS EXCLUSIVE"],
        ["visit: SHARE UPDATE EXCLUSIVE, scans, builds visit_size", "visit: ACCESS EXCLUSIVE"],
        ["visit: ACCESS EXCLUSIVE"],
        ["visit: ACCESS EXCLUSIVE"],
    ]
    assert started == [1, 2, 3, 4, 5]
    with closing(connect()) as connection:
        assert connection.execute("SELECT to_regclass('visit')").fetchone() == (None,)


def test_the_rest_of_a_migration(measure: Callable[..., MigrationEffect]) -> None:
    """Of a migration that was interrupted the statements that are left are measured, after the others were applied."""
    effect = measure(
        "-- migrate:up transaction:false\nALTER TABLE visit ADD COLUMN size integer;\n-- migrate:next\n"
        "CREATE INDEX CONCURRENTLY visit_size ON visit (size);",
        done=1,
    )
    assert [(each.line, each.source) for each in effect.statements] == [(4, "manual")]


@pytest.mark.parametrize(
    ("up", "line", "said"),
    [
        ("SELECT 1;\nALTER TABLE nothing ADD COLUMN id integer;", 3, 'relation "nothing" does not exist'),
        ("SELECT 1;\nSELECT\n  nothing;", 4, 'column "nothing" does not exist'),
        ("SELECT 1;\nCALL settle();", 3, "invalid transaction termination"),
        (
            "-- migrate:up transaction:false\n\nVACUUM nothing;",
            3,
            'relation "nothing" does not exist',
        ),
    ],
)
def test_a_migration_that_fails(
    measure: Callable[..., MigrationEffect], refused: Callable[..., Any], up: str, line: int, said: str
) -> None:
    """A statement that an empty database refuses is named with file and line."""
    error = refused(lambda: measure(up), MigrationError)
    assert error.line == line
    assert str(error).endswith(f"0002_step.sql:{line}: fails in an empty database: {said}")


def test_names_are_quoted(measure: Callable[..., MigrationEffect]) -> None:
    """A table whose name needs quotes is shown with them, and its scan is found by the plan."""
    effect = measure('CREATE SCHEMA "My"; CREATE TABLE "My"."Visit" ();', 'DELETE FROM "My"."Visit";')
    assert effects(effect.statements) == ['"My"."Visit": ROW EXCLUSIVE, scans']


def test_own_migrations(connect: Connect) -> None:
    """The Surf Lamp's activity log is never written anew, and what reads it to its end lets reads and writes go on."""
    migrations = read_folder(resources.directory("migrations") / "lamps")
    found = measure_locks(connect, connect, migrations[:1], [(migration, 0) for migration in migrations[1:]])
    log = [
        (effect.migration.number, told(table))
        for effect in found
        for statement in effect.statements
        for table in statement.tables
        if table.table == "public.activity_log" and (table.rewrites or table.scans)
    ]
    assert log == [
        (
            3,
            (
                "activity_log: ACCESS EXCLUSIVE, scans, builds idx_activity_log_created_at,"
                " builds idx_activity_log_lamp_time"
            ),
        ),
        (5, "activity_log: SHARE UPDATE EXCLUSIVE, scans"),
        (15, "activity_log: SHARE UPDATE EXCLUSIVE, scans, builds activity_log_id_created_at"),
        (15, "activity_log: SHARE UPDATE EXCLUSIVE, scans"),
        # Only because it is empty here: test_lamp_partitions.py has one with rows.
        (16, "activity_log: -, scans"),
    ]
