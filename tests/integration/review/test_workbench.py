"""Databases made from files: of this library's layout, and of other tools'."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data import embedded
from surf_data.errors import MigrationError
from surf_data.kernel import resources
from surf_data.migrate.statements import split
from surf_data.review import ReviewRequest, ScratchDatabase, Workbench, inspect, scratch
from surf_data.review.missing import missing_role
from surf_data.review.schema_files import read_migrations

Refused = Callable[..., Any]

#: By layout, the files of a folder; applied in order, each adds a column to the table.
LAYOUTS: dict[str, dict[str, str]] = {
    "numbers": {
        "1.sql": "CREATE TABLE t (a int4);",
        "2_b.sql": "ALTER TABLE t ADD b int4;",
        "10_c.sql": "ALTER TABLE t ADD c int4;",
    },
    "dbmate": {
        "20240101_a.sql": "-- migrate:up\nCREATE TABLE t (a int4, b int4);\n\n-- migrate:down\nDROP TABLE t;\n",
        "20240102_c.sql": (
            "-- migrate:up transaction:false\nALTER TABLE t ADD c int4;\nCREATE INDEX CONCURRENTLY i ON t (c);"
        ),
    },
    "goose": {
        "001_a.sql": (
            "-- +goose Up\n-- +goose StatementBegin\nCREATE TABLE t (a int4, b int4, c int4);\n-- +goose StatementEnd\n"
            "-- +goose Down\nDROP TABLE t;"
        )
    },
    "sql-migrate": {
        "1.sql": "-- +migrate Down\nDROP TABLE t;\n-- +migrate Up\nCREATE TABLE t (a int4, b int4, c int4);"
    },
    "golang-migrate": {
        "1_a.down.sql": "DROP TABLE t;",
        "1_a.up.sql": "CREATE TABLE t (a int4);",
        "2_b.up.sql": "BEGIN; ALTER TABLE t ADD b int4, ADD c int4; COMMIT;",
    },
    "yoyo": {"1.sql": "-- depends:\nCREATE TABLE t (a int4, b int4, c int4)", "1.rollback.sql": "DROP TABLE t"},
    "diesel": {
        "2024-01-09-000000_a/down.sql": "DROP TABLE t;",
        "2024-01-09-000000_a/up.sql": "CREATE TABLE t (a int4);",
        "2024-01-10-000000_b/down.sql": "ALTER TABLE t DROP b;",
        "2024-01-10-000000_b/up.sql": "ALTER TABLE t ADD b int4, ADD c int4;",
    },
    "dump of a changed public": {
        "schema.sql": "CREATE SCHEMA public;\nALTER SCHEMA public OWNER TO shop_owner;\n"
        "CREATE TABLE public.t (a int4, b int4, c int4);\n"
    },
    "public made anew": {
        "1.sql": "DROP SCHEMA public CASCADE;\nCREATE SCHEMA public;\nCREATE TABLE t (a int4, b int4, c int4);\n"
    },
    "flyway": {
        "R__view.sql": "CREATE VIEW v AS SELECT c FROM t;",
        "U1__a.sql": "DROP TABLE t;",
        "V1__a.sql": "CREATE TABLE t (a int4);",
        "V1_2__b.sql": "ALTER TABLE t ADD b int4;",
        "later/V2__c.sql": "ALTER TABLE t ADD c int4;",
    },
    "among queries": {
        "boards.sql": (
            "-- name: create_schema#\nCREATE TABLE t (a int4);\n\nALTER TABLE t ADD b int4;\n"
            "--name: drop_schema#\nDROP TABLE t;\n-- name: board-list\nSELECT a FROM t WHERE b = :b\n"
        ),
        "more.sql": "-- name: more#\nALTER TABLE t ADD c int4;\n",
    },
    "dump": {
        "schema.sql": (
            "\\restrict x\nSELECT pg_catalog.set_config('search_path', '', false);\n"
            "CREATE FUNCTION public.f() RETURNS int4 LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;\r\n"
            "CREATE TABLE public.t (a int4, b int4);\nALTER TABLE public.t OWNER TO shop_owner;\n"
            "GRANT SELECT ON public.t TO shop_reader;\n"
            "COPY public.t (a, b) FROM stdin;\n1\t;\n2\t'\n\\.\n\nALTER TABLE public.t ADD c int4;\n\\unrestrict x\n"
        )
    },
}


@pytest.fixture
def admin(servers: embedded.EmbeddedServers) -> Iterator[psycopg.Connection[Any]]:
    """Return a connection to the server."""
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        yield connection
        connection.execute("DROP ROLE IF EXISTS shop_owner")
        connection.execute("DROP ROLE IF EXISTS shop_reader")


@pytest.fixture
def server(servers: embedded.EmbeddedServers) -> Callable[..., psycopg.Connection[Any]]:
    """Return what connects to the server."""
    return functools.partial(psycopg.connect, servers.database_url)


@pytest.fixture
def made(server: Callable[..., psycopg.Connection[Any]], admin: psycopg.Connection[Any]) -> Iterator[ScratchDatabase]:
    """Return an empty scratch database on a server that is ours alone."""
    with scratch(server, private=True) as database:
        yield database


def columns(database: ScratchDatabase) -> list[str]:
    """Return the columns of the table ``t``."""
    with database.connect() as connection:
        rows = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'public.t'::regclass AND attnum > 0 ORDER BY attnum"
        )
        return [name for (name,) in rows.fetchall()]


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write files into a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8", newline="")
    return folder


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout: str, made: ScratchDatabase, tmp_path: Path) -> None:
    """Other tools' folders are applied in their order, without what undoes."""
    made.apply(write(tmp_path, LAYOUTS[layout]))
    assert columns(made) == ["a", "b", "c"]


