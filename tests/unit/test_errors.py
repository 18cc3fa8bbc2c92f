"""Errors: one base class, facts as attributes, and the way through pickle that worker pools take."""

import copy
import inspect
import pickle

import pytest

from surf_data import errors
from surf_data.errors import (
    ArchiveError,
    BackupError,
    ConfigurationError,
    DatabaseError,
    DatabaseUnavailable,
    MigrationError,
    PoolTimeout,
    QueryFileError,
    SurfDataError,
    ValidationError,
)

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SurfDataError)]
EXAMPLES = [
    ArchiveError("was altered", location="2026/01.csv.gz"),
    BackupError("is no backup", file="surf.dump"),
    ConfigurationError("unknown setting x", setting="x"),
    ValidationError("name must be text", field="name"),
    QueryFileError("the query has no SQL", file="shop.sql", line=3),
    MigrationError("is empty", file="0001.sql", line=1, sqlstate="42601"),
    DatabaseError("a failed", query="a", sqlstate="42P01", constraint="c"),
    PoolTimeout("no connection", query="a", holders=["thread x"], cause="connection refused"),
]


@pytest.mark.parametrize("kind", CLASSES)
def test_there_is_one_base_class_and_every_class_has_a_message(kind: type[SurfDataError]) -> None:
    """Catching SurfDataError catches everything; an error without a message says what its class is for."""
    assert inspect.getdoc(kind) == str(kind())
    assert len(str(kind()).splitlines()) == 1


def test_errors_can_be_caught_for_what_they_are() -> None:
    """Refused input is a ValueError; an exhausted pool is an unavailable database, which is a database error."""
    assert issubclass(ValidationError, ValueError)
    assert issubclass(PoolTimeout, DatabaseUnavailable)
    assert issubclass(DatabaseUnavailable, DatabaseError)


@pytest.mark.parametrize("kind", [QueryFileError, MigrationError])
def test_a_message_begins_with_the_place(kind: type[QueryFileError | MigrationError]) -> None:
    """File and line stand in front of the message as far as they are known, as editors and CI expect them."""
    assert str(kind("bad", file="shop.sql", line=3)) == "shop.sql:3: bad"
    assert str(kind("bad", file="shop.sql")) == "shop.sql: bad"
    assert str(kind("bad")) == "bad"


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_errors_survive_copies_and_pickles(error: SurfDataError) -> None:
    """An error that crosses a process boundary keeps its message and its facts."""
    for other in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301 - just made
        assert type(error) is type(other)
        assert str(error) == str(other)
        assert vars(error) == vars(other)
