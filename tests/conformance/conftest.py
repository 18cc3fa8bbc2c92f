"""What every domain must keep, for each that is installed: those of this package, and one from outside."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from surf_data import domain, embedded, migrate
from surf_data.domain import Domain
from surf_data.kernel import resources

Connect = Callable[[], psycopg.Connection[Any]]


@pytest.fixture(scope="session", params=domain.names())
def declared(request: pytest.FixtureRequest) -> Domain:
    """Return what a domain declares."""
    return domain.find(request.param)


@pytest.fixture(scope="session")
def database(declared: Domain, servers: embedded.EmbeddedServers) -> Iterator[str]:
    """Return the URL of a database in which the domain alone is migrated."""
    parameters = conninfo_to_dict(servers.database_url)
    name = f"conformance_{declared.name}"
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    yield f"postgresql://{parameters['user']}@/{name}?host={quote(str(parameters['host']), safe='')}&port=5432"
    with psycopg.connect(servers.database_url, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="session")
def connect(database: str) -> Connect:
    """Return what connects to that database."""
    return lambda: psycopg.connect(database, autocommit=True)


@pytest.fixture(scope="session")
def migrated(declared: Domain, connect: Connect) -> Connect:
    """Return what connects to that database after it was migrated up, down to zero and up again."""
    runner = migrate.Runner(connect, resources.migrations_folder(declared), declared.name)
    runner.up()
    runner.down(0)
    with connect() as connection:
        left = connection.execute(
            """
            SELECT pg_describe_object('pg_class'::regclass, pc.oid, 0)
            FROM pg_class AS pc
            INNER JOIN pg_namespace AS pn ON pc.relnamespace = pn.oid
            WHERE pn.nspname !~ '^(pg_|information_schema)' AND pc.relname !~ '^schema_migrations'
            """
        ).fetchall()
        assert left == []
        schemas = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)'")
        assert schemas.fetchall() == [("public",)]
    runner.up()
    return connect