def test_own_layout(made: ScratchDatabase) -> None:
    """A folder in this library's layout is applied as in production, with its history."""
    made.apply(resources.directory("migrations") / "lamps")
    with made.connect() as connection:
        [domain] = connection.execute("SELECT DISTINCT domain FROM schema_migrations").fetchone() or ()
    assert domain == "review"


def test_one_file(made: ScratchDatabase, tmp_path: Path) -> None:
    """A single file with a schema will do."""
    made.apply(write(tmp_path, {"schema.sql": "CREATE TABLE t (a int4, b int4, c int4);"}) / "schema.sql")
    assert columns(made) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"1.sql": "SELECT 1;\n\nCREATE TABLE t\n(a nope);"}, '1.sql:4: type "nope" does not exist'),
        (
            {"1.sql": "-- migrate:up\n\nSELECT 1;\nSELECT f();\n-- migrate:down\n"},
            "1.sql:4: function f() does not exist",
        ),
        ({"1.sql": "\\connect x\nCOPY t FROM stdin;\n1\n\\.\nSELECT nope;"}, '1.sql:5: column "nope" does not exist'),
        ({"0001_a.sql": "-- migrate:up\n\nSELECT f();\n"}, "0001_a.sql:3"),
        ({"1.sql": "CREATE EXTENSION citext;"}, "name a server that has it, --scratch"),
        ({}, "there are no .sql files here"),
    ],
)
def test_problems(files: dict[str, str], problem: str, made: ScratchDatabase, tmp_path: Path, refused: Refused) -> None:
    """What the server refuses is reported with file and line, and what to do about it."""
    assert problem in str(refused(lambda: made.apply(write(tmp_path, files)), MigrationError))


def test_unreadable(made: ScratchDatabase, tmp_path: Path, refused: Refused) -> None:
    """A file or a folder that cannot be read is named."""
    assert "FileNotFoundError" in str(refused(lambda: made.apply(tmp_path / "nowhere"), MigrationError))
    (tmp_path / "1.sql").write_bytes(b"\xff")
    assert "cannot be read" in str(refused(lambda: made.apply(tmp_path), MigrationError))


