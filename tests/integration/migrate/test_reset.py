"""A reset takes one domain back to its beginning, and leaves its neighbours in the database alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data import migrate
from surf_data.errors import DatabaseError, MigrationError

Connection = psycopg.Connection[Any]
Refused = Callable[..., Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a migration that creates a schema, and a seed file."""
    (tmp_path / "seed").mkdir()
    up, down = "CREATE SCHEMA shop; CREATE TABLE shop.tide (id int PRIMARY KEY);", "DROP SCHEMA shop CASCADE;"
    (tmp_path / "0001_tide.sql").write_text(f"-- migrate:up\n{up}\n-- migrate:down\n{down}\n", "utf-8")
    (tmp_path / "seed" / "tide.sql").write_text("INSERT INTO shop.tide VALUES (7) ON CONFLICT DO NOTHING;", "utf-8")
    return tmp_path


@pytest.fixture
def connect(database_url: str) -> Callable[[], Connection]:
    """Return what connects to an empty database."""
    return lambda: psycopg.connect(database_url, autocommit=True)


@pytest.fixture
def shop(connect: Callable[[], Connection], folder: Path) -> Callable[[], Connection]:
    """Return what connects to a database with a shop and a neighbour, both migrated."""
    migrate.Runner(connect, folder, "shop").up()
    with connect() as connection:
        connection.execute("INSERT INTO shop.tide VALUES (1)")
        connection.execute("CREATE SCHEMA bar; CREATE TABLE bar.drinks (id int); INSERT INTO bar.drinks VALUES (5)")
        connection.execute(
            "INSERT INTO schema_migrations (domain, number, name, checksum, applied_at, duration) "
            "VALUES ('bar', 1, 'drinks', 'x', now(), '0')"
        )
    return connect


def ask(connect: Callable[[], Connection], query: str) -> list[Any]:
    """Return the first column of a query."""
    with connect() as connection:
        return [value for (value,) in connection.execute(query.encode())]


def histories(connect: Callable[[], Connection]) -> list[Any]:
    """Return whose migrations are recorded."""
    return ask(connect, "SELECT domain FROM schema_migrations ORDER BY domain")


@pytest.mark.parametrize("schemas", [("shop",), ()])
def test_only_the_domain_is_new(shop: Callable[[], Connection], folder: Path, schemas: tuple[str, ...]) -> None:
    """The domain's rows are gone and its migrations applied, and its neighbour has what it had."""
    applied = migrate.reset(shop, folder, "shop", schemas)
    assert [each.name for each in applied] == ["tide"]
    assert ask(shop, "SELECT id FROM shop.tide") == []
    assert ask(shop, "SELECT id FROM bar.drinks") == [5]
    assert histories(shop) == ["bar", "shop"]


def test_with_seeds(shop: Callable[[], Connection], folder: Path) -> None:
    """The seed files are run when that is asked for."""
    migrate.reset(shop, folder, "shop", ["shop"], seeds=True)
    assert ask(shop, "SELECT id FROM shop.tide") == [7]


def test_before_the_first_migration(connect: Callable[[], Connection], folder: Path) -> None:
    """A database in which nothing was migrated yet is migrated."""
    assert len(migrate.reset(connect, folder, "shop", ["shop"])) == 1


def test_a_changed_file(shop: Callable[[], Connection], folder: Path) -> None:
    """A domain with schemas of its own is reset although a file was edited after it was applied."""
    (folder / "0001_tide.sql").write_text("-- migrate:up\nCREATE SCHEMA shop;\n", "utf-8")
    migrate.reset(shop, folder, "shop", ["shop"])
    assert ask(shop, "SELECT to_regclass('shop.tide')") == [None]


@pytest.mark.parametrize(
    ("neighbour", "named"),
    [
        ("CREATE TABLE bar.orders (tide int REFERENCES shop.tide)", "orders_tide_fkey"),
        ("CREATE VIEW bar.tides AS SELECT id FROM shop.tide", "view bar.tides"),
        ("CREATE TYPE shop.wave AS ENUM ('a'); CREATE TABLE bar.waves (wave shop.wave)", "column wave"),
        (
            (
                "CREATE FUNCTION shop.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
                "CREATE TRIGGER watch BEFORE INSERT ON bar.drinks FOR EACH ROW EXECUTE FUNCTION shop.f()"
            ),
            "trigger watch",
        ),
        (
            (
                "CREATE FUNCTION shop.g() RETURNS int LANGUAGE sql AS 'SELECT 1';"
                "ALTER TABLE bar.drinks ALTER COLUMN id SET DEFAULT shop.g()"
            ),
            "default value for column id",
        ),
    ],
)
def test_a_neighbour_that_depends(
    refused: Refused, shop: Callable[[], Connection], folder: Path, neighbour: str, named: str
) -> None:
    """Where something of a neighbour would go with the schema nothing is done, and it is named."""
    with shop() as connection:
        connection.execute(neighbour.encode())
    assert named in str(refused(lambda: migrate.reset(shop, folder, "shop", ["shop"]), MigrationError))
    assert named in str(refused(lambda: migrate.check_reset(shop, ["shop"]), MigrationError))
    assert ask(shop, "SELECT id FROM shop.tide") == [1]
    assert histories(shop) == ["bar", "shop"]


def test_a_check_changes_nothing(shop: Callable[[], Connection]) -> None:
    """To check whether a reset would work leaves everything as it was."""
    migrate.check_reset(shop, ["shop"])
    assert ask(shop, "SELECT id FROM shop.tide") == [1]
    assert histories(shop) == ["bar", "shop"]


def test_no_server(refused: Refused, folder: Path) -> None:
    """A server that is not there is reported as such."""
    refused(lambda: migrate.reset(lambda: psycopg.connect("host=127.0.0.1 port=1"), folder, "shop"), DatabaseError)
