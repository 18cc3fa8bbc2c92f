"""Folders of migrations, written as text, and the databases that they are applied to."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from surf_data import embedded
from surf_data.migrate import Runner

Connection = psycopg.Connection[Any]
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes migrations, numbered in order, and returns their folder."""

    def write(*ups: str) -> Path:
        for number, text in enumerate(ups, start=1):
            up = text if text.startswith("-- migrate") else f"-- migrate:up\n{text}\n"
            (tmp_path / f"{number:04d}_step.sql").write_text(up, encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def runner(database_url: str, write: Write) -> Callable[..., Runner]:
    """Return a function that makes a runner for migrations given as text."""

    def make(*ups: str, **options: Any) -> Runner:
        return Runner(partial(psycopg.connect, database_url), write(*ups), "shop", **options)

    return make


@pytest.fixture
def ask(server: Connection) -> Callable[[str], Any]:
    """Return a function that returns the first column of a query's first row; ``None`` when there is no row."""

    def first(query: str) -> Any:
        row = server.execute(query.encode()).fetchone()
        return row[0] if row else None

    return first


@pytest.fixture(scope="session")
def older_server() -> Iterator[str]:
    """Start a PostgreSQL 16, the oldest that is promised, and return its URL."""
    with embedded.start(postgres_version=16, redis=False) as started:
        yield started.database_url


@pytest.fixture(params=[18, 16], ids=["PostgreSQL 18", "PostgreSQL 16"])
def any_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the URL of an empty database, on each version of PostgreSQL that is promised."""
    if request.param == 18:
        yield request.getfixturevalue("database_url")
        return
    url, name = request.getfixturevalue("older_server"), f"test_{uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield psycopg.conninfo.make_conninfo(url, dbname=name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
