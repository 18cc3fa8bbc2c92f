"""A reset replaces a database by an empty one like it, with the migrations applied, or leaves it as it was."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from surf_data import embedded, migrate
from surf_data.errors import DatabaseError, MigrationError, SurfDataError
from surf_data.migrate.reset import Database, _commands

Connection = psycopg.Connection[Any]
Reset = Callable[..., Any]
Refused = Callable[..., Any]


@pytest.fixture
def maintenance(database_url: str) -> Iterator[Connection]:
    """Return a connection to another database of the server."""
    with psycopg.connect(make_conninfo(database_url, dbname="postgres"), autocommit=True) as connection:
        yield connection


@pytest.fixture
def pool(maintenance: Connection, database_url: str) -> Iterator[str]:
    """Return the URL of a database that nobody is connected to."""
    maintenance.execute("CREATE DATABASE pool TEMPLATE template0")
    yield make_conninfo(database_url, dbname="pool")
    maintenance.execute("DROP DATABASE IF EXISTS pool WITH (FORCE)")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a migration and a seed file."""
    (tmp_path / "0001_tide.sql").write_text("-- migrate:up\nCREATE TABLE tide (id int PRIMARY KEY);\n", "utf-8")
    (tmp_path / "seed").mkdir()
    (tmp_path / "seed" / "tide.sql").write_text("INSERT INTO tide VALUES (7) ON CONFLICT DO NOTHING;", "utf-8")
    return tmp_path


def connector(url: str, **options: Any) -> Callable[[str | None], Connection]:
    """Return what connects to the database of a URL, or to another one on its server."""
    url = make_conninfo(url, client_encoding="UTF8", **options)
    return lambda name: psycopg.connect(url if name is None else make_conninfo(url, dbname=name))


def perform(url: str, folder: Path, **options: Any) -> Any:
    """Reset a database."""
    return migrate.reset(connector(url), folder, "shop", **{"name": "pool", **options})


def ask(url: str, query: str) -> list[Any]:
    """Return the rows of a query."""
    with psycopg.connect(url, autocommit=True) as connection:
        result = connection.execute(query.encode())
        return result.fetchall() if result.description else []


def databases(maintenance: Connection) -> set[str]:
    """Return the names of the databases that a reset may have left."""
    query = "SELECT datname FROM pg_database WHERE datname ~ '^(pool|surf_data_)'"
    return {name for (name,) in maintenance.execute(query)}


def state(url: str) -> Database:
    """Return what a database is like."""
    return migrate.prepare_reset(connector(url))


def test_everything_is_new(pool: str, folder: Path, maintenance: Connection) -> None:
    """What was in the database is gone, the migrations are applied, and nothing is left beside it."""
    ask(pool, "CREATE TABLE old (id int)")
    told: list[str] = []
    applied = perform(pool, folder, on_applied=lambda status: told.append(status.label))
    assert [status.label for status in applied] == told == ["0001_tide"]
    assert ask(
        pool, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename IN ('old', 'tide')"
    ) == [("tide",)]
    assert ask(pool, "SELECT count(*) FROM tide") == [(0,)]
    assert databases(maintenance) == {"pool"}


def test_with_seeds(pool: str, folder: Path) -> None:
    """The seed files are run when that is asked for."""
    perform(pool, folder, seeds=True)
    assert ask(pool, "SELECT id FROM tide") == [(7,)]


@pytest.mark.parametrize(
    "options",
    [
        "ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'",
        "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'",
    ],
)
def test_it_is_like_the_old_one(maintenance: Connection, pool: str, folder: Path, options: str) -> None:
    """Owner, encoding, locale, limit, comment, privileges and settings survive."""
    maintenance.execute("DROP DATABASE pool")
    maintenance.execute("CREATE ROLE surf_keeper")
    maintenance.execute('CREATE ROLE "surf guest"')
    try:
        maintenance.execute(f"CREATE DATABASE pool TEMPLATE template0 CONNECTION LIMIT 9 {options}".encode())
        for command in (
            "COMMENT ON DATABASE pool IS 'for 100 % of swimmers'",
            "ALTER DATABASE pool OWNER TO surf_keeper",
            "REVOKE TEMPORARY ON DATABASE pool FROM PUBLIC",
            'GRANT CREATE ON DATABASE pool TO "surf guest" WITH GRANT OPTION',
            """ALTER DATABASE pool SET search_path TO "$user", 'Wave "Pool"', public""",
            "ALTER DATABASE pool SET work_mem = '7MB'",
            "ALTER DATABASE pool SET surf.note = 'a=b, \"c\"'",
            "ALTER ROLE \"surf guest\" IN DATABASE pool SET statement_timeout = '1ms'",
        ):
            maintenance.execute(command.encode())
        before = state(pool)
        perform(pool, folder)
        after = state(pool)
    finally:
        maintenance.execute("DROP DATABASE pool")
        maintenance.execute('DROP ROLE surf_keeper, "surf guest"')
    assert after == before
    assert (len(before.settings), len(before.privileges or [])) == (4, 5)


