"""A value that Python cannot hold is an error that names its column."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import psycopg
import pytest

from surf_data.errors import DatabaseError, ValidationError
from surf_data.kernel.postgres import DatabaseManager, load_queries


def _check_odd(_: Any, attribute: Any, value: int) -> None:
    if not value % 2:
        raise ValueError(attribute.name)


@attrs.frozen
class Odd:
    """A row that takes odd numbers alone."""

    number: int = attrs.field(validator=_check_odd)
    since: Any = None


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("'infinity'::timestamptz", "timestamptz"),
        ("'-infinity'::timestamp", "timestamp"),
        ("'infinity'::date", "date"),
        ("'0044-03-15 BC'::date", "date"),
        ("'10000-01-01'::date", "date"),
        ("'10000-01-01 00:00Z'::timestamptz", "timestamptz"),
        ("'24:00'::time", "time"),
        ("ARRAY['infinity'::date]", "date"),
    ],
)
def test_the_column_is_named(database: DatabaseManager, load: Callable[..., Any], value: str, kind: str) -> None:
    """The error says which column it is and of what type, in rows, values, streams and text."""
    until = f"{value} AS until FROM generate_series(1, 3)"
    queries = load(
        {
            "binary()": f"SELECT 'kai' AS name, now() AS since, NULL::date AS never, {until};",
            "text()^": f"SELECT '(1,2)'::point AS place, {until};",
        }
    )

    def stream() -> None:
        with queries.binary_cursor(database) as rows:
            list(rows)

    for call in (lambda: queries.binary(database), lambda: queries.text(database), stream):
        with pytest.raises(
            DatabaseError, match=rf"failed: column until \({kind}\) holds a value that Python"
        ) as caught:
            call()
        assert caught.value.__context__ is None


def test_another_error_is_what_it_is(database: DatabaseManager, load: Callable[..., Any]) -> None:
    """What has nothing to do with a value names no column."""
    queries = load({"one(x)$": "SELECT :x::text;"})
    with pytest.raises(DatabaseError, match="the parameter x has an unknown type"):
        queries.one(database, x=object())
    queries = load({"odd()^": "SELECT 2 AS number, NULL::date AS since;"}, rows={"odd": Odd})
    with pytest.raises(DatabaseError, match=r"^odd failed: ValueError$"):
        queries.odd(database)


def test_a_folder_may_be_given_as_text(
    watcher: psycopg.Connection[Any], database: DatabaseManager, tmp_path: Path
) -> None:
    """The folder is a path or its text; anything else is refused by name."""
    (tmp_path / "q.sql").write_text("-- name: one()$\n-- One.\nSELECT 1;\n")
    assert load_queries(str(tmp_path)).one(database) == 1
    wrong: list[dict[str, Any]] = [
        {"folder": None},
        {"folder": b"x"},
        {"folder": "a\0b"},
        {"folder": 3},
        {"folder": tmp_path, "namespace": None},
        {"folder": tmp_path, "namespace": 3},
        {"folder": tmp_path, "application": ["x"]},
        {"folder": tmp_path, "rows": []},
        {"folder": tmp_path, "rows": {"one": int}},
        {"folder": tmp_path, "rows": {"one": None}},
    ]
    for arguments in wrong:
        with pytest.raises(ValidationError) as caught:
            load_queries(**arguments)
        assert caught.value.field == list(arguments)[-1]
