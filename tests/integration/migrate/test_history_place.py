"""The history is found wherever the search path points, and is neither lost nor forked."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data.errors import MigrationError
from surf_data.migrate import Runner, read_folder, verify

Connection = psycopg.Connection[Any]
Write = Callable[..., Path]

HISTORIES = "SELECT array_agg(relnamespace::regnamespace::text) FROM pg_class WHERE relname = 'schema_migrations'"
APP = "-- migrate:up\nCREATE SCHEMA app; CREATE TABLE app.account (n int); INSERT INTO app.account VALUES (1);\n"
_ALTER = "DO $$ BEGIN EXECUTE format('ALTER {} SET search_path = {}', {}); END $$;"
_DATABASE = "current_database()"
CHANGES = {
    "the database's path": _ALTER.format("DATABASE %I", "app", _DATABASE),
    "the role's path": _ALTER.format("ROLE %I IN DATABASE %I", "app", f"current_user, {_DATABASE}"),
    "no path at all": _ALTER.format("DATABASE %I", "''''", _DATABASE),
    "the table's schema": "ALTER TABLE schema_migrations SET SCHEMA app;",
    "the schema's name": "ALTER SCHEMA public RENAME TO old; CREATE SCHEMA public;",
    "another tool's table first": "CREATE TABLE app.schema_migrations (version text);"
    + _ALTER.format("DATABASE %I", "app, public", _DATABASE),
}
SECOND = "-- migrate:up\nINSERT INTO app.account VALUES (2);\n-- migrate:down\nDELETE FROM app.account WHERE n = 2;\n"
BY_ITSELF = "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY account_n ON app.account (n);\n"


@pytest.mark.parametrize("change", CHANGES)
def test_the_history_is_found_again(database_url: str, write: Write, ask: Callable[[str], Any], change: str) -> None:
    """After a migration that changes where names lead, the next runs go on, back and look as ever."""
    connect = partial(psycopg.connect, database_url)
    first = APP + CHANGES[change] + "\n"
    shop = Runner(connect, write(first), "shop")
    assert len(shop.up()) == 1
    assert shop.up() == []
    shop = Runner(connect, write(first, SECOND, BY_ITSELF), "shop")
    assert len(shop.up()) == 2
    assert [status.state for status in shop.status()] == ["applied"] * 3
    assert Runner(connect, write(FIRST_OF_OTHER), "other").up(dry_run=True)[0].state == "pending"
    assert ask("SELECT count(*) FROM app.account") == 2
    assert len(ask(HISTORIES)) == (2 if "tool" in change else 1)


FIRST_OF_OTHER = "-- migrate:up\nCREATE TABLE other (n int);\n"


@pytest.mark.parametrize(
    "sql",
    [
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE public.t (n int);",
        "DROP TABLE schema_migrations;",
        "ALTER TABLE schema_migrations RENAME TO old;",
        "ALTER TABLE schema_migrations ADD note text;",
        "DO $$ BEGIN DROP TABLE schema_migrations; END $$;",
    ],
)
def test_a_migration_cannot_lose_the_history(
    database_url: str, write: Write, ask: Callable[[str], Any], sql: str
) -> None:
    """What drops the history is refused and rolled back, and says what it drops."""
    connect = partial(psycopg.connect, database_url)
    first = "-- migrate:up\nCREATE TABLE kept (n int);\n"
    for head in ("-- migrate:up\n", "-- migrate:up transaction:false\n"):
        if head.endswith("false\n") and sql.count(";") > 1:
            continue
        shop = Runner(connect, write(first, f"{head}{sql}\n"), "shop")
        with pytest.raises(MigrationError, match="schema_migrations"):
            shop.up()
        assert ask("SELECT count(*) FROM schema_migrations WHERE applied_at IS NOT NULL") == 1
        assert ask("SELECT count(*) FROM kept") == 0


def test_two_histories_are_not_chosen_from(database_url: str, write: Write, server: Connection) -> None:
    """Where the path leads to neither of two histories, the run asks for a decision."""
    for schema in ("east", "west"):
        server.execute(f"CREATE SCHEMA {schema}".encode())
        connect = partial(psycopg.connect, database_url, options=f"-c search_path={schema}")
        Runner(connect, write(FIRST_OF_OTHER), "shop").up()
        server.execute(f"ALTER TABLE {schema}.schema_migrations RENAME TO aside".encode())
    for schema in ("east", "west"):
        server.execute(f"ALTER TABLE {schema}.aside RENAME TO schema_migrations".encode())
    with pytest.raises(MigrationError, match="in east, west: set one of them"):
        Runner(partial(psycopg.connect, database_url), write(FIRST_OF_OTHER), "shop").status()


@pytest.mark.parametrize("by", ["connection", "role"])
@pytest.mark.parametrize("first", ["public", "east"])
def test_a_tenant_is_not_taken_for_another(
    database_url: str, write: Write, server: Connection, ask: Callable[[str], Any], first: str, by: str
) -> None:
    """A schema that a session is led to and that has no history is not matched with another's, nor begun unasked."""
    folder = write(FIRST_OF_OTHER)
    server.execute("CREATE SCHEMA east")
    server.execute("CREATE SCHEMA west")
    server.execute("CREATE ROLE westerner SUPERUSER LOGIN")
    try:
        server.execute("ALTER ROLE westerner SET search_path = west")
        Runner(partial(psycopg.connect, database_url, options=f"-c search_path={first}"), folder, "shop").up()
        way = {"user": "westerner"} if by == "role" else {"options": "-c search_path=west"}
        west = Runner(partial(psycopg.connect, database_url, **way), folder, "shop")
        for call in (west.status, west.up, partial(west.up, dry_run=True), partial(west.baseline, 1)):
            with pytest.raises(MigrationError, match=f"leads to the schema west, and the only history is in {first}"):
                call()
        server.execute(f"CREATE TABLE west.schema_migrations (LIKE {first}.schema_migrations INCLUDING ALL)".encode())
        assert len(west.up()) == 1
        assert west.up() == []
        tables = "SELECT array_agg(relnamespace::regnamespace::text ORDER BY 1) FROM pg_class WHERE relname = 'other'"
        assert ask(tables) == sorted([first, "west"])
        assert [
            len(rows)
            for rows in (
                server.execute(f"TABLE {each}.schema_migrations".encode()).fetchall() for each in (first, "west")
            )
        ] == [1, 1]
    finally:
        server.execute("DROP OWNED BY westerner CASCADE")
        server.execute("DROP ROLE westerner")


def test_a_comparison_leaves_the_history_out(database_url: str, write: Write, server: Connection) -> None:
    """The history is no difference, wherever it is."""
    replayed = write(APP)
    connect = partial(psycopg.connect, database_url)
    Runner(connect, replayed, "shop").up()
    server.execute("ALTER TABLE schema_migrations SET SCHEMA app")
    assert verify(connect, connect, read_folder(replayed)) == []
