"""What is said of queries that PostgreSQL refuses."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from surf_data.kernel.postgres.query_source import QuerySource
from surf_data.review import Refusal
from surf_data.review.analysis.analyse import Analyst

Queries = Callable[[str], list[QuerySource]]

SCHEMA = "CREATE TABLE shop (id int4 PRIMARY KEY, opened timestamptz)"


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("SELECT id FROM shop WHERE id = :id::int4 AND (:since IS NULL OR opened < :since)", "since"),
        ("SELECT jsonb_build_object('a', :a::text, 'b', :b)", "b"),
        ("SELECT id FROM shop WHERE id = :id AND opened > now() - :ago", "ago"),
        ("SELECT :a::int4 + 1, :b - :c", "c"),
        ("SELECT date_trunc(:unit::text, :moment)", "moment"),
        ("SELECT id FROM shop WHERE id = :id OR opened = :x + :y", "y"),
        ("SELECT id FROM shop WHERE id = :id AND :a IS NULL AND :b IS NULL", "a"),
        ("SELECT id FROM shop WHERE :b IS NULL AND id = :id AND :a IS NULL", "b"),
        ("UPDATE shop SET opened = :x WHERE id = :id AND id = :x", "x"),
        ("SELECT :a::int4 + nosuch(:a::int4)", None),
        ("SELECT nosuch(:a)", None),
    ],
)
def test_the_parameter_that_needs_a_type_is_named(
    database: Callable[[str], psycopg.Connection[Any]], queries: Queries, sql: str, name: str | None
) -> None:
    """Advice names the parameter whose cast mends the query, wherever it stands; where none does there is no advice."""
    [refusal] = map(Analyst(database(SCHEMA)).outcome, queries(sql))
    assert isinstance(refusal, Refusal)
    found = refusal.reason.partition("A parameter has no type of its own: ")[2]
    assert found == ("" if name is None else f"write :{name}::type")