def test_what_the_server_says(made: ScratchDatabase, tmp_path: Path) -> None:
    """The server is asked again about a file that it refused, and only where there is one."""
    (tmp_path / "1.sql").write_text("SELECT nothing;", "utf-8")
    assert made._said(MigrationError("x", file=str(tmp_path / "1.sql"))) == 'column "nothing" does not exist'
    assert made._said(MigrationError("x")) == ""


def test_shared_server(server: Callable[..., psycopg.Connection[Any]], tmp_path: Path, refused: Refused) -> None:
    """On a server that others use, no role is created."""
    write(tmp_path, LAYOUTS["dump"])
    with scratch(server) as database:
        error = refused(lambda: database.apply(tmp_path), MigrationError)
    assert 'role "shop_owner" does not exist' in str(error)


def test_dropped(server: Callable[..., psycopg.Connection[Any]], admin: psycopg.Connection[Any]) -> None:
    """The database is gone in the end, with all connections to it, whatever happened."""
    before = admin.execute("SELECT count(*) FROM pg_database").fetchone()
    with pytest.raises(ZeroDivisionError), scratch(server) as database, database.connect():
        raise ZeroDivisionError
    assert admin.execute("SELECT count(*) FROM pg_database").fetchone() == before


def test_schema_among_queries(made: ScratchDatabase, tmp_path: Path, refused: Refused) -> None:
    """A schema that stands among queries is no migration of one, and its mistakes have their lines."""
    folder = write(tmp_path, {"a.sql": "-- name: a\nSELECT 1;\n-- name: b#\n\nCREATE TABLE t (a int4);\nSELECT nope;"})
    assert read_migrations(folder) == []
    assert 'a.sql:6: column "nope" does not exist' in str(refused(lambda: made.apply(folder), MigrationError))


TABLE = "CREATE TABLE t (a int4, b int4, c int4);\n"
#: Statements that name a role which nothing creates.
FOREIGN_ROLES = {
    "grant": "GRANT SELECT ON t TO shop_reader;",
    "two grants": "GRANT SELECT ON t TO shop_reader, shop_owner;",
    "owner": "ALTER TABLE t OWNER TO shop_owner;",
    "defaults": "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO shop_reader;",
    "policy": "CREATE POLICY p ON t TO shop_reader USING (true);",
    "block": "DO $$ BEGIN GRANT SELECT ON t TO shop_reader; END $$;",
    "made in a block": "DO $do$ BEGIN EXECUTE format('GRANT SELECT ON t TO %I', 'shop_reader'); END $do$;",
    "quoted": 'GRANT SELECT ON t TO "shop Reader""s";',
    "set": "SET ROLE shop_reader; RESET ROLE;",
    "authorization": "CREATE SCHEMA AUTHORIZATION shop_reader;",
    "of a function": "SELECT has_table_privilege('shop_reader', 't', 'SELECT');",
    "member": "GRANT shop_owner TO shop_reader;",
    "reassign": "REASSIGN OWNED BY shop_reader TO shop_owner;",
    "upper case": "grant select on t to Shop_Reader;",
}


@pytest.mark.sampled(6)
@pytest.mark.parametrize("name", ["V1__t.sql", "0001_t.sql"])
@pytest.mark.parametrize("statement", FOREIGN_ROLES)
def test_roles_that_nothing_creates(
    server: Callable[..., psycopg.Connection[Any]],
    admin: psycopg.Connection[Any],
    tmp_path: Path,
    name: str,
    statement: str,
) -> None:
    """On a server that is thrown away a missing role is created, for the schema and where its migrations are tried."""
    marker = "-- migrate:up\n" if name.startswith("0") else ""
    folder = write(tmp_path, {f"m/{name}": f"{marker}{TABLE}{FOREIGN_ROLES[statement]}\n", "q/a.sql": QUERY}) / "m"
    workbench = Workbench(connect=server, data=tmp_path)
    review = inspect(ReviewRequest(folder=tmp_path / "q", sources=(folder,)), workbench)
    assert [problem.text for problem in review.report.problems] == []
    left = admin.execute("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'shop%'").fetchone()
    assert left == (0,)


