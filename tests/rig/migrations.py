"""What tests of migrations look at."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from surf_data.errors import MigrationError, SurfDataError
from surf_data.migrate import Runner

Connection = psycopg.Connection[Any]
Write = Callable[..., Path]

FIRST = "-- migrate:up\nCREATE TABLE first (id int PRIMARY KEY);\n"
SECOND = "-- migrate:up\nCREATE TABLE second (id int REFERENCES first DEFERRABLE INITIALLY DEFERRED);\n"


def refusal(call: Callable[[], object], kind: type[SurfDataError] = MigrationError) -> Any:
    """Return the error that ``call`` raises, after checking that no driver error hangs on it."""
    with pytest.raises(kind) as caught:
        call()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


def states(runner: Runner) -> list[str]:
    """Return how each migration stands."""
    return [status.state for status in runner.status()]


def objects(server: Connection) -> set[str]:
    """Return the names of everything in the schema."""
    return {
        name for (name,) in server.execute("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")
    }
