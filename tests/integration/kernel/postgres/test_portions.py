"""Rows of one call, made into something else while they are read."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import pytest

from surf_data.errors import DatabaseError
from surf_data.kernel.postgres import DatabaseManager, in_portions
from surf_data.kernel.postgres.execution import PORTION


@pytest.fixture
def queries(load: Callable[..., Any]) -> Any:
    """Load a query that returns as many numbers as wanted."""
    return load({"numbers(n)": "SELECT i FROM generate_series(1, :n::int4) AS g (i);"})


@pytest.mark.parametrize("number", [0, 1, PORTION, PORTION + 1, 1000])
def test_portions_have_every_row_once(database: DatabaseManager, queries: Any, number: int) -> None:
    """They come in order, none of them empty, and what is made of them is returned."""
    sizes: list[int] = []

    def take(portions: Iterator[list[tuple[int]]]) -> list[int]:
        found = list(portions)
        sizes.extend(map(len, found))
        return [value for (value,) in chain.from_iterable(found)]

    read = in_portions(queries.numbers, take)
    with database.transaction() as session:
        for executor in (database, session):
            sizes.clear()
            assert read(executor, n=number) == list(range(1, number + 1))
            assert sizes == [PORTION] * (number // PORTION) + [number % PORTION] * bool(number % PORTION)
    assert database.statistics()["numbers"]["count"] == 2


def test_what_is_raised_on_the_way_comes_out(database: DatabaseManager, queries: Any) -> None:
    """An error of the caller's own is no error of the database, and the connection goes on."""

    def fail(portions: Iterator[list[tuple[int]]]) -> None:
        next(portions)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        in_portions(queries.numbers, fail)(database, n=200)
    with pytest.raises(DatabaseError):
        in_portions(queries.numbers, fail)(database, n="many")
    assert in_portions(queries.numbers, len_of)(database, n=3) == 1


def len_of(portions: Iterator[list[tuple[int]]]) -> int:
    """Return how many portions there are."""
    return len(list(portions))


def test_a_row_that_cannot_be_read(database: DatabaseManager, load: Callable[..., Any]) -> None:
    """A value that Python cannot hold is an error of the database, also while a caller makes something of the rows."""
    moments = load({"moments()": "SELECT 'infinity'::timestamptz AS moment FROM generate_series(1, 3);"}).moments
    with pytest.raises(DatabaseError, match="moments failed"):
        in_portions(moments, len_of)(database)