@pytest.mark.parametrize(
    "statement", ["SELECT nothing;", "SELECT 'nowhere'::regclass;", "CREATE TABLE u (a nothing);", "SET ROLE pg_shop;"]
)
def test_what_no_role_mends(made: ScratchDatabase, admin: psycopg.Connection[Any], statement: str) -> None:
    """Where something else is missing no role is created for it, nor one of a name that PostgreSQL keeps for itself."""
    with made.connect() as connection:
        assert missing_role(connection, split(statement)) is None


def test_a_role_in_another_language(made: ScratchDatabase, tmp_path: Path) -> None:
    """What the server says is compared and never read: the role is found, whatever is said of it."""
    translated = (
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shop_reader') THEN "
        "RAISE 'Rolle »shop_reader« existiert nicht' USING ERRCODE = '42704'; END IF; END $$;"
    )
    made.apply(write(tmp_path, {"1.sql": f"{TABLE}{translated}\nGRANT SELECT ON t TO shop_reader;"}))
    assert columns(made) == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["V2__t.sql", "0001_t.sql"])
def test_a_role_beside_a_stub(made: ScratchDatabase, tmp_path: Path, name: str) -> None:
    """A missing role is created also where something stands in for an extension."""
    marker = "-- migrate:up\n" if name.startswith("0") else ""
    text = f"{marker}CREATE EXTENSION hstore_x;\n{TABLE}GRANT SELECT ON t TO shop_reader;\n"
    write(tmp_path, {f"m/{name}": text, "hstore_x.sql": "CREATE DOMAIN hstore_x AS text;"})
    made.apply(tmp_path / "hstore_x.sql")
    made.apply(tmp_path / "m")
    assert columns(made) == ["a", "b", "c"]


QUERY = "-- name: t_list()\n-- All.\nSELECT a, b, c FROM t;\n"
#: Sources of a schema in the order in which they are named.
SEVERAL = {
    "a dump, then a folder": {
        "base.sql": "CREATE TABLE t (a int4, b int4);",
        "m/0001_c.sql": "-- migrate:up\nALTER TABLE t ADD c int4;\n",
    },
    "two dumps": {"base.sql": "CREATE TABLE t (a int4);", "later.sql": "ALTER TABLE t ADD b int4, ADD c int4;"},
    "two folders": {
        "a/0001_t.sql": "-- migrate:up\nCREATE TABLE t (a int4, b int4);\n-- migrate:down\n",
        "b/V7__c.sql": "ALTER TABLE t ADD c int4;",
    },
    "a folder, then a file": {
        "a/1.up.sql": "CREATE TABLE t (a int4, b int4);",
        "a/1.down.sql": "",
        "views.sql": "ALTER TABLE t ADD c int4;",
    },
    "goose upon a dump": {
        "base.sql": "CREATE TABLE t (a int4, b int4);",
        "m/00001_c.sql": "-- +goose Up\nALTER TABLE t ADD c int4;\n-- +goose Down\n",
    },
}


@pytest.mark.parametrize("case", SEVERAL)
def test_several_sources(
    server: Callable[..., psycopg.Connection[Any]], admin: psycopg.Connection[Any], tmp_path: Path, case: str
) -> None:
    """Each source builds on those before it, also where migrations are tried."""
    write(tmp_path, {"q/a.sql": QUERY, **SEVERAL[case]})
    sources = tuple(dict.fromkeys(tmp_path / name.partition("/")[0] for name in SEVERAL[case]))
    review = inspect(ReviewRequest(folder=tmp_path / "q", sources=sources), Workbench(connect=server, data=tmp_path))
    assert [problem.text for problem in review.report.problems] == []