def test_postgresql_16(folder: Path) -> None:
    """The older server's databases are reset as well."""
    with embedded.start(postgres_version=16, redis=False) as servers:
        url = servers.database_url
        ask(url, "CREATE DATABASE pool TEMPLATE template0 CONNECTION LIMIT 7")
        pool = make_conninfo(url, dbname="pool")
        before = state(pool)
        perform(pool, folder)
        assert state(pool) == before
        assert before.connection_limit == 7


def test_icu(pool: str) -> None:
    """A database with a locale of ICU is made again with it."""
    # PostgreSQL from the wheel is built without ICU, so this looks at the command alone.
    like = attrs.evolve(state(pool), locale_provider="icu", locale="de-AT", icu_rules="&a < g")
    [create, *_] = _commands(like, "pool")
    assert "LOCALE_PROVIDER icu ICU_LOCALE 'de-AT' ICU_RULES '&a < g'" in create.as_string()


def test_without_the_database_postgres(pool: str, folder: Path) -> None:
    """Where there is no database postgres, template1 will do."""

    def connect(name: str | None) -> Connection:
        return connector(pool)("nowhere" if name == "postgres" else name)

    assert migrate.reset(connect, folder, "shop", name="pool")


def test_another_name(refused: Refused, pool: str, folder: Path) -> None:
    """A name that is not the database's changes nothing."""
    ask(pool, "CREATE TABLE old (id int)")
    error = refused(lambda: perform(pool, folder, name="Pool"), MigrationError)
    assert str(error) == "the database is called pool, not Pool"
    assert ask(pool, "TABLE old") == []


@pytest.mark.parametrize("name", ["postgres", "template1"])
def test_the_servers_own(refused: Refused, pool: str, folder: Path, name: str) -> None:
    """The databases of the server itself are never reset."""
    error = refused(lambda: perform(make_conninfo(pool, dbname=name), folder, name=name, force=True), MigrationError)
    assert str(error) == f"{name} is a database of the server itself, or a template, and is never reset"


def test_a_template(refused: Refused, pool: str, folder: Path, maintenance: Connection) -> None:
    """A database that others are made from is never reset."""
    maintenance.execute("ALTER DATABASE pool IS_TEMPLATE true")
    try:
        refused(lambda: perform(pool, folder), MigrationError)
    finally:
        maintenance.execute("ALTER DATABASE pool IS_TEMPLATE false")


def test_others_are_connected(refused: Refused, pool: str, folder: Path) -> None:
    """While others are connected nothing is done, unless they are to go."""
    with psycopg.connect(pool, autocommit=True) as other:
        other.execute("CREATE TABLE old (id int)")
        error = refused(lambda: perform(pool, folder), MigrationError)
        assert str(error) == "the database pool is in use: it has 1 other sessions"
        assert other.execute("TABLE old").fetchall() == []
        perform(pool, folder, force=True)
        with pytest.raises(psycopg.OperationalError):
            other.execute("SELECT 1")
    assert ask(pool, "SELECT count(*) FROM tide") == [(0,)]


def test_others_connect_meanwhile(refused: Refused, pool: str, folder: Path, maintenance: Connection) -> None:
    """Somebody who connects while the new database is made keeps the old one."""
    others: list[Connection] = []
    ask(pool, "CREATE TABLE old (id int)")
    refused(lambda: perform(pool, folder, on_applied=lambda _: others.append(psycopg.connect(pool))), DatabaseError)
    others[0].close()
    assert ask(pool, "TABLE old") == []
    assert databases(maintenance) == {"pool"}


def test_a_migration_that_fails(refused: Refused, pool: str, folder: Path, maintenance: Connection) -> None:
    """When a migration fails, the database is as it was."""
    ask(pool, "CREATE TABLE old (id int)")
    (folder / "0002_wrong.sql").write_text("-- migrate:up\nSELECT nothing;\n", "utf-8")
    refused(lambda: perform(pool, folder), MigrationError)
    assert ask(pool, "TABLE old") == []
    assert databases(maintenance) == {"pool"}


def test_a_role_that_may_not(refused: Refused, pool: str, folder: Path, maintenance: Connection) -> None:
    """A role that cannot make databases changes nothing."""
    maintenance.execute("CREATE ROLE surf_guest LOGIN")
    try:
        options = {"user": "surf_guest"}
        refused(lambda: migrate.reset(connector(pool, **options), folder, "shop", name="pool"), SurfDataError)
    finally:
        maintenance.execute("DROP ROLE surf_guest")
    assert databases(maintenance) == {"pool"}


def test_no_server(refused: Refused, folder: Path) -> None:
    """A server that is not there is told as such."""
    refused(lambda: perform("host=127.0.0.1 port=1 dbname=pool", folder), DatabaseError)
