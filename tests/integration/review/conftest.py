"""Databases to be reviewed, on every PostgreSQL version that comes along."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data import embedded
from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.migrate.statements import split
from surf_data.review.source import read_queries


@pytest.fixture(scope="session", params=[18, 16], ids=["PostgreSQL 18", "PostgreSQL 16"])
def server(request: pytest.FixtureRequest, servers: embedded.EmbeddedServers) -> Iterator[str]:
    """Return the URL of a server of each version."""
    if request.param == 18:
        yield servers.database_url
    else:
        with embedded.start(postgres_version=request.param, redis=False) as started:
            yield started.database_url


@pytest.fixture(scope="session")
def new_database() -> Callable[[str, str], AbstractContextManager[psycopg.Connection[Any]]]:
    """Return a function that makes a database on a server for a block, and returns a connection to it."""
    return _new_database


@contextmanager
def _new_database(server: str, name: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {name}".encode())
        admin.execute(f"CREATE DATABASE {name}".encode())
        with psycopg.connect(server, dbname=name, autocommit=True) as connection:
            yield connection
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def database(server: str) -> Iterator[Callable[[str], Any]]:
    """Return a function that fills an empty database with a schema, and returns a connection to it."""
    with _new_database(server, "reviewed") as connection:

        def fill(schema: str) -> psycopg.Connection[Any]:
            connection.execute(schema.encode(), prepare=False)
            return connection

        yield fill


@pytest.fixture
def queries(tmp_path: Path) -> Callable[[str], list[QuerySource]]:
    """Return a function that makes a query of each statement of a text."""

    def make(text: str) -> list[QuerySource]:
        file = tmp_path / "queries.sql"
        statements = [each.sql for each in split(text)]
        file.write_text(
            "\n".join(f"-- name: q{n}\n-- A query.\n{each};\n" for n, each in enumerate(statements)), "utf-8"
        )
        return read_queries(file)

    return make