#: Statements that create an extension that no embedded server has.
EXTENSIONS = [
    "CREATE EXTENSION hstore_x;",
    "CREATE EXTENSION IF NOT EXISTS hstore_x;",
    'create extension "hstore_x" with schema public;',
    "CREATE EXTENSION IF NOT EXISTS Hstore_X CASCADE;",
    "SELECT 1; CREATE EXTENSION hstore_x VERSION '1.8';",
]


@pytest.mark.sampled(5)
@pytest.mark.parametrize("name", ["V1__t.sql", "0001_t.sql", "0001_t.sql transaction:false"])
@pytest.mark.parametrize("statement", EXTENSIONS)
def test_extensions_that_are_missing(
    server: Callable[..., psycopg.Connection[Any]],
    admin: psycopg.Connection[Any],
    tmp_path: Path,
    refused: Refused,
    name: str,
    statement: str,
) -> None:
    """That an extension is missing is reported with the ways out, and a file that stands in for it is one."""
    name, _, mark = name.partition(" ")
    marker = f"-- migrate:up {mark}\n" if name.startswith("0") else ""
    lines = [f"{each.removesuffix(';')};\n" for each in [*statement.split("; "), TABLE.strip()]]
    text = marker + ("-- migrate:next\n" if mark else "").join(lines)
    write(tmp_path, {f"m/{name}": text, "q/a.sql": QUERY, "hstore_x.sql": "CREATE DOMAIN hstore_x AS text;"})
    request = ReviewRequest(folder=tmp_path / "q", sources=(tmp_path / "m",))
    workbench = Workbench(connect=server, data=tmp_path)
    error = refused(lambda: inspect(request, workbench), MigrationError)
    assert "--scratch postgresql://" in str(error)
    assert "--migrations hstore_x.sql before the rest" in str(error)
    with pytest.raises(MigrationError, match="--scratch"), workbench.create(request.sources):
        pass
    stubbed = ReviewRequest(folder=tmp_path / "q", sources=(tmp_path / "hstore_x.sql", tmp_path / "m"))
    assert [problem.text for problem in inspect(stubbed, workbench).report.problems] == []


#: Files of tools whose migrations are no SQL, and what to write the schema with.
OTHER_TOOLS = {
    "versions/1_a.py": ("down_revision = None\ndef upgrade(): ...", "alembic upgrade head --sql > schema.sql"),
    "env.py": ("from alembic import context", "Alembic's"),
    "0001_initial.py": ("class Migration(migrations.Migration): ...", "Django's"),
    "0001.py": ("from yoyo import step", "yoyo's"),
    "20240101_a.rb": ("class A < ActiveRecord::Migration[7.1]", "db/structure.sql"),
    "db.changelog.xml": ("<databaseChangeLog>", "liquibase update-sql"),
    "db.changelog.yaml": ("databaseChangeLog:", "liquibase update-sql"),
    "1_a.js": ("exports.up = (knex) => {}", "pg_dump --schema-only"),
    "1-a.ts": ("export class A { async up(q) {} }", "pg_dump --schema-only"),
}


@pytest.mark.parametrize("name", OTHER_TOOLS)
def test_folders_of_other_tools(made: ScratchDatabase, tmp_path: Path, refused: Refused, name: str) -> None:
    """Where migrations are no SQL, it is said how the schema can be had."""
    text, advice = OTHER_TOOLS[name]
    (tmp_path / "cache.py").mkdir()
    error = refused(lambda: made.apply(write(tmp_path, {name: text})), MigrationError)
    assert "there are no .sql files here. These are " in str(error)
    assert advice in str(error)


def test_a_folder_with_nothing_known(made: ScratchDatabase, tmp_path: Path, refused: Refused) -> None:
    """Of a folder with no migrations of any kind nothing more is said."""
    error = refused(lambda: made.apply(write(tmp_path, {"a.py": "print()"})), MigrationError)
    assert str(error).endswith("there are no .sql files here")
