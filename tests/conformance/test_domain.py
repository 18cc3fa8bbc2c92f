"""What every domain keeps, whatever it is about."""

import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from rig.sql import statements
from surf_data import DatabaseError, embedded, migrate
from surf_data.domain import NAMES, Domain
from surf_data.kernel import resources

Connect = Callable[[], psycopg.Connection[Any]]

SECRET = "planted-9c1f-secret"  # what must not be seen anywhere
ROOT = Path(__file__).parents[2]
TOOLS = {"backup", "cli", "embedded", "migrate", "retention", "review"}
CREDENTIALS = "(password|token|secret|api_key)"


def tables(connection: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """Return the schema and name of each table and view, but for the history of the migrations."""
    return connection.execute(
        """
        SELECT pn.nspname::text, pc.relname::text
        FROM pg_class AS pc
        INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
        WHERE pc.relkind IN ('r', 'p', 'v', 'm') AND pn.nspname !~ '^(pg_|information_schema)'
            AND pc.relname <> 'schema_migrations'
        ORDER BY 1, 2
        """
    ).fetchall()


def test_it_imports_no_other_domain_and_no_tool(declared: Domain) -> None:
    """Who uses one domain pays for no other, nor for what only operators and developers need."""
    package = declared.queries.partition(":")[0].rpartition(".")[0]
    program = f"import sys, {package}; {package}.DOMAIN; print(*sys.modules)"
    imported = subprocess.check_output([sys.executable, "-c", program], text=True).split()
    rooms = {name.split(".")[1] for name in imported if name.startswith("surf_data.")}
    assert rooms & (TOOLS | set(NAMES)) - {declared.name} == set()
    assert not {"aiosql", "click", "rich", "boto3", "obstore"} & set(imported)


def test_its_names_are_there(declared: Domain) -> None:
    """What a package offers can be imported, also what is imported only then; and nothing else is made up."""
    package = import_module(declared.queries.partition(":")[0].rpartition(".")[0])
    offered = getattr(package, "__all__", ["DOMAIN"])
    for name in offered:
        assert hasattr(package, name), name
    assert set(offered) <= set(dir(package))
    assert not hasattr(package, "nothing_of_the_kind")
    # A module takes the place of a name when it is imported.
    assert not set(offered) & {module.name for module in iter_modules(package.__path__)}


def test_its_statements_say_who_they_are(declared: Domain) -> None:
    """Each statement carries its domain and its name, constant, behind its first keyword."""
    found = dict(statements(declared.query_functions()))
    assert found
    for name, sql in found.items():
        # A function that reads with a cursor shares its query's statement.
        assert f"/* surf_data:{declared.name}.{name.removesuffix('_cursor')} */" in sql[:200], name


def test_its_tables_are_in_its_schemas(declared: Domain, migrated: Connect) -> None:
    """A domain creates nothing outside of the schemas that it owns."""
    with migrated() as connection:
        found = tables(connection)
    assert found
    assert {schema for schema, _ in found} <= set(declared.schemas)


def test_up_after_down_makes_the_same(declared: Domain, migrated: Connect, servers: embedded.EmbeddedServers) -> None:
    """Migrated up, down to zero and up again, the database is what the files make of an empty one."""
    files = migrate.read_folder(resources.migrations_folder(declared))

    def scratch(**options: Any) -> psycopg.Connection[Any]:
        return psycopg.connect(servers.database_url, autocommit=True, **options)

    assert migrate.verify(migrated, scratch, files) == []


def test_its_application_changes_rows_and_nothing_else(declared: Domain, migrated: Connect) -> None:
    """The roles exist, none logs in, and that of the application can create, alter and drop nothing."""
    names = [f"{declared.roles}_{part}" for part in ("owner", "app", "read")]
    with migrated() as connection:
        found = connection.execute(
            "SELECT rolname::text FROM pg_roles WHERE rolname = ANY(%s) AND NOT rolcanlogin AND NOT rolsuper", [names]
        ).fetchall()
        assert {name for (name,) in found} == set(names)
        schema, table = tables(connection)[0]
        connection.execute(f"SET ROLE {declared.roles}_app".encode())
        for command in (
            f"CREATE TABLE {schema}.mine (id int)",
            f"DROP TABLE {schema}.{table}",
            f"ALTER TABLE {schema}.{table} ADD COLUMN mine int",
            f"TRUNCATE {schema}.{table}",
            "CREATE SCHEMA mine",
        ):
            with pytest.raises((InsufficientPrivilege, psycopg.errors.WrongObjectType)):
                connection.execute(command.encode())


def test_its_reader_sees_no_credential(declared: Domain, migrated: Connect) -> None:
    """The role of those who only look cannot read a password, a token, a secret or an API key, hashed or not."""
    with migrated() as connection:
        seen = connection.execute(
            """
            SELECT pc.oid::regclass::text || '.' || pa.attname
            FROM pg_attribute AS pa
            INNER JOIN pg_class AS pc ON pa.attrelid = pc.oid
            INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
            WHERE pn.nspname = ANY(%s) AND pc.relkind IN ('r', 'p', 'v', 'm') AND pa.attnum > 0
                AND pa.attname ~ %s AND pa.attname !~ '_id$'
                AND pa.atttypid = ANY(ARRAY['text', 'varchar', 'bytea', 'bpchar']::regtype [])
                AND has_column_privilege(%s, pc.oid, pa.attnum, 'SELECT')
                AND has_schema_privilege(%s, pn.oid, 'USAGE')
            """,
            [list(declared.schemas), CREDENTIALS, f"{declared.roles}_read", f"{declared.roles}_read"],
        ).fetchall()
    assert seen == []


def test_seeded_twice_is_seeded_once(declared: Domain, migrated: Connect) -> None:
    """Sample data leave alone what they find."""
    folder = resources.migrations_folder(declared)
    counts = []
    for _ in range(2):
        migrate.seed(migrated, folder, declared.name)
        with migrated() as connection:
            count = "SELECT count(*) FROM {}.{}"
            counts.append(
                [
                    connection.execute(count.format(schema, table).encode()).fetchone()
                    for schema, table in tables(connection)
                ]
            )
    assert counts[0] == counts[1]
    assert any(count != (0,) for count in counts[0])


def test_its_retention_is_about_what_there_is(declared: Domain, migrated: Connect) -> None:
    """Each policy names a table and a column of its own with the right type, and finds what has expired by an index."""
    with migrated() as connection:
        for policy in declared.retention:
            assert policy.table.partition(".")[0] in declared.schemas
            kind, indexed = connection.execute(
                """
                SELECT
                    pa.atttypid::regtype::text,
                    pc.relkind = 'p' OR EXISTS (
                        SELECT FROM pg_index AS pi
                        WHERE pi.indrelid = pc.oid AND pi.indkey[0] = pa.attnum AND pi.indisvalid
                    )
                FROM pg_attribute AS pa
                INNER JOIN pg_class AS pc ON pa.attrelid = pc.oid
                WHERE pc.oid = %s::regclass AND pa.attname = %s
                """,
                [policy.table, policy.by],
            ).fetchone() or (None, None)
            assert (kind, indexed) == ("timestamp with time zone", True), policy
            relkind = connection.execute("SELECT relkind FROM pg_class WHERE oid = %s::regclass", [policy.table])
            assert relkind.fetchone() == ("r" if policy.partition is None else "p",), policy


def test_no_secret_is_shown(declared: Domain, caplog: pytest.LogCaptureFixture) -> None:
    """A password in a URL is in no repr, log or error, nor in what is chained to it."""
    caplog.set_level(logging.DEBUG)
    urls = [f"postgresql://x:{SECRET}@127.0.0.1:1/x", f"redis://:{SECRET}@127.0.0.1:1"]
    with declared.open(*urls, pool_timeout=0.1, pool_min_size=0) as data:
        shown = [repr(data), repr(data.settings), str(data.health()), str(data.stats())]
        with pytest.raises(DatabaseError) as caught, data.transaction():
            pass
    shown += [str(caught.value), repr(caught.value), str(caught.value.__cause__), str(caught.value.__context__)]
    assert not [text for text in (*shown, caplog.text) if SECRET in text]


def test_a_forked_child_has_connections_of_its_own(declared: Domain, migrated: Connect, database: str) -> None:
    """A child that is forked after the parent has connected does not speak on the parent's connection."""
    with declared.open(database, pool_min_size=1, pool_max_size=1) as data, migrated() as watching:

        def backend() -> int:
            with data.database.connection() as session:
                return int(session._connection.info.backend_pid)

        parent = backend()
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.write(writing, str(backend()).encode())
                code = 0
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        assert int(os.read(reading, 100)) != parent
        assert backend() == parent
        os.close(reading)
        os.close(writing)
        assert watching.closed == 0


def test_it_has_a_page(declared: Domain) -> None:
    """A reader finds a page about the domain, with its name, where those of all domains are."""
    pages = (ROOT if declared.root is None else declared.root) / "docs" / "domains"
    text = (pages / f"{declared.name}.md").read_text("utf-8")
    assert re.match(r"# \S", text)
    assert declared.name in text
