"""Seed files fill a migrated database, all of them or none, and a second time changes nothing."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data import migrate
from surf_data.errors import MigrationError
from surf_data.kernel import resources

Connection = psycopg.Connection[Any]
Write = Callable[..., Path]
Seed = Callable[..., list[Path]]
Refused = Callable[..., Any]

#: With the transaction that has written each row.
WHOLE_TABLES = (
    b"SELECT xmin, * FROM lamp_registry ORDER BY lamp_id",
    b"SELECT xmin, * FROM system_configuration ORDER BY id",
    b"SELECT xmin, * FROM api_configuration ORDER BY id",
    b"SELECT xmin, * FROM reference_version",
)
LAMPS = resources.directory("migrations") / "lamps"


@pytest.fixture
def server(database_url: str) -> Iterator[Connection]:
    """Return a connection to the empty database that sees what others have committed."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def shop(database_url: str, tmp_path: Path) -> Write:
    """Return a function that writes seed files for a migrated table, and returns the folder of the migrations."""

    def write(*, migrated: bool = True, **seeds: str) -> Path:
        (tmp_path / "0001_tide.sql").write_text("-- migrate:up\nCREATE TABLE tide (id int PRIMARY KEY, note text);\n")
        for name, text in seeds.items():
            (tmp_path / "seed").mkdir(exist_ok=True)
            (tmp_path / "seed" / f"{name}.sql").write_text(text, encoding="utf-8")
        if migrated:
            migrate.Runner(partial(psycopg.connect, database_url), tmp_path, "shop").up()
        return tmp_path

    return write


@pytest.fixture
def seed(database_url: str) -> Seed:
    """Return a function that runs the seed files of a folder."""
    return lambda folder, **options: migrate.seed(partial(psycopg.connect, database_url), folder, "shop", **options)


def notes(server: Connection) -> list[Any]:
    """Return what stands in the table."""
    return server.execute("SELECT id, note FROM tide ORDER BY id").fetchall()


def test_in_order(shop: Write, seed: Seed, server: Connection) -> None:
    """All files are run verbatim, in the order of their names, and are reported."""
    folder = shop(
        b_second="INSERT INTO tide VALUES (2, 'at %s'); UPDATE tide SET note = note || $$;$$ WHERE id = 1;",
        a_first="\ufeffINSERT INTO tide VALUES (1, 'größer')",
    )
    assert [path.name for path in seed(folder)] == ["a_first.sql", "b_second.sql"]
    assert notes(server) == [(1, "größer;"), (2, "at %s")]


def test_a_dry_run(shop: Write, seed: Seed, server: Connection) -> None:
    """A dry run tells the files and changes nothing."""
    folder = shop(first="INSERT INTO tide VALUES (1, 'low')")
    assert [path.name for path in seed(folder, dry_run=True)] == ["first.sql"]
    assert notes(server) == []


def test_twice(migrated_url: str, admin: Connection) -> None:
    """The Surf Lamp's seed makes a lamp for each beach, and a second time changes nothing, not even a version."""
    connect = partial(psycopg.connect, migrated_url)
    states = []
    for _ in range(2):
        migrate.seed(connect, LAMPS, "lamps")
        states.append([admin.execute(query).fetchall() for query in WHOLE_TABLES])
    assert states[0] == states[1]
    assert len(states[0][0]) == 5


def test_the_key_of_an_address(migrated_url: str, admin: Connection) -> None:
    """A sample lamp's address is taken for everybody else."""
    migrate.seed(partial(psycopg.connect, migrated_url), LAMPS, "lamps")
    keys = admin.execute("SELECT count(*) FROM lamp_registry WHERE email_key = lower(email)").fetchone()
    assert keys == (5,)


def test_all_or_nothing(shop: Write, seed: Seed, server: Connection, refused: Refused) -> None:
    """When a file fails, it is named with its line, no row is quoted, and nothing of any file stays."""
    folder = shop(
        first="INSERT INTO tide VALUES (1, 'tube-ride-8211');",
        second="SELECT 1;\nINSERT INTO tide\nVALUES (1, 'tube-ride-8211');",
    )
    error = refused(lambda: seed(folder), MigrationError)
    file = folder / "seed" / "second.sql"
    assert str(error) == (f"{file}: UniqueViolation (SQLSTATE 23505, constraint tide_pkey); nothing is changed")
    assert error.sqlstate == "23505"
    assert notes(server) == []
    file.write_text("SELECT 1;\nSELECT nothing;\n", "utf-8")
    assert str(refused(lambda: seed(folder), MigrationError)).startswith(f"{file}:2: UndefinedColumn ")


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("SELECT 1;\nCOMMIT;", 2, "COMMIT would begin or end a transaction"),
        ("BEGIN;\nSELECT 1;", 1, "BEGIN would begin or end a transaction"),
        ("-- PREPARE\nPREPARE TRANSACTION 'x';", 2, "PREPARE TRANSACTION would begin or end"),
        ("SELECT 1;\n\nSET search_path = other;", 3, "SET would outlast the transaction"),
        ("SELECT pg_catalog.set_config('search_path', '', false);", 1, "set_config(..., false)"),
        ("CREATE TEMP TABLE t (n int);", 1, "a temporary table"),
        ("SELECT pg_advisory_lock(7);", 1, "pg_advisory_lock is for locks that outlast"),
    ],
)
def test_what_would_end_the_transaction_or_change_the_session(
    shop: Write, seed: Seed, server: Connection, refused: Refused, text: str, line: int, problem: str
) -> None:
    """A file that would end the transaction, or be felt by the files after it, is refused with its line."""
    folder = shop(a="INSERT INTO tide VALUES (1, 'x');", first=text)
    error = refused(lambda: seed(folder), MigrationError)
    assert f"first.sql:{line}: {problem}" in str(error)
    assert notes(server) == []


def test_what_ends_with_the_transaction(shop: Write, seed: Seed, server: Connection) -> None:
    """SET LOCAL and temporary tables that go with the transaction are fine."""
    text = (
        "SET LOCAL lock_timeout = '1s'; CREATE TEMP TABLE t (n int) ON COMMIT DROP; INSERT INTO tide VALUES (1, 'x');"
    )
    seed(shop(first=text))
    assert notes(server) == [(1, "x")]


def test_migrations_come_first(shop: Write, seed: Seed, refused: Refused) -> None:
    """While a migration is pending nothing is run."""
    folder = shop(migrated=False, first="SELECT 1")
    error = refused(lambda: seed(folder), MigrationError)
    assert str(error) == "bring the migrations up to date first: 0001_tide is pending"


def test_no_files(shop: Write, seed: Seed, refused: Refused) -> None:
    """A folder without seed files is reported as such."""
    folder = shop()
    error = refused(lambda: seed(folder), MigrationError)
    assert str(error) == f"{folder / 'seed'}: there are no .sql files here"


def test_unreadable_files(shop: Write, seed: Seed, refused: Refused) -> None:
    """What is not text, or cannot be read, is named before anything is run."""
    folder = shop(first="SELECT 1")
    file = folder / "seed" / "second.sql"
    file.write_bytes(b"SELECT '\xff'")
    assert str(refused(lambda: seed(folder), MigrationError)) == f"{file}: is not UTF-8"
    file.unlink()
    file.mkdir()
    assert str(refused(lambda: seed(folder), MigrationError)) == f"{file}: cannot be read: Is a directory"
