"""Classes of rows, compared with the columns."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from surf_data.review import Facts, QuerySource, row_problems
from surf_data.review.analysis.analyse import Analyst

if TYPE_CHECKING:
    from uuid import UUID

Queries = Callable[[str], list[QuerySource]]

SCHEMA = (
    "CREATE TABLE lamp (id int4 PRIMARY KEY, name text NOT NULL, seen timestamptz, tags text[], config jsonb NOT NULL)"
)
SELECT = "SELECT id, name, seen, tags, config FROM lamp"


@attrs.frozen
class Right:
    """What it should be."""

    id: int
    name: str
    seen: datetime | None
    tags: list[str] | None
    config: dict[str, Any]


@attrs.frozen
class Wider:
    """More than it need be, and converted."""

    id: float
    name: str | None
    seen: Any
    tags: list[str | None] | None
    config: str = attrs.field(converter=str)


@attrs.frozen
class Short:
    """A field is missing, and one too much."""

    id: int
    title: str
    seen: datetime | None
    tags: list[str] | None
    config: Any


@attrs.frozen
class Disordered:
    """In another order."""

    name: str
    id: int
    seen: datetime | None
    tags: list[str] | None
    config: Any


@attrs.frozen
class Careless:
    """Without nulls, and with a wrong type."""

    id: str
    name: str
    seen: datetime
    tags: list[int] | None
    config: Any


@attrs.frozen
class Unresolved:
    """With an annotation that only type checkers know."""

    id: "UUID"


@pytest.fixture(scope="module")
def analyst(server: str, new_database: Callable[[str, str], Any]) -> Iterator[Analyst]:
    """Return what analyses queries for the schema."""
    with new_database(server, "records") as connection:
        connection.execute(SCHEMA.encode())
        yield Analyst(connection)


@pytest.mark.parametrize(
    ("row", "sql", "problems"),
    [
        (Right, SELECT, []),
        (Wider, SELECT, []),
        (Short, SELECT, ["Short has no field for the column name", "Short.title has no column"]),
        (
            Disordered,
            SELECT,
            ["Disordered has its fields in another order than the columns: id, name, seen, tags, config"],
        ),
        (
            Careless,
            SELECT,
            [
                "Careless.id is str, but integer arrives as int",
                "Careless.seen is not optional, but the column may be null: lamp.seen may be null",
                "Careless.tags is list[int] | None, but text[] arrives as list[str | None]",
            ],
        ),
        (Right, f"{SELECT} WHERE seen IS NOT NULL", []),
        (
            Right,
            "SELECT l.id, l.name, l.seen, l.tags, l.config FROM lamp AS k LEFT JOIN lamp AS l ON l.id = k.id + 1",
            [
                "Right.id is not optional, but the column may be null: an outer join may find no row",
                "Right.name is not optional, but the column may be null: an outer join may find no row",
                "Right.config is not optional, but the column may be null: an outer join may find no row",
            ],
        ),
        (
            Right,
            "SELECT id, name, seen, tags, config, name FROM lamp",
            ["two columns are called name; give one another name with AS"],
        ),
        (Unresolved, "SELECT 1 AS id", ["Unresolved: the annotation UUID is not known when the program runs"]),
        (Unresolved, "DELETE FROM lamp", ["Unresolved: the annotation UUID is not known when the program runs"]),
    ],
)
def test_problems(
    row: type[attrs.AttrsInstance], sql: str, problems: list[str], analyst: Analyst, queries: Queries
) -> None:
    """Missing, superfluous and misplaced fields, nulls without None and wrong types are found, and nothing else."""
    [query] = queries(sql)
    facts = analyst.outcome(query)
    assert isinstance(facts, Facts)
    assert list(row_problems(row, facts)) == problems
